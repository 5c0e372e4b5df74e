"""The knobs of a training run, what each accepts, and the presets."""

from dataclasses import dataclass, fields, replace
from typing import Any

from foundry.data import NUM_TRAIN
from foundry.data.own.found import MAX_PICTURES
from foundry.errors import InputError
from foundry.models import available_architectures
from foundry.runs.data_sets import MNIST, is_data_id

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "one-cycle")

# Accepted (lowest, highest) value of each numeric knob, for validation and for the page's sliders.
LIMITS: dict[str, tuple[float, float]] = {
    "width": (0.25, 2.0),
    "epochs": (1, 100),
    "batch_size": (8, 2048),
    "learning_rate": (1e-6, 1.0),
    "weight_decay": (0.0, 1.0),
    "dropout": (0.0, 0.9),
    "label_smoothing": (0.0, 0.5),
    "rotation_deg": (0.0, 45.0),
    "shift_px": (0.0, 6.0),
    "scale": (0.0, 0.5),
    "patience": (0, 100),
    "epsilon": (0.0, 0.5),
    "num_train_images": (500, NUM_TRAIN),
    "seed": (0, 2**31 - 1),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "model": tuple(available_architectures()),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's numbers.

    Attributes:
        model: Architecture to train.
        width: Factor on its filters and hidden neurons, each rounded to a whole number.
        epochs: Passes over the training images.
        batch_size: Images per optimizer update.
        optimizer: `adam`, `adamw` or `sgd` (momentum 0.9).
        learning_rate: Step size; with the one-cycle schedule, its peak.
        schedule: `constant` or `one-cycle`.
        weight_decay: L2 penalty (decoupled with AdamW).
        dropout: Probability of dropping a hidden neuron.
        label_smoothing: Probability mass taken from the right label and spread over all.
        rotation_deg: Largest random rotation, degrees.
        shift_px: Largest random shift, pixels.
        scale: Largest random relative change of size.
        patience: Stop after this many epochs without a better validation accuracy; 0 = never.
        epsilon: FGSM step in pixel intensity for adversarial training; 0 = none.
        num_train_images: How many of the training images are used; MNIST has 55,000.
        seed: Seeds the weights, the order of the images, dropout and augmentation.
        dataset: `mnist`, or the id of a data set that somebody brought.

    Raises:
        InputError: On a value that is out of range or not a number; names the knob.
    """

    model: str = "lenet"
    width: float = 1.0
    epochs: int = 3
    batch_size: int = 384
    optimizer: str = "adamw"
    learning_rate: float = 1.4e-2
    schedule: str = "one-cycle"
    weight_decay: float = 0.01
    dropout: float = 0.0
    label_smoothing: float = 0.05
    rotation_deg: float = 0.0
    shift_px: float = 0.0
    scale: float = 0.0
    patience: int = 0
    epsilon: float = 0.0
    num_train_images: int = NUM_TRAIN
    seed: int = 0
    dataset: str = MNIST

    def __post_init__(self) -> None:
        """Check every knob, turning `3.0` into `3` where a whole number is wanted."""
        if self.dataset != MNIST and not is_data_id(self.dataset):
            raise InputError(
                f"dataset is “{self.dataset}”; “{MNIST}” or the id of a data set of yours is "
                "accepted."
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "dataset":
                continue
            if field.name in _CHOICES:
                _check_choice(field.name, value)
            else:
                whole = isinstance(field.default, int)
                limits = LIMITS[field.name]
                if field.name == "num_train_images" and self.dataset != MNIST:
                    limits = (1, MAX_PICTURES)
                object.__setattr__(
                    self, field.name, _check_number(field.name, value, whole, limits)
                )

    def fit(self, num_images: int) -> "TrainConfig":
        """Return the same settings for a data set that somebody brought.

        Args:
            num_images: Training images that it has. As many as MNIST has, or more, stands for all.
        """
        asked = self.num_train_images
        used = num_images if asked >= NUM_TRAIN else min(asked, num_images)
        return replace(self, num_train_images=used)


def describe_limits(name: str) -> str:
    """Return what a numeric knob accepts in plain digits: `0.000001 to 1`."""
    return _describe(LIMITS[name])


def _describe(limits: tuple[float, float]) -> str:
    lowest, highest = (f"{limit:,.6f}".rstrip("0").rstrip(".") for limit in limits)
    return f"{lowest} to {highest}"


def _check_choice(name: str, value: Any) -> None:
    if value not in _CHOICES[name]:
        raise InputError(f"{name} is “{value}”, but only {', '.join(_CHOICES[name])} are accepted.")


def _check_number(name: str, value: Any, whole: bool, limits: tuple[float, float]) -> float:
    lowest, highest = limits
    accepted = f"a {'whole ' if whole else ''}number from {_describe(limits)}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is “{value}”, which is not a number; {accepted} is accepted.")
    # NaN compares as false with everything, so it is refused here too.
    if not lowest <= value <= highest or (whole and value % 1):
        # Python refuses to write integers of thousands of digits.
        shown = value if abs(value) < 1e300 or value != value else "too large"
        raise InputError(f"{name} is {shown}; {accepted} is accepted.")
    return int(value) if whole else float(value)


PRESETS = {
    "Fast: 99% in seconds": TrainConfig(),
    # Large batches of few images are too few updates to learn from.
    "Few images": TrainConfig(epochs=15, batch_size=32),
    "The article's recipe": TrainConfig(
        epochs=6,
        batch_size=64,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="constant",
        weight_decay=0.0,
        label_smoothing=0.0,
    ),
    "Overfit it": TrainConfig(
        epochs=60,
        batch_size=64,
        learning_rate=2e-3,
        weight_decay=0.0,
        label_smoothing=0.0,
        num_train_images=500,
    ),
    "Robust": TrainConfig(
        epochs=4, dropout=0.1, rotation_deg=10.0, shift_px=2.0, scale=0.1, epsilon=0.25
    ),
    "LSTM, row by row": TrainConfig(model="lstm", epochs=4, batch_size=128, learning_rate=6e-3),
    # Without changed images it soon knows by heart what it has seen.
    "Transformer, patch by patch": TrainConfig(
        model="transformer",
        epochs=12,
        batch_size=128,
        learning_rate=3e-3,
        rotation_deg=10.0,
        shift_px=1.0,
        scale=0.1,
    ),
}
