"""The networks that can be trained here, as plain modules."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from foundry.data import NUM_CLASSES


class Dropout(nn.Dropout):
    """Dropout that can draw from a generator of the caller's."""

    def forward(
        self, input: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Set some values to zero and raise the others, so that their mean stays."""
        if not self.training or not self.p:
            return input
        kept = torch.empty_like(input).bernoulli_(1 - self.p, generator=generator)
        return input * kept / (1 - self.p)


class LeNet(nn.Module):
    """LeNet-5 for 28x28 digits: two convolutions, three linear layers, 61,706 parameters.

    Padding 2 in the first convolution makes 28x28 behave as the paper's 32x32, so that the second
    pool leaves 16x5x5. Differences from 1998: ReLU for tanh, max for average pooling, full
    connections between the convolutions, logits for the RBF output.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
    recognition, 1998, section II.
    """

    CHANNELS = (6, 16)
    HIDDEN_DIMS = (120, 84)

    def __init__(
        self,
        channels: Sequence[int] = CHANNELS,
        hidden_dims: Sequence[int] = HIDDEN_DIMS,
        dropout: float = 0.0,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 5x5 convolutions.
            hidden_dims: Neurons of the two hidden linear layers.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
        """
        super().__init__()
        self.config = {
            "architecture": "lenet",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=5)
        self.fc1 = nn.Linear(channels[1] * 5 * 5, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], hidden_dims[1])
        self.fc3 = nn.Linear(hidden_dims[1], NUM_CLASSES)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = Dropout(dropout)

    def forward(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Map normalised images, float32 (N, 1, 28, 28), to logits, float32 (N, 10).

        In training mode the generator draws what is dropped; None for torch's own.
        """
        # ReLU and max-pooling commute; pooling first leaves ReLU a quarter of the elements.
        x = self.relu(self.pool(self.conv1(images)))  # (N, 6, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 16, 5, 5)
        x = x.flatten(1)
        x = self.dropout(self.relu(self.fc1(x)), generator)
        x = self.dropout(self.relu(self.fc2(x)), generator)
        return self.fc3(x)


class CNN(nn.Module):
    """The article's larger network with its flatten corrected: 1,592,326 parameters.

    Two pools leave 28 / 2 / 2 = 7, so the first linear layer reads 64x7x7, not 64x14x14.
    """

    CHANNELS = (32, 64)
    HIDDEN_DIMS = (500,)

    def __init__(
        self,
        channels: Sequence[int] = CHANNELS,
        hidden_dims: Sequence[int] = HIDDEN_DIMS,
        dropout: float = 0.0,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 3x3 convolutions.
            hidden_dims: Neurons of the one hidden linear layer.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
        """
        super().__init__()
        self.config = {
            "architecture": "cnn",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=3, padding=1)
        self.fc1 = nn.Linear(channels[1] * 7 * 7, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], NUM_CLASSES)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = Dropout(dropout)

    def forward(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Map normalised images, float32 (N, 1, 28, 28), to logits, float32 (N, 10).

        In training mode the generator draws what is dropped; None for torch's own.
        """
        x = self.relu(self.pool(self.conv1(images)))  # (N, 32, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 64, 7, 7)
        x = self.dropout(self.relu(self.fc1(x.flatten(1))), generator)
        return self.fc2(x)


def is_finite(weights: Iterable[torch.Tensor]) -> bool:
    """Tell whether all of a network's weights are finite numbers."""
    return all(bool(tensor.isfinite().all()) for tensor in weights)


def count_parameters(model: nn.Module) -> int:
    """Return the number of weights and biases."""
    return sum(parameter.numel() for parameter in model.parameters())
