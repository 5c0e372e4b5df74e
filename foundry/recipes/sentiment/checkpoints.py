"""What a fine-tuning run resumes from: one safetensors file, counters in its metadata."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

STATE_FILE = "state.safetensors"


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        epoch: Whole epochs done.
        step: Optimizer updates done.
        best_loss: Lowest validation loss so far, in nats.
        epochs_since_best: Epochs done since then.
        elapsed_s: Wall-clock seconds of training, over all resumptions.
        cpu_s: Processor seconds of training, over all threads and resumptions.
    """

    epoch: int = 0
    step: int = 0
    best_loss: float = math.inf
    epochs_since_best: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0


def save_checkpoint(
    folder: Path,
    progress: Progress,
    trained: Mapping[str, nn.Parameter],
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write everything a run needs to go on.

    Args:
        folder: The run's folder.
        progress: Its counters.
        trained: Its trained parameters by name.
        average: The running average of each, under the same names.
        optimizer: Its optimizer.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in trained.items():
        tensors[f"weight/{name}"] = parameter.detach()
        tensors[f"average/{name}"] = average[name]
        for key, value in optimizer.state[parameter].items():
            tensors[f"optimizer/{key}/{name}"] = value
    # Replaced whole: a crash while writing leaves the earlier checkpoint usable.
    draft = folder / f"{STATE_FILE}.draft"
    save_file(tensors, draft, metadata={"progress": json.dumps(asdict(progress), allow_nan=False)})
    draft.replace(folder / STATE_FILE)


def resume_checkpoint(
    folder: Path,
    trained: Mapping[str, nn.Parameter],
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> Progress:
    """Put a run back where it was last saved.

    Args:
        folder: The run's folder.
        trained: The trained parameters by name; overwritten if there is a checkpoint.
        average: The running averages; overwritten too.
        optimizer: A new optimizer over `trained`; given its state back.

    Returns:
        The counters; those of a new run if there is no checkpoint.
    """
    if not (folder / STATE_FILE).is_file():
        return Progress()
    tensors = load_file(folder / STATE_FILE)
    load_weights(trained, _with_prefix(tensors, "weight/"))
    load_weights(average, _with_prefix(tensors, "average/"))
    for key in ("step", "exp_avg", "exp_avg_sq"):
        for name, value in _with_prefix(tensors, f"optimizer/{key}/").items():
            optimizer.state[trained[name]][key] = value
    return load_progress(folder)


def load_progress(folder: Path) -> Progress:
    """Read the counters of a run that was saved.

    Args:
        folder: The run's folder.

    Returns:
        The counters.
    """
    with safe_open(folder / STATE_FILE, framework="pt") as file:
        return Progress(**json.loads(file.metadata()["progress"]))


def load_weights(targets: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Copy weights into tensors of the same names, in place.

    Args:
        targets: The tensors to overwrite.
        weights: Their new values; must have every name in `targets`.
    """
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(weights[name])


@contextmanager
def weights_swapped(
    trained: Mapping[str, nn.Parameter], other: Mapping[str, Tensor]
) -> Iterator[None]:
    """Put other weights in place of a network's for a while.

    Args:
        trained: The network's, by name.
        other: Under the same names.
    """
    kept = {name: parameter.detach().clone() for name, parameter in trained.items()}
    load_weights(trained, other)
    try:
        yield
    finally:
        load_weights(trained, kept)


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
