"""Whether a network is as often right as it is sure: its reliability diagram and its error."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

# As in the source.
NUM_BINS = 15


@dataclass(frozen=True)
class Bin:
    """Digits of which a network is about equally sure.

    Attributes:
        count: How many there are.
        confidence: Mean probability of its answers, in [0, 1]; 0 if there are none.
        accuracy: Share of them that is right, in [0, 1]; 0 if there are none.
    """

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """How sure a network is, and how often it is right.

    Attributes:
        temperature: What its logits were divided by.
        calibration_error: Expected calibration error, in [0, 1]: what confidence and accuracy
            differ by within a bin, on average over all digits.
        loss: Mean cross-entropy, nats.
        bins: `NUM_BINS`, of equal width, from 0 to 1.
    """

    temperature: float
    calibration_error: float
    loss: float
    bins: Sequence[Bin]

    @property
    def confidence(self) -> float:
        """Mean probability of its answers, in [0, 1]."""
        count = sum(bin.count for bin in self.bins)
        return sum(bin.count * bin.confidence for bin in self.bins) / count


def measure_reliability(
    logits: torch.Tensor, labels: torch.Tensor, temperature: float = 1.0
) -> Reliability:
    """Sort answers by how sure they are, and compare that with how often they are right.

    Args:
        logits: float32, shape (N, 10), up to a constant an image; N > 0.
        labels: int64, shape (N,).
        temperature: Above 0; what the logits are divided by: above 1 all answers become less sure,
            and none becomes another one.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    scaled = logits.double() / temperature
    confidences, answers = scaled.softmax(dim=1).max(dim=1)
    is_right = (answers == labels).double()
    # The upper edge belongs to a bin, and 0 to the first.
    places = (confidences * NUM_BINS).ceil().long().clamp(1, NUM_BINS) - 1
    counts = torch.bincount(places, minlength=NUM_BINS)
    sums = [torch.bincount(places, one, NUM_BINS) for one in (confidences, is_right)]
    mean_confidences, accuracies = (one / counts.clamp(min=1) for one in sums)
    gaps = (mean_confidences - accuracies).abs()
    return Reliability(
        temperature,
        float((gaps * counts).sum() / len(labels)),
        float(F.cross_entropy(scaled, labels)),
        [
            Bin(*values)
            for values in zip(
                counts.tolist(), mean_confidences.tolist(), accuracies.tolist(), strict=True
            )
        ],
    )
