"""Accuracy on digits that are changed more and more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from foundry.data import Split
from foundry.digits.drift.corruptions import KINDS, NUM_STRENGTHS, corrupt
from foundry.digits.reading import classify_digits
from foundry.models.runtime import Predictor


@dataclass(frozen=True)
class DriftEvent:
    """How far a measurement is.

    Attributes:
        share: Done, in [0, 1].
        accuracies: By kind of change, of the strengths from 0 on that are finished, each in [0, 1].
    """

    share: float
    accuracies: Mapping[str, tuple[float, ...]]


def measure_drift(
    predictor: Predictor, digits: Split, kinds: Sequence[str] = KINDS
) -> Iterator[DriftEvent]:
    """Measure the accuracy that is left at each strength of each change.

    Args:
        predictor: A digit classifier giving logits (N, 10), any variant of it.
        digits: What is changed; every predictor sees the same.
        kinds: Of changes, out of `KINDS`.

    Yields:
        A reading after every strength.

    Raises:
        InputError: If there is no such change.
    """
    images, labels = digits.images.numpy(), digits.labels.numpy()

    def measure(kind: str, strength: int) -> float:
        probs = classify_digits(predictor, corrupt(images, kind, strength))
        return float((probs.argmax(1) == labels).mean())

    as_they_are = measure(kinds[0], 0)
    accuracies: dict[str, tuple[float, ...]] = {kind: (as_they_are,) for kind in kinds}
    num_steps = 1 + len(kinds) * NUM_STRENGTHS
    yield DriftEvent(1 / num_steps, dict(accuracies))
    for place, kind in enumerate(kinds):
        for strength in range(1, NUM_STRENGTHS + 1):
            accuracies[kind] += (measure(kind, strength),)
            done = 1 + place * NUM_STRENGTHS + strength
            yield DriftEvent(done / num_steps, dict(accuracies))
