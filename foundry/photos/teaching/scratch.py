"""What comes out without the pretrained network: a small one that begins with random weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from foundry.data.photos import normalize_photos
from foundry.models.runtime import on_narrow_thread

NUM_EPOCHS = 40
# Pixels, each way: what a small network is given, in the seconds there are.
SCRATCH_SIZE = 64
_BATCH = 16
_CHANNELS = (16, 32, 64)
_LEARNING_RATE = 3e-3


class SmallNetwork(nn.Module):
    """Three halving convolutions and a linear layer, some 24,000 parameters."""

    def __init__(self, num_classes: int, seed: int) -> None:
        """Build the network.

        Args:
            num_classes: Logits it gives.
            seed: Of its weights.
        """
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in _CHANNELS:
            layers += [
                nn.Conv2d(before, channels, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before = channels
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(before, num_classes)
        # A generator of its own: that of torch is shared with every other thread.
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, generator=generator)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map pictures, float32 (N, 3, 64, 64) in [-1, 1], to logits, (N, classes)."""
        logits: Tensor = self.classifier(self.layers(pictures).mean((2, 3)))
        return logits


@dataclass(frozen=True)
class ScratchEvent:
    """How far the training from scratch is.

    Attributes:
        epoch: Passes so far.
        train_loss: Mean cross-entropy of the last pass, in nats.
        network: As it stands; in evaluation mode only between two events.
    """

    epoch: int
    train_loss: float
    network: SmallNetwork


def shrink(picture: Image.Image) -> np.ndarray:
    """Return a picture as the small network takes it, uint8 (64, 64, 3).

    Args:
        picture: RGB, 224x224.
    """
    size = (SCRATCH_SIZE, SCRATCH_SIZE)
    return np.asarray(picture.resize(size, Image.Resampling.BOX))


def train_from_scratch(
    pictures: np.ndarray, targets: Tensor, num_classes: int, seed: int
) -> Iterator[ScratchEvent]:
    """Train a small network on the examples alone, mirrored by chance.

    Args:
        pictures: uint8 (N, 64, 64, 3).
        targets: int64 (N,).
        num_classes: How many there are.
        seed: Of the weights, the order and the mirroring.

    Yields:
        A reading after every pass.
    """
    inputs = normalize_photos(pictures)
    network = SmallNetwork(num_classes, seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=0.01)
    num_batches = -(-len(inputs) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LEARNING_RATE, total_steps=NUM_EPOCHS * num_batches
    )

    @on_narrow_thread
    def run_epoch() -> float:
        network.train()
        total = 0.0
        # Equal parts: a last batch of one picture could not be normalised.
        order = torch.randperm(len(inputs), generator=generator)
        for chosen in order.tensor_split(num_batches):
            batch = inputs[chosen]
            is_mirrored = torch.rand(len(chosen), generator=generator) < 0.5
            batch = torch.where(is_mirrored[:, None, None, None], batch.flip(3), batch)
            with torch.enable_grad():
                loss = F.cross_entropy(network(batch), targets[chosen])
                optimizer.zero_grad()
                loss.backward()
            optimizer.step()
            schedule.step()
            total += len(chosen) * float(loss.detach())
        network.eval()
        return total / len(inputs)

    for epoch in range(1, NUM_EPOCHS + 1):
        yield ScratchEvent(epoch, run_epoch(), network)
