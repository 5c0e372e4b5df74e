"""When no class fits: how close a picture comes to the examples, and how close it has to."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# Of the examples as many are as close to the others as a picture has to be to fit.
FITTING = 0.95
_NUM_NEIGHBOURS = 2
# Classes of ImageNet.
DESCRIPTION_SIZE = 1000


@dataclass(frozen=True)
class Novelty:
    """Tells pictures of no class from the others.

    A picture is described by what the thousand classes of ImageNet say to it, less their mean. Its
    closeness is the mean cosine with the two examples that are most alike.

    Attributes:
        descriptions: Of the learned examples, float32 (N, 1000), each of length 1.
        threshold: The least closeness that fits.
    """

    descriptions: Tensor
    threshold: float

    def measure(self, logits: Tensor) -> Tensor:
        """Map ImageNet's logits, float32 (N, 1000), to closeness in [-1, 1], (N,)."""
        return _average_closest(describe(logits) @ self.descriptions.T)


def describe(logits: Tensor) -> Tensor:
    """Map ImageNet's logits, float32 (N, 1000), to directions of length 1."""
    return F.normalize(logits - logits.mean(1, keepdim=True), dim=1)


def learn_novelty(learned: Tensor, held_out: Tensor) -> Novelty:
    """Find out how close pictures come that fit: each example to the others.

    Args:
        learned: ImageNet's logits of the learned examples, float32 (N, 1000), at least two.
        held_out: Of those set aside.
    """
    descriptions = describe(learned)
    among = descriptions @ descriptions.T
    # None is its own neighbour.
    is_other = ~torch.eye(len(among), dtype=torch.bool)
    among = among[is_other].view(len(among), -1)
    beside = describe(held_out) @ descriptions.T
    closeness = torch.cat([_average_closest(among), _average_closest(beside)])
    return Novelty(descriptions, float(closeness.quantile(1 - FITTING)))


def _average_closest(cosines: Tensor) -> Tensor:
    return cosines.topk(min(_NUM_NEIGHBOURS, cosines.shape[1]), dim=1).values.mean(1)
