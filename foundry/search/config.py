"""What a search may try, how long, and what it looks for; the events that it yields."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from foundry.errors import InputError
from foundry.models import available_architectures
from foundry.runs.data_sets import MNIST
from foundry.training import TrainConfig
from foundry.training.config import LIMITS

OBJECTIVES = {
    "accuracy": "Validation accuracy",
    "accuracy-seconds": "Validation accuracy against training seconds",
    "accuracy-parameters": "Validation accuracy against parameters",
}
SAMPLERS = ("optuna", "random")
# Knobs with a range, and knobs with a choice.
RANGES = ("width", "learning_rate", "batch_size", "weight_decay", "label_smoothing", "dropout")
CHOICES = ("model", "optimizer", "schedule")
# Searched by their order of magnitude, where the range does not begin at zero.
LOGARITHMIC = ("width", "learning_rate", "batch_size", "weight_decay")
# How often a trial says how it does, and ASHA may stop it. Half an epoch shows a bad setting;
# sooner, a one-cycle schedule still warms up, and loses to constant ones that it beats in the end.
READINGS_PER_EPOCH = 2
# Of the trials that have come as far, one in so many goes on.
REDUCTION_FACTOR = 2
MAX_TRIALS = 500
MAX_MINUTES = 240.0

TrialState = Literal["running", "done", "stopped early", "diverged", "failed"]


@dataclass(frozen=True)
class SearchConfig:
    """Everything that decides what a search does.

    Attributes:
        model: Architectures to choose from.
        width: Lowest and highest factor on a network's filters and hidden neurons; equal ends fix
            a knob, as in every range.
        learning_rate: Lowest and highest step size.
        batch_size: Images per update.
        weight_decay: L2 penalty.
        label_smoothing: Probability mass taken from the right label.
        dropout: Probability of dropping a hidden neuron.
        optimizer: Optimizers to choose from.
        schedule: Schedules to choose from.
        epochs: Of a trial that is not stopped early.
        num_train_images: How many of the training images a trial learns from.
        num_trials: The search ends after so many; 0 for no such end.
        minutes: The search ends after so long; 0 for no such end. One of both has to be set.
        objective: A key of `OBJECTIVES`; against something means both at once.
        sampler: `optuna` chooses by what came out so far (TPE), with trials that lag behind
            stopped early (ASHA); `random` chooses blindly and takes each to its end.
        seed: Seeds the choices, and every trial.
        dataset: What every trial learns: `mnist`, or the id of a data set that somebody brought.

    Raises:
        InputError: On a value that is not accepted; names the knob.
    """

    model: tuple[str, ...] = ("lenet",)
    width: tuple[float, float] = (1.0, 1.0)
    learning_rate: tuple[float, float] = (2e-3, 4e-2)
    batch_size: tuple[int, int] = (64, 1024)
    weight_decay: tuple[float, float] = (1e-3, 0.1)
    label_smoothing: tuple[float, float] = (0.0, 0.1)
    dropout: tuple[float, float] = (0.0, 0.1)
    optimizer: tuple[str, ...] = ("adamw", "adam")
    schedule: tuple[str, ...] = ("one-cycle", "constant")
    epochs: int = 3
    num_train_images: int = TrainConfig.num_train_images
    num_trials: int = 0
    minutes: float = 3.0
    objective: str = "accuracy"
    sampler: str = "optuna"
    seed: int = 0
    dataset: str = MNIST

    def __post_init__(self) -> None:
        """Check every value, with tuples for lists and one representation for each number."""
        for name in ("dataset", "epochs", "num_train_images", "seed"):
            object.__setattr__(self, name, _check(name, getattr(self, name), self.dataset))
        for name in RANGES:
            object.__setattr__(self, name, _check_range(name, getattr(self, name)))
        for name in CHOICES:
            object.__setattr__(self, name, _check_choices(name, getattr(self, name)))
        trials = _check_length("num_trials", self.num_trials, MAX_TRIALS)
        if trials % 1:
            raise InputError(f"num_trials is {self.num_trials}; a whole number is accepted.")
        object.__setattr__(self, "num_trials", int(trials))
        minutes = _check_length("minutes", self.minutes, MAX_MINUTES)
        object.__setattr__(self, "minutes", minutes)
        if not self.num_trials and not self.minutes:
            raise InputError("A search needs an end: set num_trials or minutes above 0.")
        _check_name("objective", self.objective, tuple(OBJECTIVES))
        _check_name("sampler", self.sampler, SAMPLERS)
        if self.objective == "accuracy-parameters" and not {"model", "width"} & set(self.searched):
            raise InputError(
                "Accuracy against parameters needs networks of different sizes to try: a range of "
                f"width, or more than one model of {', '.join(available_architectures())}."
            )

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the knobs that differ between trials."""
        ranges = [name for name in RANGES if len(set(getattr(self, name))) > 1]
        return (*(name for name in CHOICES if len(getattr(self, name)) > 1), *ranges)

    @property
    def rungs(self) -> tuple[float, ...]:
        """After how many epochs one in `REDUCTION_FACTOR` trials goes on; none if all do.

        Source: Li et al., A System for Massively Parallel Hyperparameter Tuning, 2020, algorithm 2.
        """
        readings, found = 1, []
        while self.sampler == "optuna" and readings < READINGS_PER_EPOCH * self.epochs:
            found.append(readings / READINGS_PER_EPOCH)
            readings *= REDUCTION_FACTOR
        return tuple(found)

    def widen(self, factor: float) -> "SearchConfig":
        """Return the same search with its ranges wider on both sides, within what is accepted.

        What is fixed stays so.

        Args:
            factor: By which the lowest is divided and the highest multiplied.
        """
        wider: dict[str, Any] = {}
        for name in RANGES:
            (low, high), (lowest, highest) = getattr(self, name), LIMITS[name]
            if low == high:
                continue
            ends = max(lowest, low / factor), min(highest, high * factor)
            wider[name] = tuple(map(round, ends)) if name == "batch_size" else ends
        return SearchConfig(**(asdict(self) | wider))

    def train_config(self, settings: dict[str, Any]) -> TrainConfig:
        """Return the settings of one trial.

        Args:
            settings: Values of the searched knobs.
        """
        fixed = {name: getattr(self, name)[0] for name in (*RANGES, *CHOICES)}
        names = ("epochs", "num_train_images", "seed", "dataset")
        same = {name: getattr(self, name) for name in names}
        return TrainConfig(**(fixed | same | settings))

    def fit(self, num_images: int) -> "SearchConfig":
        """Return the same search for a data set that somebody brought.

        Args:
            num_images: As `TrainConfig.fit()` takes it.
        """
        return replace(
            self, num_train_images=self.train_config({}).fit(num_images).num_train_images
        )


@dataclass(frozen=True)
class SearchEvent:
    """One reading of one trial.

    Attributes:
        trial_id: Names the trial, and its folder.
        state: Where the trial stands; `stopped early` by ASHA, or by the end of the search;
            `diverged` if its loss was no longer finite.
        settings: Values of the searched knobs.
        epoch: How far it has come, in epochs.
        val_accuracy: In [0, 1]; at the end of an epoch on the whole validation split, inside one
            on a fifth of it. None before the first reading.
        train_s: Seconds of training and validation so far.
        parameters: Of its network; None before the first reading.
        elapsed_s: Since the search began, without the time in which it was down.
    """

    trial_id: str
    state: TrialState
    settings: dict[str, Any]
    epoch: float
    val_accuracy: float | None
    train_s: float
    parameters: int | None
    elapsed_s: float


def _check(name: str, value: Any, dataset: str = MNIST) -> Any:
    """Return a value of one knob as `TrainConfig` has it, or raise its sentence."""
    return getattr(TrainConfig(**{"dataset": dataset, name: value}), name)


def _check_range(name: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise InputError(f"{name} is “{value}”; a range is accepted: its lowest and its highest.")
    low, high = (_check(name, end) for end in value)
    if low > high:
        raise InputError(f"{name} goes from {low:g} to {high:g}; the lowest has to come first.")
    return low, high


def _check_choices(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise InputError(f"{name} is “{value}”; a list of at least one choice is accepted.")
    return tuple(dict.fromkeys(_check(name, choice) for choice in value))


def _check_length(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InputError(f"{name} is “{value}”; a number from 0 to {most:g} is accepted.")
    return float(value)


def _check_name(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise InputError(f"{name} is “{value}”, but only {', '.join(accepted)} are accepted.")


FIELDS = tuple(field.name for field in fields(SearchConfig))
