"""Random weights that are the same for the same seed, whatever else the process draws meanwhile."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_DRAWS: set[Callable[..., Any]] = {
    torch.randn,
    torch.Tensor.uniform_,
    torch.Tensor.normal_,
    nn.init.uniform_,
    nn.init.kaiming_uniform_,
}


class Seeded(TorchFunctionMode):
    """A context in which this thread draws weights from a generator of its own.

    Torch's global generator belongs to all threads of a process: one that builds another model at
    the same moment would take numbers out of the row. The numbers are those that
    `torch.manual_seed()` with the same seed gives to a thread that is alone.
    """

    def __init__(self, seed: int) -> None:
        """Begin the row of numbers.

        Args:
            seed: Of the generator.
        """
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch; one that draws is told from where."""
        drawn = {"generator": self._generator} if func in _DRAWS else {}
        return func(*args, **((kwargs or {}) | drawn))
