"""The networks that can be trained here, by name."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from foundry.errors import InputError
from foundry.models.networks.attention import Transformer
from foundry.models.networks.convolutional import CNN, LeNet
from foundry.models.networks.recurrent import LSTM

_ARCHITECTURES: dict[str, Any] = {
    "lenet": LeNet,
    "cnn": CNN,
    "lstm": LSTM,
    "transformer": Transformer,
}


def available_architectures() -> list[str]:
    """Return the architectures that can be trained here."""
    return list(_ARCHITECTURES)


def title_of(architecture: str) -> str:
    """Return what people call one of `available_architectures()`."""
    return str(_ARCHITECTURES[architecture].__name__)


def build_model(architecture: str, width: float = 1.0, **config: Any) -> nn.Module:
    """Build a network with random weights from torch's global generator.

    Args:
        architecture: One of `available_architectures()`.
        width: Factor on the architecture's own filters and hidden neurons, above 0.
        config: Widths and dropout as the architecture's constructor takes them.

    Raises:
        InputError: If there is no such architecture; the message lists those there are.
    """
    if architecture not in _ARCHITECTURES:
        raise InputError(
            f"There is no model “{architecture}” to train; "
            f"choose one of {', '.join(_ARCHITECTURES)}."
        )
    network = _ARCHITECTURES[architecture]
    widths = {name: _scale(own, width) for name, own in network.WIDTHS.items()}
    built: nn.Module = network(**(widths | config))
    return built


def _scale(size: int | Sequence[int], width: float) -> Any:
    if isinstance(size, int):
        return max(1, round(width * size))
    return [_scale(one, width) for one in size]
