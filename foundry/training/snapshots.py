"""The weights of a run as they were along the way, so that its learning can be looked at.

A snapshot is a file `step-00000043.safetensors` with the weights in float16, which appears whole by
one rename. There are about 40 of a run, dense where it learns fastest.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from foundry.data import DIGITS
from foundry.errors import ArtifactError
from foundry.models import build_model
from foundry.training.config import TrainConfig
from foundry.training.state import TrainState

_MAX_SNAPSHOTS = 40
_MAX_BYTES = 20_000_000


class Snapshots:
    """Keeps what a run's weights were, while it trains."""

    def __init__(self, state: TrainState, folder: Path) -> None:
        """Go on where the folder ends; what lies past the state's step is trained again.

        Args:
            state: The training, at rest.
            folder: Where snapshots of this run live; made if missing.
        """
        self._folder = folder
        self._targets = plan_steps(state.num_steps, _count_bytes(state.model))
        for path in list_snapshots(folder):
            if read_step(path) > state.step:
                path.unlink()
        self.keep(state)

    def keep(self, state: TrainState, is_asked_for: bool = False) -> None:
        """Write a snapshot if one is due.

        Args:
            state: The training, at rest.
            is_asked_for: Write one in any case, in the place of the last if that was not due: a run
                that somebody takes step by step has no more of them than others.
        """
        *_, before, newest = [-1, -1, *map(read_step, list_snapshots(self._folder))]
        if not (is_asked_for or self._is_due(newest, state.step)):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"partial-{os.getpid()}"
        try:
            weights = state.model.state_dict().items()
            save_file({name: t.half().contiguous() for name, t in weights}, partial)
        except BaseException:
            # On a full disk this makes the room to say so.
            partial.unlink(missing_ok=True)
            raise
        partial.rename(_name(self._folder, state.step))
        if newest not in (-1, state.step) and not self._is_due(before, newest):
            _name(self._folder, newest).unlink(missing_ok=True)

    def _is_due(self, before: int, step: int) -> bool:
        return any(before < target <= step for target in self._targets)


def plan_steps(num_steps: int, num_bytes: int) -> Sequence[int]:
    """Return the steps of which a snapshot is wanted, from 0 to the last.

    Args:
        num_steps: Updates of the whole run.
        num_bytes: Size of one snapshot.
    """
    count = max(2, min(_MAX_SNAPSHOTS, _MAX_BYTES // num_bytes))
    # Squares: the first tenth of a run has a third of them.
    return sorted({round(num_steps * (i / (count - 1)) ** 2) for i in range(count)})


def list_snapshots(folder: Path) -> list[Path]:
    """Return the snapshots of a run, the first step first.

    Args:
        folder: Where they live; there may be none.
    """
    return sorted(folder.glob("step-*.safetensors"))


def find_newest_step(folder: Path) -> int:
    """Return the step of a run's last snapshot, -1 before the first.

    Args:
        folder: Where they live; there may be none.
    """
    return max(map(read_step, list_snapshots(folder)), default=-1)


def read_step(path: Path) -> int:
    """Return the number of updates before a snapshot was taken."""
    return int(path.stem.removeprefix("step-"))


def load_snapshot(path: Path, config: TrainConfig, classes: Sequence[str] = DIGITS) -> nn.Module:
    """Read a network as it was, in evaluation mode, float32.

    Args:
        path: From `list_snapshots()`.
        config: The run's.
        classes: What it tells apart.

    Raises:
        ArtifactError: If the file is missing or damaged.
    """
    with torch.device("meta"):
        model = build_model(config.model, config.width, dropout=config.dropout, classes=classes)
    try:
        weights = {name: t.float() for name, t in load_file(path).items()}
        model.load_state_dict(weights, assign=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(f"The snapshot {path} cannot be read: {error}.") from None
    return model.eval()


def _name(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08d}.safetensors"


def _count_bytes(model: nn.Module) -> int:
    tensors = model.state_dict().values()
    return sum(math.prod(t.shape) for t in tensors) * torch.finfo(torch.float16).bits // 8
