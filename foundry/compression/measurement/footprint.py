"""What a network weighs, and what became of each of its layers."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn


@dataclass(frozen=True)
class LayerChange:
    """What became of one layer.

    Attributes:
        layer: Its name in the network, such as `conv1`.
        is_changed: Whether it is other than it was.
        note: How it was changed, or why it was left alone.
    """

    layer: str
    is_changed: bool
    note: str


@dataclass(frozen=True)
class Footprint:
    """What a model weighs.

    Attributes:
        parameters: Weights and biases.
        nonzeros: Those of them that are not zero.
        size_bytes: Of its file on disk.
    """

    parameters: int
    nonzeros: int
    size_bytes: int


def footprint(model: nn.Module, file: Path) -> Footprint:
    """Weigh a network and its file.

    Args:
        model: The network; masked weights count as the zeros that they act as.
        file: Where its weights are stored.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    tensors = effective_weights(model).values()
    return Footprint(
        parameters=sum(tensor.numel() for tensor in tensors),
        nonzeros=sum(int(tensor.count_nonzero()) for tensor in tensors),
        size_bytes=file.stat().st_size,
    )


def effective_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights that a network computes with, by name; those under a mask masked.

    Args:
        model: A network; if masked, its masks may be in place or made permanent.
    """
    buffers = dict(model.named_buffers())
    weights = {}
    for name, parameter in model.named_parameters():
        plain = name.removesuffix("_orig")
        mask = buffers.get(f"{plain}_mask")
        weights[plain] = parameter.detach() if mask is None else parameter.detach() * mask
    return weights
