"""How far probabilities can be believed, and the few numbers that correct them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

NUM_BINS = 15


@dataclass(frozen=True)
class Calibration:
    """What is done to logits, so that probabilities are as often right as they say.

    Attributes:
        temperature: Divides them.
        offsets: Added afterwards, one for each class; their sum is 0.
    """

    temperature: float
    offsets: tuple[float, ...]


def expected_calibration_error(logits: Tensor, labels: Tensor, num_bins: int = NUM_BINS) -> float:
    """Measure the gap between confidence and accuracy.

    Args:
        logits: Float tensor of shape (examples, classes).
        labels: int64 tensor of shape (examples,).
        num_bins: Number of confidence bins of equal width over [0, 1].

    Returns:
        The mean over examples of |accuracy - confidence| of the example's bin, in [0, 1].

    Source:
        Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3.
    """
    confidence, predicted = F.softmax(logits.double(), dim=1).max(dim=1)
    correct = (predicted == labels).double()
    # A confidence on an edge belongs to the bin below it, as in the paper.
    bins = (confidence * num_bins).ceil().long().sub(1).clamp(0, num_bins - 1)
    gaps = torch.zeros(num_bins, dtype=torch.float64).index_add_(0, bins, correct - confidence)
    return gaps.abs().sum().item() / len(labels)


def fit_calibration(logits: Tensor, labels: Tensor) -> Calibration:
    """Find the temperature and the offsets that make held-out labels likeliest.

    Args:
        logits: Float tensor of shape (examples, classes), of examples not trained on.
        labels: int64 tensor of shape (examples,).

    Source:
        Alexandari et al. 2020, Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat
        at Label Shift Adaptation, equation 2.
    """
    logits = logits.double()
    # The inverse of the temperature: in it, and in the offsets, the loss is convex.
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    offsets = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, offsets], max_iter=200, line_search_fn="strong_wolfe")

    def compute_loss() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(scale * logits + offsets, labels)
        loss.backward()
        return loss

    optimizer.step(compute_loss)
    # Softmax does not see what all offsets have in common.
    centred = (offsets - offsets.mean()).detach()
    return Calibration(1 / scale.item(), tuple(centred.tolist()))
