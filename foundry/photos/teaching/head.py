"""The linear head: from what the frozen network makes of a picture to classes of one's own."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from foundry.models.runtime import on_narrow_thread

NUM_STEPS = 200
STEPS_PER_EVENT = 5
_LEARNING_RATE = 1e-3
# A feature that is the same on all examples tells nothing.
_SMALLEST = 1e-3


@dataclass(frozen=True)
class Head:
    """A linear layer on the features of `EfficientNetLite0`.

    Attributes:
        labels: Of the classes.
        weight: float32 (classes, 1280).
        bias: float32 (classes,).
    """

    labels: tuple[str, ...]
    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Map features, float32 (N, 1280), to logits, (N, classes)."""
        return F.linear(features, self.weight, self.bias)


@dataclass(frozen=True)
class HeadEvent:
    """How far the training of a head is.

    Attributes:
        step: Updates so far.
        train_loss: Cross-entropy of the examples, in nats.
        head: As it stands.
    """

    step: int
    train_loss: float
    head: Head


def train_head(
    features: Tensor,
    targets: Tensor,
    labels: tuple[str, ...],
    previous: Head | None = None,
    is_learned: Tensor | None = None,
) -> Iterator[HeadEvent]:
    """Train a head on many examples at once; nothing in it is left to chance.

    Args:
        features: float32 (N, 1280). All of them say how large a feature is, and around what it
            varies: those of a single class would not tell.
        targets: int64 (N,), places in `labels`.
        labels: Of all classes, also of those without examples here.
        previous: A head to go on from; its labels may be fewer. None begins at zero.
        is_learned: bool (N,), which examples are learned; None for all.

    Yields:
        A reading after every few updates; the last one has the trained head.
    """
    mean, scale = _measure(features)
    weight = torch.zeros(len(labels), features.shape[1])
    bias = torch.zeros(len(labels))
    if previous is not None:
        for index, label in enumerate(labels):
            if label in previous.labels:
                row = previous.labels.index(label)
                weight[index] = previous.weight[row] * scale
                bias[index] = previous.bias[row] + previous.weight[row] @ mean
    weight.requires_grad_()
    bias.requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], lr=_LEARNING_RATE)
    even = (features - mean) / scale
    if is_learned is not None:
        even, targets = even[is_learned], targets[is_learned]

    @on_narrow_thread
    def advance() -> float:
        for _ in range(STEPS_PER_EVENT):
            with torch.enable_grad():
                loss = F.cross_entropy(F.linear(even, weight, bias), targets)
                loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return float(loss.detach())

    for step in range(STEPS_PER_EVENT, NUM_STEPS + 1, STEPS_PER_EVENT):
        train_loss = advance()
        own = weight.detach() / scale
        yield HeadEvent(step, train_loss, Head(labels, own, bias.detach() - own @ mean))


@on_narrow_thread
def _measure(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return what makes features of equal size, so that one learning rate suits all of them."""
    return features.mean(0), features.std(0, correction=0).clamp_min(_SMALLEST)
