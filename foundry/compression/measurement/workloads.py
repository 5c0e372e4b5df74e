"""What variants of a model are measured with: inputs to time, and samples to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from foundry.data import DATA_DIR, DataSet, load_mnist, normalize
from foundry.models.calibration import digit_samples, read_clips, speech_samples, text_samples
from foundry.models.model_card import read_figure
from foundry.models.pretrained import Pretrained
from foundry.models.quantization import Sample
from foundry.models.runtime import Predictor
from foundry.training.inspection.measures import measure_classes

# Not those that int8 was calibrated on.
SAMPLES_DIR = DATA_DIR / "samples"
TEXTS_FILE, SPEECH_FILE = SAMPLES_DIR / "texts.txt", SAMPLES_DIR / "speech.ogg"

_TEST_BATCH = 1000
_DIGITS_BATCH, _TEXTS_BATCH, _CLIPS_BATCH = 256, 16, 4
_TOKENS = 16
# Row and column of the test accuracy, on the dense card and on the pruned one.
_DIGITS_CELLS = (("test", "accuracy"), ("after recovery", "test (10,000; measured once)"))


@dataclass(frozen=True)
class Answers:
    """What one variant of a model makes of the samples.

    Attributes:
        labels: One answer a sample, comparable with `==`.
        probs: float32 (samples, labels), on the CPU; None where an answer is a text.
        quality: In [0, 1], where the right answers are known here; else None.
        balanced_quality: The same with every class counting alike, of what a visitor brought.
    """

    labels: tuple[Any, ...]
    probs: torch.Tensor | None
    quality: float | None
    balanced_quality: float | None = None


@dataclass(frozen=True)
class Workload:
    """What a task's models are measured with.

    Attributes:
        unit: What one input is, such as `image`.
        single: One input, as the network takes it.
        batch: Several.
        batch_size: How many.
        quality_name: What quality is, and where its figure is from.
        samples: What `answer` goes over, in words.
        answer: Lets a variant of the model answer every sample.
        classes: What it can answer, in the order of the logits; empty where that is a text.
    """

    unit: str
    single: Sample
    batch: Sample
    batch_size: int
    quality_name: str
    samples: str
    answer: Callable[[Predictor], Answers]
    classes: tuple[str, ...] = ()


def digits_workload(data: DataSet | None = None) -> Workload:
    """Return a data set: training images to time, all test images to answer.

    Args:
        data: What the model learned; None for MNIST.
    """
    learned = data or load_mnist()
    images = [image for (image,) in digit_samples(learned.train)][:_DIGITS_BATCH]
    return Workload(
        unit="image",
        single=(images[0],),
        batch=(torch.cat(images),),
        batch_size=len(images),
        quality_name="Test accuracy",
        samples=f"all {len(learned.test):,} test images",
        answer=partial(_read_test_images, learned, is_balanced=data is None),
        classes=learned.classes,
    )


def _read_test_images(data: DataSet, predict: Predictor, is_balanced: bool) -> Answers:
    test = data.test
    logits = torch.cat([predict(normalize(part)) for part in test.images.split(_TEST_BATCH)])
    answers = logits.argmax(1)
    measures = measure_classes(test.labels.numpy(), answers.numpy(), len(data.classes))
    return Answers(
        labels=tuple(answers.tolist()),
        probs=logits.softmax(1),
        quality=(answers == test.labels).double().mean().item(),
        # Where there are about as many of each class it says nothing new.
        balanced_quality=None if is_balanced else measures.balanced_accuracy,
    )


def texts_workload(pretrained: Pretrained) -> Workload:
    """Return texts: one of 16 tokens, 16 of them, and the project's own to answer.

    Args:
        pretrained: Its tokenizer makes the inputs, its `id2label` the answers.
    """
    ids, mask = max(text_samples(pretrained.processor), key=lambda sample: sample[0].shape[1])
    # The last token closes the text, so that it stays one when it is cut.
    ids = torch.cat([ids[:, : _TOKENS - 1], ids[:, -1:]], 1)
    mask = mask[:, :_TOKENS]
    texts = TEXTS_FILE.read_text("utf-8").splitlines()
    labels: Any = pretrained.model.config.id2label

    def answer(predict: Predictor) -> Answers:
        encoded = (pretrained.processor(text, return_tensors="pt") for text in texts)
        logits = [predict(one["input_ids"], one["attention_mask"]) for one in encoded]
        probs = torch.cat(logits).softmax(1)
        return Answers(tuple(labels[index] for index in probs.argmax(1).tolist()), probs, None)

    return Workload(
        unit="text",
        single=(ids, mask),
        batch=(ids.repeat(_TEXTS_BATCH, 1), mask.repeat(_TEXTS_BATCH, 1)),
        batch_size=_TEXTS_BATCH,
        quality_name="SST-2 dev, from the model card",
        samples=f"{len(texts)} sentences written for this project, none used to calibrate int8",
        answer=answer,
        classes=tuple(labels[index] for index in range(len(labels))),
    )


def speech_workload(pretrained: Pretrained) -> Workload:
    """Return clips of 3 s: one, 4 of them, and the project's own to answer.

    Args:
        pretrained: Its processor makes the inputs and reads the answers.
    """
    processor = pretrained.processor
    (first,), *others = speech_samples(processor)
    clips, rate_hz = read_clips()

    def answer(predict: Predictor) -> Answers:
        texts = []
        for clip in clips:
            inputs = processor(clip, sampling_rate=rate_hz, return_tensors="pt").input_values
            texts += processor.batch_decode(predict(inputs).argmax(-1))
        return Answers(tuple(texts), None, None)

    return Workload(
        unit="clip",
        single=(first,),
        batch=(torch.cat([first, *(clip for (clip,) in others[: _CLIPS_BATCH - 1])]),),
        batch_size=_CLIPS_BATCH,
        quality_name="Isolated words right, from the model card",
        samples=f"{len(clips)} spoken clips made for this project, none used to calibrate int8; "
        "a clip differs if its text does, read greedily",
        answer=answer,
    )


def card_quality(folder: Path, task: str, is_pruned: bool) -> float | None:
    """Return the quality that a model card states.

    Args:
        folder: The model's.
        task: `digits`, `sentiment` or `speech`.
        is_pruned: Whether it is a pruned model's card, whose columns also hold the dense figures.

    Returns:
        In [0, 1], for speech the share of isolated words right (1 - WER); None without a figure.
    """
    if task == "digits":
        row, column = _DIGITS_CELLS[is_pruned]
        return read_figure(folder, row, column)
    if task == "sentiment":
        column = "pruned, as published" if is_pruned else "accuracy, as published"
        return read_figure(folder, "SST-2 dev", column)
    column = "pruned WER, beam" if is_pruned else "beam WER"
    wer = read_figure(folder, "isolated words", column)
    return None if wer is None else 1 - wer
