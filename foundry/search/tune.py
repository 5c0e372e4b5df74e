"""A search on Ray Tune: what a trial does, what chooses it, what stops it, what writes it down.

Everything that Tune pickles with the experiment holds paths and settings only, so that a search
that was killed can be restored by another process.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import optuna
import torch
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import BasicVariantGenerator, SearchAlgorithm, Searcher
from ray.tune.search.optuna import OptunaSearch

from foundry.errors import ArtifactError, DivergedError
from foundry.models.networks import count_parameters
from foundry.runs.data_sets import load_data
from foundry.runs.folders import append_event
from foundry.search.config import (
    CHOICES,
    LOGARITHMIC,
    READINGS_PER_EPOCH,
    REDUCTION_FACTOR,
    SearchConfig,
    SearchEvent,
    TrialState,
)
from foundry.search.runs import (
    STOP_FILE,
    TRIAL_THREADS,
    TUNE_FOLDER,
    list_trials,
    read_search_events,
)
from foundry.training import TrainConfig, TrainState, train
from foundry.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from foundry.training.evaluation import evaluate
from foundry.training.runs import CHECKPOINTS_FOLDER

# Inside an epoch: enough to tell a bad setting, in a fifth of the time.
_NUM_GLANCED = 1000
# A trial whose machine is lost goes on elsewhere.
_MAX_FAILURES = 3
# Tune's state on the disk is up to a second old, and names the checkpoint that was the newest then.
_NUM_KEPT = 2
# A search that an earlier version left behind names its classes by the modules they were in then.
_FORMER_MODULES = {
    "foundry.search_tune": __name__,
    "foundry.search_config": "foundry.search.config",
    "foundry.train_config": "foundry.training.config",
}
_HAS_DIVERGED = "has_diverged"
# What is minimised beside the accuracy, which is maximised.
_COSTS = {"accuracy-seconds": "train_s", "accuracy-parameters": "parameters"}


def train_trial(values: Mapping[str, Any]) -> None:
    """Train one trial, reporting to Tune; goes on from its checkpoint if it has one.

    A checkpoint is laid out as the folder of a run, which a trial can become. A trial that diverges
    says so in its last report: an error would make Tune try the same again.

    Args:
        values: All of `TrainConfig`'s fields.
    """
    torch.set_num_threads(TRIAL_THREADS)
    config = TrainConfig(**values)
    data = load_data(config.dataset)
    glanced = data.val.head(_NUM_GLANCED)
    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder)
        kept = tune.get_checkpoint()
        if kept:
            kept.to_directory(folder)
        checkpoint = find_checkpoint(run_folder / CHECKPOINTS_FOLDER)
        state = (
            load_checkpoint(checkpoint) if checkpoint else TrainState(config, classes=data.classes)
        )
        reading = _count_readings(state)
        try:
            for event in train(state, data):
                append_event(run_folder, event)
                if _count_readings(state) == reading:
                    continue
                reading = _count_readings(state)
                accuracy = event.val_accuracy
                if accuracy is None:
                    accuracy = evaluate(state.model, glanced).accuracy
                save_checkpoint(state, run_folder / CHECKPOINTS_FOLDER)
                report = _report(state, reading, accuracy)
                tune.report(report, checkpoint=tune.Checkpoint.from_directory(folder))
        except DivergedError:
            # The worst there is, for whatever chooses the next trials by what came out.
            tune.report({**_report(state, reading + 1, 0.0), _HAS_DIVERGED: True})


def _report(state: TrainState, reading: int, val_accuracy: float) -> dict[str, Any]:
    return {
        "reading": reading,
        "epoch": state.step / state.steps_per_epoch,
        "val_accuracy": val_accuracy,
        "train_s": state.elapsed_s,
        "parameters": count_parameters(state.model),
    }


def _count_readings(state: TrainState) -> int:
    return state.step * READINGS_PER_EPOCH // state.steps_per_epoch


class _Clock:
    """Seconds since a search began, without the time in which it was down."""

    def __init__(self, folder: Path, elapsed_s: float) -> None:
        self._folder = folder
        events = read_search_events(folder)
        logged_s = events[-1].elapsed_s if events else 0.0
        self._began = time.monotonic() - max(logged_s, elapsed_s)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has another clock.
        return _Clock, (self._folder, self.read())

    def read(self) -> float:
        return time.monotonic() - self._began


class _Log(tune.Callback):
    """Appends a `SearchEvent` whenever a trial has moved."""

    def __init__(self, config: SearchConfig, folder: Path, clock: _Clock) -> None:
        self._config, self._folder, self._clock = config, folder, clock

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **_: Any) -> None:
        self._add(trial, "running", trial.last_result or {})

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **_: Any
    ) -> None:
        if not result.get(_HAS_DIVERGED):
            self._add(trial, "running", result)

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: Any
    ) -> None:
        result = trial.last_result or {}
        if result.get(_HAS_DIVERGED):
            self._add(trial, "diverged", {**result, "val_accuracy": None})
            return
        is_done = result.get("epoch", 0) >= self._config.epochs
        self._add(trial, "done" if is_done else "stopped early", result)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **_: Any) -> None:
        self._add(trial, "failed", trial.last_result or {})

    def on_experiment_end(self, trials: list[Trial], **_: Any) -> None:
        # What began in the last moment before a kill is known to this log alone.
        for one in list_trials(read_search_events(self._folder)):
            if one.last.state == "running":
                ended = replace(one.last, state="stopped early", elapsed_s=self._clock.read())
                append_event(self._folder, ended)

    def _add(self, trial: Trial, state: TrialState, result: Mapping[str, Any]) -> None:
        event = SearchEvent(
            trial_id=trial.trial_id,
            state=state,
            settings={name: trial.config[name] for name in self._config.searched},
            epoch=result.get("epoch", 0.0),
            val_accuracy=result.get("val_accuracy"),
            train_s=result.get("train_s", 0.0),
            parameters=result.get("parameters"),
            elapsed_s=self._clock.read(),
        )
        append_event(self._folder, event)


class _End(tune.Stopper):
    """Ends a search when its time is over, or when it is told to."""

    def __init__(self, config: SearchConfig, folder: Path, clock: _Clock) -> None:
        self._limit_s, self._folder, self._clock = 60 * config.minutes, folder, clock

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        is_over = 0 < self._limit_s <= self._clock.read()
        return is_over or (self._folder / STOP_FILE).exists()


def _name_folder(trial: Trial) -> str:
    return trial.trial_id


def _build_space(config: SearchConfig) -> dict[str, Any]:
    """Return what Tune draws settings from: distributions for what is searched, values for all."""
    space: dict[str, Any] = asdict(config.train_config({}))
    for name in config.searched:
        if name in CHOICES:
            space[name] = tune.choice(list(getattr(config, name)))
            continue
        low, high = getattr(config, name)
        if name == "batch_size":
            # Tune leaves the upper end of whole numbers out.
            space[name] = tune.lograndint(low, high + 1)
        elif name in LOGARITHMIC and low > 0:
            space[name] = tune.loguniform(low, high)
        else:
            space[name] = tune.uniform(low, high)
    return space


def _build_sampler(config: SearchConfig) -> Searcher | SearchAlgorithm:
    if config.sampler == "random":
        return BasicVariantGenerator(random_state=config.seed)
    cost = _COSTS.get(config.objective)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if cost:
        return OptunaSearch(metric=["val_accuracy", cost], mode=["max", "min"], seed=config.seed)
    return OptunaSearch(metric="val_accuracy", mode="max", seed=config.seed)


def _build_scheduler(config: SearchConfig) -> TrialScheduler:
    if config.sampler == "random":
        return FIFOScheduler()
    return ASHAScheduler(
        time_attr="reading",
        metric="val_accuracy",
        mode="max",
        max_t=READINGS_PER_EPOCH * config.epochs,
        grace_period=1,
        reduction_factor=REDUCTION_FACTOR,
    )


def build_tuner(config: SearchConfig, folder: Path, elapsed_s: float) -> tune.Tuner:
    """Build a tuner, or restore the one that a killed process left in the search's folder.

    Args:
        config: What is to be searched.
        folder: The search's; Tune's own files go to a folder inside.
        elapsed_s: What has been spent on starting Ray, which counts.

    Raises:
        ArtifactError: If what was left is damaged, or another version's.
    """
    trainable = tune.with_resources(train_trial, {"cpu": 1})
    storage = folder.resolve()
    kept = str(storage / TUNE_FOLDER)
    # Killed in its first second, Tune has left its settings but no state.
    if tune.Tuner.can_restore(kept) and any(Path(kept).glob("experiment_state-*.json")):
        return _restore(kept, trainable)
    clock = _Clock(storage, elapsed_s)
    return tune.Tuner(
        trainable,
        param_space=_build_space(config),
        tune_config=tune.TuneConfig(
            search_alg=_build_sampler(config),
            scheduler=_build_scheduler(config),
            # -1: until the time is over.
            num_samples=config.num_trials or -1,
            # A new process would import torch anew for every trial.
            reuse_actors=True,
            trial_dirname_creator=_name_folder,
        ),
        run_config=tune.RunConfig(
            name=TUNE_FOLDER,
            storage_path=str(storage),
            stop=_End(config, storage, clock),
            callbacks=[_Log(config, storage, clock)],
            checkpoint_config=tune.CheckpointConfig(num_to_keep=_NUM_KEPT),
            failure_config=tune.FailureConfig(max_failures=_MAX_FAILURES),
            verbose=0,
        ),
    )


def _restore(kept: str, trainable: Any) -> tune.Tuner:
    for former, current in _FORMER_MODULES.items():
        sys.modules.setdefault(former, sys.modules[current])
    try:
        return tune.Tuner.restore(kept, trainable, resume_errored=True)
    # It is a pickle, which fails in as many ways as there are classes.
    except Exception as error:
        raise ArtifactError(
            f"This search cannot go on: what was kept in {kept} is damaged, or of another version "
            f"({type(error).__name__}). Start a new one; trials that ended can still become runs."
        ) from error
