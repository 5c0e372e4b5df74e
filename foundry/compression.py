"""What compressing means here: a variant as a value, what became of each layer, what it weighs.

Pruning proper is in `pruning`, int8 in `quantization`, what runs either in `runtime`.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from foundry.errors import InputError

FLOAT_BITS, INT8_BITS = 32, 8


@dataclass(frozen=True)
class Variant:
    """Which form of a model runs; the page's two switches make one.

    Attributes:
        is_pruned: Whether channels, neurons, heads or layers were removed. How many of which is
            stated by the pruned checkpoint's own configuration: no single ratio describes it.
        weight_bits: 32 for float32, 8 for int8 weights and activations.
    """

    is_pruned: bool = False
    weight_bits: int = FLOAT_BITS

    @property
    def is_quantized(self) -> bool:
        """Whether weights and activations are int8."""
        return self.weight_bits == INT8_BITS

    @property
    def name(self) -> str:
        """One of the keys of `VARIANTS`."""
        parts = ["pruned"] * self.is_pruned + ["int8"] * self.is_quantized
        return "-".join(parts) or "dense"

    @classmethod
    def parse(cls, name: str) -> "Variant":
        """Read a name.

        Args:
            name: `dense`, `pruned`, `int8` or `pruned-int8`.

        Raises:
            InputError: If it is none of these; the message lists them.
        """
        if name not in VARIANTS:
            raise InputError(f"There is no variant “{name}”; choose one of {', '.join(VARIANTS)}.")
        return VARIANTS[name]


DENSE = Variant()
VARIANTS = {
    variant.name: variant
    for variant in (
        DENSE,
        Variant(is_pruned=True),
        Variant(weight_bits=INT8_BITS),
        Variant(is_pruned=True, weight_bits=INT8_BITS),
    )
}


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
