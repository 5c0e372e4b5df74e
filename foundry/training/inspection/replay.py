"""A run's network as it was along the way, reading pictures that may be newer than the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foundry.data import DIGITS, normalize
from foundry.models import load_model
from foundry.models.runtime import on_narrow_thread
from foundry.training.config import TrainConfig
from foundry.training.runs import Run
from foundry.training.snapshots import list_snapshots, load_snapshot, read_step
from foundry.training.state import build_untrained


@dataclass(frozen=True)
class Moment:
    """One moment of a run at which its network can be looked at.

    Attributes:
        config: The run's.
        classes: What it tells apart.
        step: Updates before it; None of weights that were kept by a run without snapshots.
        path: Where its weights are; None before anything was trained.
    """

    config: TrainConfig
    classes: tuple[str, ...]
    step: int | None
    path: Path | None

    def load(self) -> Any:
        """Read the network as it was, in evaluation mode, float32.

        Raises:
            ArtifactError: If its file is missing or damaged.
        """
        if self.path is None:
            return build_untrained(self.config, self.classes).eval()
        if self.step is None:
            return load_model(self.path, "cpu")
        return load_snapshot(self.path, self.config, self.classes)


@dataclass(frozen=True)
class Look:
    """What a network made of pictures at a moment.

    Attributes:
        probs: float32 (N, classes); 0 where a run that diverged had weights too large for a
            snapshot.
        hidden: float32 (N, neurons): what its last layer read; 0 likewise.
    """

    probs: torch.Tensor
    hidden: torch.Tensor


@dataclass(frozen=True)
class Plane:
    """The plane in which the hidden layer of some pictures differs most.

    Attributes:
        centre: float32 (neurons,).
        axes: float32 (neurons, 2).
    """

    centre: np.ndarray
    axes: np.ndarray

    def place(self, hidden: np.ndarray) -> np.ndarray:
        """Return where pictures lie, float32 (N, 2), from their hidden layer (N, neurons)."""
        places: np.ndarray = (hidden - self.centre) @ self.axes
        return places


def list_moments(run: Run | None) -> list[Moment]:
    """Return the moments of a run, the first one first; there is at least one.

    Args:
        run: A run, which may be going on; None for the network that the default settings begin
            with.
    """
    config = run.config if run else TrainConfig()
    classes = run.classes if run else DIGITS
    paths = list_snapshots(run.snapshots_folder) if run else []
    if paths:
        return [Moment(config, classes, read_step(path), path) for path in paths]
    if run and run.has_weights:
        return [Moment(config, classes, None, run.best_folder)]
    return [Moment(config, classes, 0, None)]


@on_narrow_thread
def look_at(moment: Moment, images: torch.Tensor) -> Look:
    """Let the network as it was at a moment read pictures.

    Args:
        moment: From `list_moments()`.
        images: uint8, shape (N, 28, 28), 255 = ink.

    Raises:
        ArtifactError: As `Moment.load()`.
    """
    model = moment.load()
    with torch.inference_mode():
        hidden = model.describe(normalize(images))
        probs = model.last(hidden).softmax(dim=1)
    return Look(probs.nan_to_num(), hidden.nan_to_num(posinf=0, neginf=0))


def read_at(moment: Moment, images: torch.Tensor) -> torch.Tensor:
    """Return the probabilities alone of what `look_at()` gives."""
    return look_at(moment, images).probs


def fit_plane(hidden: np.ndarray) -> Plane:
    """Find the plane in which points lie furthest apart: their first two principal components.

    Args:
        hidden: float32 (N, neurons); two neurons at least, else the second axis is empty.
    """
    centre = hidden.mean(axis=0)
    spread = np.cov(hidden - centre, rowvar=False).reshape(hidden.shape[1], -1)
    axes = np.linalg.eigh(spread)[1][:, ::-1][:, :2]
    # Which end of an axis is which is chance: the largest part is made to point up.
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, range(axes.shape[1])])
    padded = np.zeros((hidden.shape[1], 2), np.float32)
    padded[:, : axes.shape[1]] = axes
    return Plane(centre, padded)
