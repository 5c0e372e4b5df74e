"""Fine-tunings on disk: one folder each, written by its worker, only read by the page.

Files as in `foundry.runs.folders`, `events.jsonl` with `TuneEvent`s, `state.safetensors` to go on
from. What comes out is kept with the classes, not here.
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from foundry.errors import InputError
from foundry.photos.teaching.changes import hold
from foundry.photos.teaching.projects import Project, projects_dir, read_own_project, read_project
from foundry.photos.teaching.tuning.learning import NUM_EPOCHS, TuneEvent
from foundry.runs.cleaning import remove_run
from foundry.runs.folders import (
    ACTIVE,
    EVENTS_FILE,
    AnyRun,
    create_folder,
    read_events,
    replace_text,
    runs_dir,
)
from foundry.runs.store import RunStore


@dataclass(frozen=True)
class TuneConfig:
    """What is to be fine-tuned.

    Attributes:
        project: Id of the visitor's classes.
        taught: Digest of the head that it goes on from, as `Project.digest_head()` gives it.
        seed: Of the order, and of which part of each example is seen when.
    """

    project: str
    taught: str
    seed: int = 0


@dataclass(frozen=True)
class TuneRun(AnyRun):
    """One reading of a fine-tuning's folder."""

    config: TuneConfig

    worker: ClassVar[str] = "foundry.photos.teaching.tuning.worker"

    @cached_property
    def events(self) -> list[TuneEvent]:
        """What it has said so far."""
        return [TuneEvent(**values) for values in read_events(self.folder)]

    @property
    def state_file(self) -> Path:
        """What a pause keeps."""
        return self.folder / "state.safetensors"

    @property
    def progress(self) -> float:
        """Share done, in [0, 1]."""
        return self.events[-1].share if self.events else 0.0

    @property
    def head_accuracy(self) -> float | None:
        """Share of the pictures set aside that the head alone names right; None before."""
        return next((one.val_accuracy for one in self.events if one.val_accuracy is not None), None)

    @property
    def summary(self) -> dict[str, Any]:
        """What programs are told of it."""
        last = self.events[-1] if self.events else None
        return {
            "run_id": self.run_id,
            "status": self.status,
            "reason": self.reason,
            "model": self.config.project,
            "progress": round(self.progress, 4),
            "epochs": last.epoch if last else 0,
            "num_epochs": NUM_EPOCHS,
            "train_loss": last.train_loss if last else None,
            "elapsed_s": last.elapsed_s if last else 0.0,
            **(self.result or {}),
        }


def tunings_dir() -> Path:
    """Return the folder of all fine-tunings."""
    return runs_dir() / "tunings"


TUNINGS = RunStore(tunings_dir, TuneRun, TuneConfig, "You have no fine-tuning “{}”.")


def create_tuning(project_id: str, owner: str, seed: int = 0) -> TuneRun:
    """Make the folder of a new fine-tuning, queued.

    Args:
        project_id: Of the visitor's classes.
        owner: The visitor's secret token.
        seed: As in `TuneConfig`.

    Raises:
        InputError: If the visitor has no such classes, they were not trained yet, or are being
            fine-tuned already.
        ArtifactError: If the runs folder cannot be written.
    """
    project = read_own_project(project_id, owner)
    remove_strays()
    # Another page of the visitor's may do the same.
    with hold(project) as now:
        if now.outcome is None:
            raise InputError("These classes were not trained yet; press Train first.")
        before = find_tuning(now)
        if before is not None and before.status in ACTIVE:
            raise InputError("These classes are being fine-tuned already; stop that first.")
        made = {"config": asdict(TuneConfig(now.project_id, now.digest_head(), seed))}
        return TUNINGS.read(create_folder(tunings_dir(), made, owner).name)


def find_tuning(project: Project) -> TuneRun | None:
    """Return the newest fine-tuning of a project as it is taught now; None if there is none."""
    taught = project.digest_head()
    return next(
        (
            run
            for run in TUNINGS.list_all()
            if run.owner == project.owner
            and (run.config.project, run.config.taught) == (project.project_id, taught)
        ),
        None,
    )


def remove_strays() -> None:
    """Remove the fine-tunings of classes that are gone; those under way stay."""
    for run in TUNINGS.list_all():
        if read_project(projects_dir() / run.config.project) is None:
            try:
                remove_run(run)
            except InputError:
                continue


def rewind_events(run: TuneRun, epoch: int) -> None:
    """Drop what the log holds past an epoch, because it is learned again."""
    kept = [one for one in run.events if one.epoch <= epoch] if epoch else []
    lines = [json.dumps(asdict(event), allow_nan=False) + "\n" for event in kept]
    replace_text(run.folder / EVENTS_FILE, "".join(lines))
