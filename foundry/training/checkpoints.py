"""Writing a training state to disk and going on from it, without pickle.

A checkpoint is a folder `step-00000430/` that appears whole by one rename; a crash leaves the
one before it.
"""

import json
import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from foundry.data import DIGITS
from foundry.errors import ArtifactError
from foundry.training.config import TrainConfig
from foundry.training.state import TrainState

_TENSORS_FILE = "state.safetensors"
_VALUES_FILE = "state.json"


def save_checkpoint(state: TrainState, folder: Path) -> Path:
    """Write a state and remove the older ones.

    Args:
        state: A state at rest, that is, between two events of `train()`.
        folder: Where checkpoints of this run live; made if missing.

    Returns:
        The new checkpoint's folder.
    """
    final = folder / f"step-{state.step:08d}"
    partial = folder / f"partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        save_file(_tensors(state), partial / _TENSORS_FILE)
        (partial / _VALUES_FILE).write_text(json.dumps(_values(state), indent=2, allow_nan=False))
    except BaseException:
        # On a full disk this makes the room to say so.
        shutil.rmtree(partial, ignore_errors=True)
        raise
    older = [path for path in folder.glob("step-*") if path != final]
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    for path in older:
        shutil.rmtree(path)
    return final


def find_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint in a folder, or None."""
    return max(folder.glob("step-*"), default=None)


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> TrainState:
    """Read a state back; training goes on with the numbers an uninterrupted run would have had.

    Args:
        path: A folder from `save_checkpoint()` or `find_checkpoint()`.
        device: Where to train from here on.

    Raises:
        ArtifactError: If a file is missing or damaged; the message names it.
    """
    try:
        values = json.loads((path / _VALUES_FILE).read_text())
        tensors = load_file(path / _TENSORS_FILE)
        config = TrainConfig(**values["config"])
        # Those of earlier versions are all of digits.
        state = TrainState(config, device, classes=values.get("classes", DIGITS))
        state.model.load_state_dict(_group(tensors, "model"))
        state.best_weights = _group(tensors, "best")
        _restore_optimizer(state, tensors, values)
        state.step = values["step"]
        state.train_s = values["train_s"]
        state.elapsed_s = values["elapsed_s"]
        state.best_epoch = values["best_epoch"]
        state.best_val_accuracy = values["best_val_accuracy"]
        best_val_loss = values["best_val_loss"]
        state.best_val_loss = math.inf if best_val_loss is None else best_val_loss
        state.improved_epoch = values["improved_epoch"]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(f"The checkpoint {path} cannot be read: {error}.") from None
    return state


def _tensors(state: TrainState) -> dict[str, torch.Tensor]:
    tensors = {f"model.{name}": t.contiguous() for name, t in state.model.state_dict().items()}
    tensors |= {f"best.{name}": t.contiguous() for name, t in state.best_weights.items()}
    for index, entries in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": t.contiguous() for key, t in entries.items()}
    return tensors


def _values(state: TrainState) -> dict[str, Any]:
    return {
        "config": asdict(state.config),
        "classes": state.model.classes,
        "step": state.step,
        "train_s": state.train_s,
        "elapsed_s": state.elapsed_s,
        "best_epoch": state.best_epoch,
        "best_val_accuracy": state.best_val_accuracy,
        # Infinite before the first epoch ends, for which JSON has no name.
        "best_val_loss": state.best_val_loss if state.best_epoch else None,
        "improved_epoch": state.improved_epoch,
        "param_groups": state.optimizer.state_dict()["param_groups"],
        "scheduler_step": state.scheduler.last_epoch if state.scheduler else None,
    }


def _group(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _restore_optimizer(
    state: TrainState, tensors: dict[str, torch.Tensor], values: dict[str, Any]
) -> None:
    parameters = list(state.model.parameters())
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _group(tensors, "optimizer").items():
        index, key = int(name.split(".")[0]), name.split(".")[1]
        parameter = parameters[index]
        if tensor.shape == parameter.shape:
            # The fused update walks parameter and moment in memory order, so both need the
            # same strides (channels_last), which a file does not keep.
            tensor = torch.empty_like(parameter).copy_(tensor)
        entries.setdefault(index, {})[key] = tensor
    state.optimizer.load_state_dict({"state": entries, "param_groups": values["param_groups"]})
    if state.scheduler:
        # One-cycle derives every learning rate from this count and the groups restored above.
        state.scheduler.last_epoch = values["scheduler_step"]
