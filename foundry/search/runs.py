"""Searches on disk: each a folder with `SearchEvent`s, and Tune's own files.

Folders are as `foundry.runs.folders` has them.

tune/TRIAL/checkpoint_*/    a trial's newest checkpoint, laid out as the folder of a run
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from foundry.errors import InputError
from foundry.models import save_model
from foundry.runs.cluster import require_ray
from foundry.runs.data_sets import MNIST, is_kept, read_about
from foundry.runs.folders import (
    ACTIVE,
    AnyRun,
    create_folder,
    estimate_remaining_s,
    read_events,
    runs_dir,
    whole_or_gone,
)
from foundry.runs.store import RunStore
from foundry.search.config import SearchConfig, SearchEvent, TrialState
from foundry.training.checkpoints import find_checkpoint, load_checkpoint
from foundry.training.runs import CHECKPOINTS_FOLDER, Run, create_run, read_run
from foundry.training.worker import finish_run

TUNE_FOLDER = "tune"
STOP_FILE = "stop"
_ENDED: tuple[TrialState, ...] = ("done", "stopped early", "diverged")
# A trial has one processor; more threads would be taken from the other trials.
TRIAL_THREADS = 1


@dataclass(frozen=True)
class Trial:
    """A row of the table.

    Attributes:
        number: Counts from 1 in the order in which trials began.
        last: Its newest reading.
        accuracy: The best validation accuracy at an epoch's end, in [0, 1]; while no epoch has
            ended, that of the newest reading.
    """

    number: int
    last: SearchEvent
    accuracy: float | None

    @property
    def epochs(self) -> int:
        """Epochs completed."""
        return int(self.last.epoch)


@dataclass(frozen=True)
class SearchRun(AnyRun):
    """One reading of a search's folder."""

    config: SearchConfig

    worker: ClassVar[str] = "foundry.search.worker"

    @cached_property
    def events(self) -> list[SearchEvent]:
        """What it has said so far."""
        return read_search_events(self.folder)

    @cached_property
    def trials(self) -> list[Trial]:
        """The table, in the order in which trials began."""
        return list_trials(self.events)

    @property
    def elapsed_s(self) -> float:
        """Seconds until the last event."""
        return self.events[-1].elapsed_s if self.events else 0.0

    @property
    def summary(self) -> dict[str, Any]:
        """What programs are told of it; with the table once it has ended."""
        best = self.best
        summary: dict[str, Any] = {
            "run_id": self.run_id,
            "status": self.status,
            "progress": round(self.progress, 4),
            "remaining_s": self.remaining_s,
            "num_trials": len(self.trials),
            "best_accuracy": best.accuracy if best else None,
            "elapsed_s": self.elapsed_s,
        }
        return summary if self.status in ACTIVE else summary | {"trials": self.rows}

    @property
    def progress(self) -> float:
        """Share done, in [0, 1]: of the time or of the trials, whichever ends first."""
        if self.status == "done":
            return 1.0
        shares = []
        if self.config.minutes:
            shares.append(self.elapsed_s / (60 * self.config.minutes))
        if self.config.num_trials:
            done = (
                1.0 if one.last.state != "running" else one.last.epoch / self.config.epochs
                for one in self.trials
            )
            shares.append(sum(done) / self.config.num_trials)
        return min(1.0, max(shares))

    @property
    def remaining_s(self) -> float | None:
        """Estimated seconds to go, None before the first event."""
        return estimate_remaining_s(self.elapsed_s, self.progress)

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials by validation accuracy; those without a whole epoch come last."""
        return sorted(self.trials, key=lambda one: (one.epochs == 0, -(one.accuracy or 0.0)))

    @property
    def best(self) -> Trial | None:
        """The trial with the best validation accuracy; None before the first reading."""
        return next((one for one in self.ranked if one.accuracy is not None), None)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The table as plain values, the best first."""
        return [self._row(trial) for trial in self.ranked]

    def _row(self, trial: Trial) -> dict[str, Any]:
        last = trial.last
        return {
            "trial_id": last.trial_id,
            "number": trial.number,
            "state": last.state,
            "val_accuracy": trial.accuracy,
            "epochs": last.epoch,
            "train_s": last.train_s,
            "parameters": last.parameters,
            **last.settings,
        }


def read_search_events(folder: Path) -> list[SearchEvent]:
    """Return what a search's log holds."""
    return [SearchEvent(**values) for values in read_events(folder)]


def list_trials(events: Sequence[SearchEvent]) -> list[Trial]:
    """Return one row for every trial, in the order in which they began."""
    last: dict[str, SearchEvent] = {}
    best: dict[str, float] = {}
    for event in events:
        # Once ended, a trial stays so: Tune may not have noted it before a kill, and tries again.
        if event.trial_id in last and last[event.trial_id].state in _ENDED:
            continue
        last[event.trial_id] = event
        if event.val_accuracy is not None and event.epoch == int(event.epoch):
            best[event.trial_id] = max(event.val_accuracy, best.get(event.trial_id, 0.0))
    return [
        Trial(number, event, best.get(trial_id, event.val_accuracy))
        for number, (trial_id, event) in enumerate(last.items(), 1)
    ]


def searches_dir() -> Path:
    """Return the folder of all searches."""
    return runs_dir() / "searches"


def create_search(config: SearchConfig, owner: str) -> SearchRun:
    """Make the folder of a new search, queued.

    Args:
        config: What is to be searched.
        owner: The visitor's secret token.

    Raises:
        InputError: If Ray is not installed, or the visitor has no such data set.
        ArtifactError: If the runs folder cannot be written.
    """
    require_ray("Search")
    made = {"config": asdict(fit_search(config, owner))}
    return read_search(create_folder(searches_dir(), made, owner).name)


def fit_search(config: SearchConfig, owner: str) -> SearchConfig:
    """Return a search that uses as many training images as its data set has.

    Args:
        config: What is to be searched.
        owner: The visitor's secret token.

    Raises:
        InputError: If the visitor has no such data set.
    """
    if config.dataset == MNIST:
        return config
    return config.fit(read_about(config.dataset, owner).num_train)


SEARCHES = RunStore(searches_dir, SearchRun, SearchConfig, "You have no search “{}”.")
read_search, read_own_search = SEARCHES.read, SEARCHES.read_own
list_searches, list_own_searches = SEARCHES.list_all, SEARCHES.list_own
follow_search = SEARCHES.follow


def adopt_trial(search: SearchRun, trial_id: str, owner: str) -> Run:
    """Make a trial an ordinary run, measured on the test split; the second time gives the same run.

    Args:
        search: The search of the trial.
        trial_id: One of its trials that has ended.
        owner: The visitor's secret token.

    Raises:
        InputError: If there is no such trial, or it is under way, or it has nothing to keep, or the
            data set that it learned was removed since.
        ArtifactError: If its checkpoint is damaged, or the runs folder cannot be written.
    """
    note = search.folder / f"run-of-{_check_trial(search, trial_id)}"
    if note.exists():
        try:
            return read_run(note.read_text())
        except InputError:
            # It has been removed since.
            note.unlink()
    checkpoint = find_trial_checkpoint(search, trial_id)
    state = load_checkpoint(checkpoint)
    if state.config.dataset != MNIST and not is_kept(state.config.dataset):
        raise InputError(
            "The data set that this trial learned was removed since, and a run is measured on it; "
            "bring its file again under Your own data."
        )
    run = create_run(state.config, owner, "cpu")
    with whole_or_gone(run.folder):
        # What Tune keeps of a trial is laid out as a run's folder.
        shutil.copytree(checkpoint.parent.parent, run.folder, dirs_exist_ok=True)
        if state.best_epoch:
            save_model(state.best_model(), run.best_folder)
        finish_run(run, state, "done" if state.is_finished else "stopped", TRIAL_THREADS)
        note.write_text(run.run_id)
    return read_run(run.run_id)


def find_trial_checkpoint(search: SearchRun, trial_id: str) -> Path:
    """Return the newest checkpoint of a trial.

    Args:
        search: The search of the trial.
        trial_id: One of its trials.

    Raises:
        InputError: If it ended before it had one.
    """
    kept = (search.folder / TUNE_FOLDER / trial_id).glob("checkpoint_*")
    found = [find_checkpoint(folder / CHECKPOINTS_FOLDER) for folder in sorted(kept)]
    if not found or found[-1] is None:
        raise InputError("This trial ended before its first reading; there is nothing to keep.")
    return found[-1]


def _check_trial(search: SearchRun, trial_id: str) -> str:
    trial = next((one for one in search.trials if one.last.trial_id == trial_id), None)
    if trial is None:
        raise InputError(f"This search has no trial “{str(trial_id)[:100]}”.")
    if trial.last.state == "running" and search.status in ACTIVE:
        raise InputError("This trial is under way; it can become a run once it has ended.")
    return trial_id
