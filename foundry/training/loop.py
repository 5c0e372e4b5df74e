"""Training as a stream of events: `for event in train(state, load_mnist()): ...`."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from foundry.data import Mnist, normalize
from foundry.models import build_model
from foundry.models.machine import select_precision
from foundry.training.augmentation import draw_affine, fgsm, random_affine
from foundry.training.config import TrainConfig
from foundry.training.evaluation import evaluate
from foundry.training.sharding import ALONE, Shard

_EVENTS_PER_EPOCH = 25
_SGD_MOMENTUM = 0.9
# Share of the steps that one-cycle spends warming up; chosen on validation for the Fast preset.
_WARM_UP = 0.2


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


class TrainState:
    """What a run carries from step to step; `foundry.training.checkpoints` writes and reads it.

    The generator returned by `train()` changes it in place and leaves it consistent at every
    event, so a consumer may stop there, save it, and go on later with the same numbers.
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device | str = "cpu",
        start: nn.Module | None = None,
    ) -> None:
        """Start from random weights, or from a network's; seeds torch's global generator.

        Args:
            config: The knobs.
            device: Where to train.
            start: A network to train further, of any widths; not modified.
        """
        torch.manual_seed(config.seed)
        self.config = config
        self.device = torch.device(device)
        model = (
            copy.deepcopy(start).requires_grad_(True)
            if start
            else build_model(config.model, config.width, dropout=config.dropout)
        ).to(self.device)
        self.model = model.to(memory_format=torch.channels_last)
        self.precision = select_precision(self.device)
        self.optimizer = _build_optimizer(config, self.model)
        self.steps_per_epoch = math.ceil(config.num_train_images / config.batch_size)
        self.num_steps = self.steps_per_epoch * config.epochs
        self.scheduler = (
            torch.optim.lr_scheduler.OneCycleLR(
                self.optimizer,
                max_lr=config.learning_rate,
                total_steps=self.num_steps + 1,
                # A warm-up that ends with the first step would be divided by its length, 0.
                pct_start=max(_WARM_UP, 1.5 / (self.num_steps + 1)),
            )
            if config.schedule == "one-cycle"
            else None
        )
        self.step = 0
        self.train_s = 0.0
        self.elapsed_s = 0.0
        self.best_epoch = 0
        self.best_val_accuracy = -1.0
        self.best_val_loss = math.inf
        self.improved_epoch = 0
        self.best_weights = self._copy_weights()

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return self.step // self.steps_per_epoch

    @property
    def images_per_s(self) -> float:
        """Training throughput since the first step, validation and pauses left out."""
        last_batches = self.config.num_train_images - self.config.batch_size * (
            self.steps_per_epoch - 1
        )
        short = (self.config.batch_size - last_batches) * self.epoch
        images = self.step * self.config.batch_size - short
        return images / self.train_s if self.train_s else 0.0

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are done or validation has stopped improving."""
        waited = self.epoch - self.improved_epoch
        out_of_patience = 0 < self.config.patience <= waited and self.epoch > 0
        return self.step >= self.num_steps or out_of_patience

    def keep_if_best(self, val_loss: float, val_accuracy: float) -> bool:
        """Copy the weights if validation is the best so far; the lower loss breaks ties."""
        if val_accuracy > self.best_val_accuracy:
            self.improved_epoch = self.epoch
        better = (val_accuracy, -val_loss) > (self.best_val_accuracy, -self.best_val_loss)
        if better:
            self.best_epoch = self.epoch
            self.best_val_accuracy = val_accuracy
            self.best_val_loss = val_loss
            self.best_weights = self._copy_weights()
        return better

    def best_model(self) -> nn.Module:
        """Return a new network with the kept weights, in evaluation mode."""
        # A copy draws no random weights, so that looking does not change what training draws.
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.best_weights)
        return model.eval()

    def _copy_weights(self) -> dict[str, torch.Tensor]:
        return {name: t.detach().clone() for name, t in self.model.state_dict().items()}


def _build_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    optimizers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "sgd": partial(torch.optim.SGD, momentum=_SGD_MOMENTUM),
    }
    return optimizers[config.optimizer](
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )


def _losses(
    state: TrainState, images: torch.Tensor, labels: torch.Tensor, num_images: int, rows: slice
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss to descend, and the plain cross-entropy, which compares with validation.

    The images are some rows of a batch of `num_images`.
    """
    config = state.config
    if config.rotation_deg or config.shift_px or config.scale:
        # Drawn for the whole batch: an image is changed alike on whichever worker it is.
        draws = draw_affine(num_images, images.device)[rows]
        images = random_affine(images, config.rotation_deg, config.shift_px, config.scale, draws)
    logits = state.model(images)
    loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
    plain = F.cross_entropy(logits.detach(), labels) if config.label_smoothing else loss.detach()
    if config.epsilon:
        adversarial = fgsm(state.model, images, labels, config.epsilon)
        adversarial_loss = F.cross_entropy(
            state.model(adversarial), labels, label_smoothing=config.label_smoothing
        )
        loss = (loss + adversarial_loss) / 2
    return loss, plain


def train(state: TrainState, mnist: Mnist, shard: Shard = ALONE) -> Iterator[TrainEvent]:
    """Train until the last epoch or until validation stops improving.

    The same config, device, processor and thread count give the same events, timings apart. Only
    the training and validation splits are touched.

    Args:
        state: A new state, or one read back from a checkpoint; changed in place.
        mnist: The data set.
        shard: Which of several workers this is: each learns from its share of every batch, and all
            end up with the same weights and events as one would, but for rounding and dropout.

    Yields:
        A `TrainEvent` about 25 times an epoch, and at the end of every epoch.
    """
    config = state.config
    data = mnist.train.head(config.num_train_images)
    images = normalize(data.images).to(state.device)
    labels = data.labels.to(state.device)
    interval = math.ceil(state.steps_per_epoch / _EVENTS_PER_EPOCH)
    losses: list[float] = []
    interval_s, interval_images = 0.0, 0
    if config.dropout and shard.rank:
        # No two workers drop the same neurons.
        torch.manual_seed(config.seed + shard.rank)

    while not state.is_finished:
        epoch = state.epoch
        # A generator of its own: the order does not depend on how much dropout has drawn.
        generator = torch.Generator().manual_seed(config.seed + 1_000_003 * (epoch + 1))
        order = torch.randperm(len(labels), generator=generator).to(state.device)
        for batch in order.split(config.batch_size)[state.step % state.steps_per_epoch :]:
            started = time.perf_counter()
            state.model.train()
            with torch.autocast(
                state.device.type, torch.bfloat16, enabled=state.precision == torch.bfloat16
            ):
                rows = shard.rows(len(batch))
                own = batch[rows]
                loss, plain = _losses(state, images[own], labels[own], len(batch), rows)
            state.optimizer.zero_grad()
            loss.backward()
            plain_loss = shard.sum_gradients(
                state.model.parameters(), shard.weight(len(batch)), plain.item()
            )
            state.optimizer.step()
            learning_rate = state.optimizer.param_groups[0]["lr"]
            if state.scheduler:
                state.scheduler.step()
            state.step += 1
            losses.append(plain_loss)
            interval_s += time.perf_counter() - started
            interval_images += len(batch)

            epoch_ends = state.step % state.steps_per_epoch == 0
            if not epoch_ends and state.step % interval:
                continue
            event = TrainEvent(
                step=state.step,
                num_steps=state.num_steps,
                epoch=epoch + 1,
                train_loss=sum(losses) / len(losses),
                learning_rate=learning_rate,
                val_loss=None,
                val_accuracy=None,
                is_best=False,
                images_per_s=interval_images / interval_s,
                elapsed_s=0.0,
            )
            state.train_s += interval_s
            state.elapsed_s += interval_s
            if epoch_ends:
                started = time.perf_counter()
                val = evaluate(state.model, mnist.val)
                state.elapsed_s += time.perf_counter() - started
                val_loss, val_accuracy = shard.agree(val.loss, val.accuracy)
                is_best = state.keep_if_best(val_loss, val_accuracy)
                event = replace(
                    event, val_loss=val_loss, val_accuracy=val_accuracy, is_best=is_best
                )
            losses, interval_s, interval_images = [], 0.0, 0
            yield replace(event, elapsed_s=state.elapsed_s)
