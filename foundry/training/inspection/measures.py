"""What accuracy alone hides where some classes have more pictures than others."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measures:
    """How a classifier does on a split, class by class.

    Attributes:
        recalls: By class, the share of its pictures that were recognised, in [0, 1]; NaN for a
            class that the split lacks.
        balanced_accuracy: Their mean: every class counts alike.
        majority: The class that the split has most of.
        majority_share: What always answering with it would get right, in [0, 1].
    """

    recalls: tuple[float, ...]
    balanced_accuracy: float
    majority: int
    majority_share: float


def measure_classes(labels: np.ndarray, answers: np.ndarray, num_classes: int) -> Measures:
    """Count what was recognised of each class.

    Args:
        labels: int (N,), 0 to `num_classes` - 1; at least one.
        answers: int (N,), likewise.
        num_classes: That there are.
    """
    counts = np.bincount(labels, minlength=num_classes)
    right = np.bincount(labels[labels == answers], minlength=num_classes)
    recalls = [
        float(hits / count) if count else float("nan")
        for hits, count in zip(right, counts, strict=True)
    ]
    majority = int(counts.argmax())
    return Measures(
        tuple(recalls), float(np.nanmean(recalls)), majority, float(counts[majority] / len(labels))
    )
