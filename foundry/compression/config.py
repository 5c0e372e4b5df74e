"""The knobs of a compression, what each accepts, and the events that it yields."""

from dataclasses import dataclass
from typing import Literal

from foundry.compression.pruning import GLOBAL, MAX_RATIO, SCOPES
from foundry.errors import InputError
from foundry.models import available_models
from foundry.models.loading import ModelSpec
from foundry.models.variants import FLOAT_BITS, INT8_BITS

TASKS = ("digits", "sentiment", "speech")
WEIGHT_BITS = (FLOAT_BITS, INT8_BITS)
MAX_RECOVERY_EPOCHS = 20

Stage = Literal["load", "importance", "prune", "recover", "quantize", "mask", "sense", "measure"]


def list_models() -> list[ModelSpec]:
    """Return every model that ships with the project."""
    return [spec for task in TASKS for spec in available_models(task)]


@dataclass(frozen=True)
class CompressConfig:
    """What is to be done to a model.

    Attributes:
        model: A shipped model's name, or the id of a training run.
        pruning_ratio: Share of channels and neurons removed from every layer but the last; 0 for
            none. Only the networks that are trained here can recover from it in front of somebody.
        weight_bits: 8 quantizes weights and activations to int8, 32 leaves them.
        sparsity: Share of weights set to zero in a masked copy; 0 for no such copy. LeNet only.
        scope: Whether the mask ranks weights over all layers (`global`) or `per layer`.
        recovery_epochs: Passes over the training images that a pruned network is fine-tuned for;
            0 shows what pruning alone does.

    Raises:
        InputError: On a value that is not accepted; names the knob.
    """

    model: str = "lenet"
    pruning_ratio: float = 0.4
    weight_bits: int = INT8_BITS
    sparsity: float = 0.0
    scope: str = GLOBAL
    recovery_epochs: int = 6

    def __post_init__(self) -> None:
        """Check every value, with one representation for each number."""
        ratio = _check_share("pruning_ratio", self.pruning_ratio, MAX_RATIO)
        sparsity = _check_share("sparsity", self.sparsity, 1.0)
        object.__setattr__(self, "pruning_ratio", ratio)
        object.__setattr__(self, "sparsity", sparsity)
        if isinstance(self.weight_bits, bool) or self.weight_bits not in WEIGHT_BITS:
            raise InputError(f"weight_bits is {self.weight_bits}; 32 (float32) or 8 (int8).")
        object.__setattr__(self, "weight_bits", int(self.weight_bits))
        if self.scope not in SCOPES:
            raise InputError(f"scope is “{self.scope}”; choose one of {', '.join(SCOPES)}.")
        if self.recovery_epochs not in range(MAX_RECOVERY_EPOCHS + 1):
            raise InputError(
                f"recovery_epochs is {self.recovery_epochs}; a whole number from 0 to "
                f"{MAX_RECOVERY_EPOCHS} is accepted."
            )
        object.__setattr__(self, "recovery_epochs", int(self.recovery_epochs))
        if self.task != "digits" and (ratio or sparsity):
            raise InputError(
                f"“{self.model}” takes hours to recover from pruning, so that is not done here: "
                "set pruning_ratio and sparsity to 0. What a recipe has pruned is in the table."
            )

    @property
    def task(self) -> str:
        """The tab that the model serves; whatever is not shipped is a run, which reads digits."""
        return next((spec.task for spec in list_models() if spec.name == self.model), "digits")

    @property
    def is_pruned(self) -> bool:
        """Whether channels and neurons are removed."""
        return self.pruning_ratio > 0

    @property
    def is_quantized(self) -> bool:
        """Whether weights and activations become int8."""
        return self.weight_bits == INT8_BITS


def _check_share(name: str, value: float, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is “{value}”; a number from 0 to {highest:g} is accepted.")
    # NaN compares as false with everything, so it is refused here too.
    if not 0 <= value <= highest:
        raise InputError(f"{name} is {value}; a number from 0 to {highest:g} is accepted.")
    return float(value)


@dataclass(frozen=True)
class CompressEvent:
    """One reading of a compression.

    Attributes:
        stage: What is being done.
        sentence: The same for people.
        progress: Of the whole, in [0, 1].
        elapsed_s: Since the start.
        epoch: Of the recovery, in parts of one; None outside it, as are the next two.
        train_loss: Mean cross-entropy since the last event, nats.
        val_accuracy: In [0, 1], on the validation split; None inside an epoch.
    """

    stage: Stage
    sentence: str
    progress: float
    elapsed_s: float
    epoch: float | None = None
    train_loss: float | None = None
    val_accuracy: float | None = None
