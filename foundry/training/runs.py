"""Training runs on disk: each a folder with `TrainEvent`s, and five things more.

Folders are as `foundry.runs.folders` has them.

checkpoints/               to go on from
snapshots/                 the weights along the way, to be looked at
best/                      the kept weights with their configuration
best-pruned/               what a compression has left of them, if there was one
test_probs.safetensors     what they made of the test split, beside `result.json`
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file, save_file

from foundry.data import DIGITS, DataSet
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.runs.data_sets import MNIST, load_data, read_about
from foundry.runs.folders import (
    EVENTS_FILE,
    RESULT_FILE,
    AnyRun,
    Standing,
    create_folder,
    estimate_remaining_s,
    read_events,
    read_result,
    replace_text,
    runs_dir,
    write_json,
)
from foundry.runs.store import RunStore
from foundry.training.config import TrainConfig
from foundry.training.loop import TrainEvent

CHECKPOINTS_FOLDER = "checkpoints"
# What a worker is told that is to make one update and to pause.
STEP = "step"
_TEST_PROBS_FILE = "test_probs.safetensors"


@dataclass(frozen=True)
class Run(AnyRun):
    """One reading of a training run's folder.

    Attributes:
        device: Where it trains.
        classes: What it learns to tell apart, in the order of the labels.
        preparation: How its data was made of pictures, as `About` has it.
        start: What it went on from, a model's name or a run's id; empty if from random weights.
    """

    config: TrainConfig
    device: str
    # Those of earlier versions are all of digits.
    classes: tuple[str, ...] = field(default=DIGITS, kw_only=True)
    preparation: str = field(default="", kw_only=True)
    start: str = field(default="", kw_only=True)

    worker: ClassVar[str] = "foundry.training.worker"

    def __post_init__(self) -> None:
        """Take for failed what an earlier version went on with after it had diverged."""
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.status in ("done", "stopped") and self._has_lost_its_loss:
            standing = Standing("failed", "its loss was not finite: it diverged", True)
            for name, value in standing._asdict().items():
                object.__setattr__(self, name, value)

    @property
    def _has_lost_its_loss(self) -> bool:
        result = read_result(self.folder)
        return result is not None and result["test_loss"] is None

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """What came out, once it has ended; nothing does of what has diverged."""
        return None if self.is_final else read_result(self.folder)

    @property
    def best_folder(self) -> Path:
        """Folder of the kept weights; empty until the first epoch ends."""
        return self.folder / "best"

    @property
    def pruned_folder(self) -> Path:
        """Folder of their pruned form, where `find_pruned()` looks for it."""
        return self.best_folder.with_name(f"{self.best_folder.name}-pruned")

    @property
    def checkpoints_folder(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / CHECKPOINTS_FOLDER

    @property
    def snapshots_folder(self) -> Path:
        """Folder of the snapshots; runs of earlier versions and of searches have none."""
        return self.folder / "snapshots"

    @property
    def has_weights(self) -> bool:
        """Whether an epoch has ended, so that there is something to draw with."""
        return (self.best_folder / WEIGHTS_FILE).exists()

    @cached_property
    def events(self) -> list[TrainEvent]:
        """What the run has said so far; a line still being written is left for next time."""
        return [TrainEvent(**values) for values in read_events(self.folder)]

    @property
    def stopped_early(self) -> bool:
        """Whether validation stopped improving before the last epoch."""
        return self.status == "done" and self.events[-1].epoch < self.config.epochs

    @property
    def test_probs(self) -> torch.Tensor:
        """What the kept weights made of the test split, float32 (N, classes)."""
        return load_file(self.folder / _TEST_PROBS_FILE)["probs"]

    @property
    def is_on_mnist(self) -> bool:
        """Whether it learns the digits alone, rather than what a visitor brought or added."""
        return self.config.dataset == MNIST and self.classes == DIGITS

    @property
    def has_own_data(self) -> bool:
        """Whether it learns a data set that a visitor brought."""
        return self.config.dataset != MNIST

    @property
    def data(self) -> DataSet:
        """What it learns from.

        Raises:
            ArtifactError: If a visitor brought it and it is gone.
        """
        return load_data(self.config.dataset)

    @property
    def progress(self) -> float:
        """Share of the steps done, in [0, 1]."""
        return self.events[-1].step / self.events[-1].num_steps if self.events else 0.0

    @property
    def summary(self) -> dict[str, Any]:
        """What programs are told of it; with the test figures once it has ended."""
        last = self.events[-1] if self.events else None
        return {
            "run_id": self.run_id,
            "status": self.status,
            "reason": self.reason,
            "model": self.config.model,
            "progress": round(self.progress, 4),
            "epochs": last.epoch if last else 0,
            "train_loss": last.train_loss if last else None,
            "images_per_s": last.images_per_s if last else None,
            "elapsed_s": last.elapsed_s if last else 0.0,
            **(self.result or {}),
        }

    @property
    def remaining_s(self) -> float | None:
        """Estimated seconds to go, None before the first event."""
        elapsed_s = self.events[-1].elapsed_s if self.events else 0.0
        return estimate_remaining_s(elapsed_s, self.progress)


TRAININGS = RunStore(
    runs_dir, Run, TrainConfig, "You have no run “{}”; list_runs gives the ones there are."
)
read_run, read_own_run = TRAININGS.read, TRAININGS.read_own
list_runs, list_own_runs = TRAININGS.list_all, TRAININGS.list_own
follow_run = TRAININGS.follow


def create_run(config: TrainConfig, owner: str, device: str = "auto") -> Run:
    """Make the folder of a new run, queued.

    Args:
        config: Its settings.
        owner: The visitor's secret token.
        device: As `select_device()` takes it.

    Raises:
        InputError: If the token is empty or no text: then the run would be nobody's. Or if the
            visitor has no such data set.
        ArtifactError: If the runs folder cannot be written.
    """
    made: dict[str, Any] = {"device": device}
    if config.dataset != MNIST:
        about = read_about(config.dataset, owner)
        config = config.fit(about.num_train)
        made |= {"classes": about.classes, "preparation": about.preparation}
    made["config"] = asdict(config)
    return read_run(create_folder(runs_dir(), made, owner).name)


def write_result(folder: Path, result: Mapping[str, Any], test_probs: torch.Tensor) -> None:
    """Record a run's final figures and the probabilities, float32 (N, classes), behind them."""
    save_file({"probs": test_probs}, folder / _TEST_PROBS_FILE)
    write_json(folder / RESULT_FILE, result)


def rewind_events(run: Run, step: int) -> None:
    """Drop what the log holds past a step, because training goes on from there."""
    kept = [
        json.dumps(asdict(event), allow_nan=False) + "\n"
        for event in run.events
        if event.step <= step
    ]
    replace_text(run.folder / EVENTS_FILE, "".join(kept))
