"""How good a model is, whatever runs it: on held-out data, or against the dense one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foundry.compression.measurement.workloads import Workload
from foundry.data import load_test_split, normalize
from foundry.models.runtime import Predictor
from foundry.recipes.sentiment.data.corpus import POSITIVE, SST2_DEV, read_examples
from foundry.recipes.sentiment.evaluation import is_positive_side
from foundry.recipes.speech.data.corpus import Clip, iter_manifest, read_recording, split_by_speaker
from foundry.recipes.speech.evaluate import build_dev_sets, decode, score
from foundry.recipes.speech.model import ALPHABET
from foundry.speech.decoding.beam import load_beam_decoder

_BATCH = 500
# What the speech model is for; the other held-out sets are of words that it was not taught.
_SPEECH_SETS = ("digit_strings", "words")
_DEV_SEED = 0


@dataclass(frozen=True)
class Quality:
    """A way to judge a model.

    Attributes:
        metric: What is measured, and on what.
        measure: From what runs the model to a share in [0, 1]; more is better.
    """

    metric: str
    measure: Callable[[Predictor], float]


def digits_quality() -> Quality:
    """Judge by accuracy on MNIST's test split."""
    test = load_test_split()

    def measure(predict: Predictor) -> float:
        read = torch.cat([predict(normalize(part)).argmax(1) for part in test.images.split(_BATCH)])
        return (read == test.labels).double().mean().item()

    return Quality(f"accuracy, MNIST test ({len(test):,})", measure)


def sentiment_quality(data_dir: Path, tokenizer: Any) -> Quality:
    """Judge by accuracy on SST-2 dev, which has no neutral sentences, one sentence at a time.

    Args:
        data_dir: Holds `sst2/dev.tsv`.
        tokenizer: The model's own.

    Raises:
        InputError: If the file is missing.
    """
    examples = read_examples(data_dir / SST2_DEV)
    encoded = [tokenizer(example.text, return_tensors="pt") for example in examples]

    def measure(predict: Predictor) -> float:
        logits = torch.cat([predict(e["input_ids"], e["attention_mask"]) for e in encoded])
        answers = is_positive_side(logits)
        right = [a == (e.label == POSITIVE) for a, e in zip(answers, examples, strict=True)]
        return float(np.mean(right))

    return Quality(f"accuracy, SST-2 dev ({len(examples):,})", measure)


def speech_quality(data_dir: Path, processor: Any, model_dir: Path) -> Quality:
    """Judge by the share of words right, by the word list, on held-out digits and commands.

    Args:
        data_dir: Holds `speech/` with the corpora.
        processor: The model's own.
        model_dir: Has the word list.

    Raises:
        FileNotFoundError: If there is no corpus.
    """
    recordings = _Recordings(data_dir / "speech")
    dev_sets = build_dev_sets(recordings, split_by_speaker(recordings.clips)[1], _DEV_SEED)
    utterances = [pair for name in _SPEECH_SETS for pair in dev_sets[name]]
    decoder = load_beam_decoder(model_dir, ALPHABET)
    extract = processor.feature_extractor

    def measure(predict: Predictor) -> float:
        heard = []
        for waveform, _ in utterances:
            sound = extract(waveform, sampling_rate=extract.sampling_rate, return_tensors="pt")
            log_probs = predict(sound.input_values)[0].log_softmax(-1).numpy()
            heard.append(decode(log_probs, decoder))
        return 1 - score([text for _, text in utterances], heard)["wer"]

    num_words = sum(len(text.split()) for _, text in utterances)
    return Quality(f"1 - WER, held-out digits and commands ({num_words:,} words)", measure)


def agreement(workload: Workload, dense: Predictor) -> Quality:
    """Judge by how often the answer is the dense model's: no held-out data is here.

    Args:
        workload: Has the project's own samples.
        dense: What runs the dense model.
    """
    expected = workload.answer(dense).labels

    def measure(predict: Predictor) -> float:
        given = workload.answer(predict).labels
        return float(np.mean([a == b for a, b in zip(given, expected, strict=True)]))

    return Quality(f"agreement with dense, {workload.samples}", measure)


class _Recordings:
    """Recordings decoded when wanted: only the held-out ones are."""

    def __init__(self, speech_dir: Path) -> None:
        self._speech_dir = speech_dir
        self._rows = list(iter_manifest(speech_dir))
        self.clips = [
            # Where others have the first sample, the number of the row: it is read from there.
            Clip(corpus, row["speaker"], row["text"], start=index, length=0)
            for index, (corpus, row) in enumerate(self._rows)
        ]

    def waveform(self, clip: Clip) -> np.ndarray:
        return read_recording(self._speech_dir, *self._rows[clip.start])
