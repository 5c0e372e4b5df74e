"""Training as a stream of events: `for event in train(state, load_mnist()): ...`."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from foundry.data import DataSet, Split, normalize
from foundry.errors import DivergedError
from foundry.models.networks import is_finite
from foundry.training.evaluation import evaluate
from foundry.training.sharding import ALONE, Shard
from foundry.training.state import TrainState
from foundry.training.step import cut_batches, learn_part, update
from foundry.training.threads import Threads

_EVENTS_PER_EPOCH = 25
# Between two looks at a sample of the validation split: like this, 1.5% of an epoch's work.
_SAMPLE_SIZE, _IMAGES_PER_SAMPLE = 500, 10_000


@dataclass(frozen=True)
class TrainEvent:
    """One reading of a run, about 25 an epoch; the last of each epoch carries validation.

    Attributes:
        step: Optimizer updates so far, from 1.
        num_steps: Updates the whole run would take.
        epoch: The epoch this step belongs to, from 1.
        train_loss: Mean cross-entropy of the training batches since the last event, nats; label
            smoothing and adversarial copies left out, so that it compares with `val_loss`.
        learning_rate: Of the last update.
        val_loss: Mean cross-entropy on the validation split, nats; None inside an epoch.
        val_accuracy: In [0, 1]; None inside an epoch.
        is_best: Whether this epoch's weights are the ones kept so far.
        images_per_s: Training throughput since the last event, validation left out.
        elapsed_s: Time spent training and validating, pauses left out.
        sample_accuracy: In [0, 1], on the first 500 validation digits, after every 10,000 training
            images or so; None between, and in runs of earlier versions.
    """

    step: int
    num_steps: int
    epoch: int
    train_loss: float
    learning_rate: float
    val_loss: float | None
    val_accuracy: float | None
    is_best: bool
    images_per_s: float
    elapsed_s: float
    sample_accuracy: float | None = None


def train(
    state: TrainState, data: DataSet, shard: Shard = ALONE, is_stepping: bool = False
) -> Iterator[TrainEvent]:
    """Train until the last epoch or until validation stops improving.

    The same config, device and kind of processor give the same events, timings apart: on the CPU
    every batch is cut into the same parts, whose gradients are added up in the same order, however
    many threads compute them. As many do as `torch.get_num_threads()` allows where it is called;
    a GPU takes a batch whole. Only the training and validation splits are touched.

    Args:
        state: A new state, or one read back from a checkpoint; changed in place.
        data: What to learn, of as many classes as the state's network.
        shard: Which of several workers this is: each learns from its share of every batch, and all
            end up with the same weights and events as one would, but for rounding and dropout.
        is_stepping: Whether every update is an event.

    Yields:
        A `TrainEvent` about 25 times an epoch, and at the end of every epoch.

    Raises:
        DivergedError: If the loss or a weight is no longer finite. The state's model then has the
            weights of the last event again, and those that were kept are as they were.
    """
    learned = data.train.head(state.config.num_train_images)
    images = normalize(learned.images).to(state.device)
    labels = learned.labels.to(state.device)
    interval = math.ceil(state.steps_per_epoch / _EVENTS_PER_EPOCH)
    sample = data.val.head(_SAMPLE_SIZE)
    sample_interval = interval * math.ceil(
        _IMAGES_PER_SAMPLE / (interval * state.config.batch_size)
    )
    parts = cut_batches(state.device, shard)
    losses: list[float] = []
    interval_s, interval_images = 0.0, 0
    finite = state.copy_weights()
    with Threads(len(parts), state.device) as threads:
        while not state.is_finished:
            for batch in _remaining_batches(state):
                started = time.perf_counter()
                state.model.train()
                learning_rate = state.optimizer.param_groups[0]["lr"]
                learn = partial(learn_part, state, images, labels, batch)
                losses.append(threads.run(partial(update, state, shard, threads.map(learn, parts))))
                interval_s += time.perf_counter() - started
                interval_images += len(batch)
                _check(math.isfinite(losses[-1]), state, finite)
                epoch_ends = state.step % state.steps_per_epoch == 0
                if not epoch_ends and state.step % interval and not is_stepping:
                    continue
                _check(is_finite(state.model.parameters()), state, finite)
                state.train_s += interval_s
                state.elapsed_s += interval_s
                event = TrainEvent(
                    step=state.step,
                    num_steps=state.num_steps,
                    epoch=math.ceil(state.step / state.steps_per_epoch),
                    train_loss=sum(losses) / len(losses),
                    learning_rate=learning_rate,
                    val_loss=None,
                    val_accuracy=None,
                    is_best=False,
                    images_per_s=interval_images / interval_s,
                    elapsed_s=state.elapsed_s,
                )
                losses, interval_s, interval_images = [], 0.0, 0
                if epoch_ends:
                    measured = _measure(state, data.val, shard)
                    _check(math.isfinite(measured[0]), state, finite)
                    event = _validate(state, event, *measured)
                elif state.step % sample_interval == 0:
                    # The workers have the same weights: nothing to agree on.
                    _, accuracy = _measure(state, sample, ALONE)
                    event = replace(event, sample_accuracy=accuracy, elapsed_s=state.elapsed_s)
                finite = state.copy_weights()
                yield event


def _remaining_batches(state: TrainState) -> Sequence[torch.Tensor]:
    """Return what is left of an epoch, each batch as indices of its images."""
    config = state.config
    # Its own generator, so that the order does not depend on what else is drawn.
    generator = torch.Generator().manual_seed(config.seed + 1_000_003 * (state.epoch + 1))
    order = torch.randperm(config.num_train_images, generator=generator).to(state.device)
    return order.split(config.batch_size)[state.step % state.steps_per_epoch :]


def _measure(state: TrainState, val: Split, shard: Shard) -> Sequence[float]:
    """Return the validation loss and accuracy, the same on all workers."""
    started = time.perf_counter()
    measured = evaluate(state.model, val)
    agreed = shard.agree(measured.loss, measured.accuracy)
    state.elapsed_s += time.perf_counter() - started
    return agreed


def _validate(
    state: TrainState, event: TrainEvent, val_loss: float, val_accuracy: float
) -> TrainEvent:
    """Keep the weights at the end of an epoch if they are the best."""
    return replace(
        event,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        is_best=state.keep_if_best(val_loss, val_accuracy),
        elapsed_s=state.elapsed_s,
    )


def _check(is_finite: bool, state: TrainState, finite: Mapping[str, torch.Tensor]) -> None:
    """Give a training up that has diverged, with the last finite weights in its model."""
    if is_finite:
        return
    state.model.load_state_dict(finite)
    config = state.config
    raise DivergedError(
        f"diverged at step {state.step} of {state.num_steps}: the loss is no longer finite, "
        f"most likely because a learning rate of {config.learning_rate:g} is too high for "
        f"{config.optimizer}; try {config.learning_rate / 10:g}"
    )
