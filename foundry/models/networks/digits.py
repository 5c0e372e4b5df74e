"""What the networks that are trained here have in common."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from foundry.data import DIGITS


def describe_classes(classes: Sequence[str]) -> Mapping[str, list[str]]:
    """Return what a network's configuration says of its classes: nothing if they are the digits."""
    return {} if tuple(classes) == DIGITS else {"classes": list(classes)}


class DigitNetwork(nn.Module):
    """A network that reads digits, or other small pictures: a linear layer on their description.

    Attributes:
        classes: What it can answer, in the order of the logits.
    """

    def __init__(self, classes: Sequence[str] = DIGITS) -> None:
        """Keep the names of the classes."""
        super().__init__()
        self.classes = tuple(classes)

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the logits."""
        raise NotImplementedError

    def describe(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Return what the last layer reads, float32 (N, neurons); arguments as of `forward()`."""
        raise NotImplementedError

    def forward(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Map normalised images, float32 (N, 1, 28, 28), to logits, float32 (N, classes).

        In training mode the generator draws what is dropped; None for torch's own.
        """
        logits: torch.Tensor = self.last(self.describe(images, generator))
        return logits


class Dropout(nn.Dropout):
    """Dropout that can draw from a generator of the caller's."""

    def forward(
        self, input: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Set some values to zero and raise the others, so that their mean stays."""
        if not self.training or not self.p:
            return input
        kept = torch.empty_like(input).bernoulli_(1 - self.p, generator=generator)
        return input * kept / (1 - self.p)
