"""What forms of a model are measured with: inputs to time, and samples to answer."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from foundry.calibration import digit_samples
from foundry.data import load_mnist, normalize
from foundry.quantization import Sample
from foundry.runtime import Predictor

_TEST_BATCH = 1000
_DIGITS_BATCH = 256


@dataclass(frozen=True)
class Answers:
    """What one form of a model makes of the samples.

    Attributes:
        labels: One answer a sample, comparable with `==`.
        probs: float32 (samples, labels), on the CPU; None where an answer is a text.
        quality: In [0, 1], where the right answers are known here; else None.
    """

    labels: tuple[object, ...]
    probs: torch.Tensor | None
    quality: float | None


@dataclass(frozen=True)
class Workload:
    """What a task's models are measured with.

    Attributes:
        unit: What one input is, such as `image`.
        single: One input, as the network takes it.
        batch: Several.
        batch_size: How many.
        quality_name: What its quality is, in words.
        samples: What `answer` goes over, in words.
        answer: Lets a form of the model answer every sample.
    """

    unit: str
    single: Sample
    batch: Sample
    batch_size: int
    quality_name: str
    samples: str
    answer: Callable[[Predictor], Answers]


def digits_workload() -> Workload:
    """Return MNIST: training images to time, all 10,000 test images to answer."""
    images = [image for (image,) in digit_samples()]
    return Workload(
        unit="image",
        single=(images[0],),
        batch=(torch.cat(images[:_DIGITS_BATCH]),),
        batch_size=_DIGITS_BATCH,
        quality_name="Test accuracy",
        samples="all 10,000 test images",
        answer=_read_test_digits,
    )


def _read_test_digits(predict: Predictor) -> Answers:
    test = load_mnist().test
    logits = torch.cat([predict(normalize(part)) for part in test.images.split(_TEST_BATCH)])
    digits = logits.argmax(1)
    return Answers(
        labels=tuple(digits.tolist()),
        probs=logits.softmax(1),
        quality=(digits == test.labels).double().mean().item(),
    )
