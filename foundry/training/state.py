"""What a training run carries from step to step."""

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn

from foundry.data import DIGITS
from foundry.models import build_model
from foundry.models.machine import select_precision
from foundry.models.networks import Seeded
from foundry.training.config import TrainConfig
from foundry.training.threads import Threads

_SGD_MOMENTUM = 0.9
# Share of the steps that one-cycle spends warming up; chosen on validation for the Fast preset.
_WARM_UP = 0.2


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
        classes: Sequence[str] = DIGITS,
    ) -> None:
        """Start from random weights, or from a network's.

        Args:
            config: The knobs.
            device: Where to train.
            start: A network to train further, of any widths; not modified.
            classes: What a network from random weights is to tell apart.
        """
        self.config = config
        self.device = torch.device(device)
        model = (
            copy.deepcopy(start).requires_grad_(True) if start else build_untrained(config, classes)
        )
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
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
        self.best_weights = self.copy_weights()

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
            self.best_weights = self.copy_weights()
        return better

    def best_model(self) -> nn.Module:
        """Return a new network with the kept weights, in evaluation mode."""
        # A copy draws no random weights, so that looking does not change what training draws.
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.best_weights)
        return model.eval()

    def copy_weights(self) -> dict[str, torch.Tensor]:
        """Return the weights as they are now."""
        return {name: t.detach().clone() for name, t in self.model.state_dict().items()}


def build_untrained(config: TrainConfig, classes: Sequence[str] = DIGITS) -> nn.Module:
    """Build the network that a run with these settings starts from.

    Args:
        config: The run's.
        classes: What it tells apart.
    """

    def build() -> nn.Module:
        with Seeded(config.seed):
            return build_model(config.model, config.width, dropout=config.dropout, classes=classes)

    # On one thread: the last digits of orthogonal weights depend on how many there are.
    with Threads(1, torch.device("cpu")) as threads:
        return threads.run(build)


def _build_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    optimizers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "sgd": partial(torch.optim.SGD, momentum=_SGD_MOMENTUM),
    }
    return optimizers[config.optimizer](
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
