"""Pruning a trained digit network and training it back, as a stream of events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from foundry.compression.measurement.footprint import LayerChange
from foundry.compression.pruning import prune, rank_channels
from foundry.data import DataSet, normalize
from foundry.models.networks import count_parameters
from foundry.runs.data_sets import MNIST
from foundry.training import TrainConfig, TrainEvent, TrainState, train
from foundry.training.evaluation import evaluate

# The gradients of this many training images tell what matters.
NUM_JUDGED = 2_000
# A pruned network has less to fit with: longer, and at a lower rate than from nothing.
RECOVERY = TrainConfig(epochs=8, batch_size=256, learning_rate=4e-3)
# Of fewer images such batches are too few updates. Smaller ones recovered 120 images best at
# half the rate.
_FEW = 10_000
_SMALL_BATCHES = 16, 64
_UPDATES_AN_EPOCH = 16


def plan_recovery(epochs: int, dataset: str, num_images: int) -> TrainConfig:
    """Return the knobs of a recovery.

    Args:
        epochs: Passes over the training images.
        dataset: `mnist`, or the id of a data set that somebody brought.
        num_images: Training images that it has.
    """
    planned = replace(RECOVERY, epochs=epochs)
    if dataset == MNIST:
        return planned
    planned = replace(planned, dataset=dataset).fit(num_images)
    if num_images >= _FEW:
        return planned
    smallest, largest = _SMALL_BATCHES
    batch_size = min(max(num_images // _UPDATES_AN_EPOCH, smallest), largest)
    return replace(planned, batch_size=batch_size, learning_rate=planned.learning_rate / 2)


@dataclass(frozen=True)
class ImportanceEvent:
    """What each channel and neuron matters.

    Attributes:
        scores: By layer: one number a channel or neuron, at least 0; see `rank_channels()`.
        val_accuracy: Of the dense network, in [0, 1].
        parameters: Of the dense network.
    """

    scores: Mapping[str, tuple[float, ...]]
    val_accuracy: float
    parameters: int


@dataclass(frozen=True)
class PruneEvent:
    """What was removed.

    Attributes:
        changes: What became of each layer.
        val_accuracy: Right after, in [0, 1].
        parameters: Left.
    """

    changes: tuple[LayerChange, ...]
    val_accuracy: float
    parameters: int


@dataclass(frozen=True)
class RecoveryEvent:
    """One reading of the training that follows.

    Attributes:
        event: As of any training; its `val_accuracy` is comparable with the two above.
    """

    event: TrainEvent


RecoverEvent = ImportanceEvent | PruneEvent | RecoveryEvent


class PrunedTraining:
    """Importance, pruning and recovery of one network; iterate over it, then take the model."""

    def __init__(
        self,
        dense: nn.Module,
        pruning_ratio: float | Mapping[str, float],
        data: DataSet,
        recovery: TrainConfig = RECOVERY,
        device: torch.device | str = "cpu",
    ) -> None:
        """Plan the work.

        Args:
            dense: A LeNet or CNN; not modified.
            pruning_ratio: As `prune()` takes it.
            data: What it learned. Training images judge and recover, validation images choose the
                epoch.
            recovery: The knobs of the training that follows; its `model` and `dropout` are not
                used, the network brings its own.
            device: Where to train.
        """
        self.dense, self.pruning_ratio, self.data = dense, pruning_ratio, data
        self.recovery, self.device = recovery, device
        self.state: TrainState | None = None

    def __iter__(self) -> Iterator[RecoverEvent]:
        """Do the work.

        Yields:
            One `ImportanceEvent`, one `PruneEvent`, then a `RecoveryEvent` for every event of
            `train()`. Stop at any of these and `best_model()` has the best weights so far.

        Raises:
            InputError: As `prune()` does.
            DivergedError: As `train()` does; the best weights so far are those before.
        """
        judged = self.data.train.head(NUM_JUDGED)
        dense_device = next(self.dense.parameters()).device
        images = normalize(judged.images).to(dense_device)
        labels = judged.labels.to(dense_device)
        scores = rank_channels(self.dense, images, labels)
        yield ImportanceEvent(
            {name: tuple(values.tolist()) for name, values in scores.items()},
            evaluate(self.dense, self.data.val).accuracy,
            count_parameters(self.dense),
        )
        pruned = prune(self.dense, self.pruning_ratio, images, labels)
        self.state = TrainState(self.recovery, self.device, start=pruned.model)
        at_once = evaluate(self.state.model, self.data.val)
        yield PruneEvent(pruned.changes, at_once.accuracy, count_parameters(pruned.model))
        for event in train(self.state, self.data):
            yield RecoveryEvent(event)

    def best_model(self) -> nn.Module:
        """Return a new network with the weights of the best epoch so far, in evaluation mode.

        Raises:
            RuntimeError: If nothing was pruned yet.
        """
        if self.state is None:
            raise RuntimeError("Nothing was pruned yet: iterate first.")
        return self.state.best_model()
