"""The convolutional networks that can be trained here, as plain modules."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import nn

from foundry.data import DIGITS
from foundry.models.networks.digits import DigitNetwork, Dropout, describe_classes


class LeNet(DigitNetwork):
    """LeNet-5 for 28x28 digits: two convolutions, three linear layers, 61,706 parameters.

    Padding 2 in the first convolution makes 28x28 behave as the paper's 32x32, so that the second
    pool leaves 16x5x5. Differences from 1998: ReLU for tanh, max for average pooling, full
    connections between the convolutions, logits for the RBF output.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
    recognition, 1998, section II.
    """

    WIDTHS: ClassVar = {"channels": (6, 16), "hidden_dims": (120, 84)}

    def __init__(
        self,
        channels: Sequence[int] = (6, 16),
        hidden_dims: Sequence[int] = (120, 84),
        dropout: float = 0.0,
        classes: Sequence[str] = DIGITS,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 5x5 convolutions.
            hidden_dims: Neurons of the two hidden linear layers.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
            classes: What it can answer, in the order of the logits.
        """
        super().__init__(classes)
        self.config = {
            "architecture": "lenet",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
            **describe_classes(classes),
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=5)
        self.fc1 = nn.Linear(channels[1] * 5 * 5, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], hidden_dims[1])
        self.fc3 = nn.Linear(hidden_dims[1], len(classes))
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = Dropout(dropout)

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self.fc3

    def describe(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Return what the last layer reads, float32 (N, neurons); arguments as of `forward()`."""
        # ReLU and max-pooling commute; pooling first leaves ReLU a quarter of the elements.
        x = self.relu(self.pool(self.conv1(images)))  # (N, 6, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 16, 5, 5)
        x = x.flatten(1)
        x = self.dropout(self.relu(self.fc1(x)), generator)
        return self.dropout(self.relu(self.fc2(x)), generator)


class CNN(DigitNetwork):
    """The article's larger network with its flatten corrected: 1,592,326 parameters.

    Two pools leave 28 / 2 / 2 = 7, so the first linear layer reads 64x7x7, not 64x14x14.
    """

    WIDTHS: ClassVar = {"channels": (32, 64), "hidden_dims": (500,)}

    def __init__(
        self,
        channels: Sequence[int] = (32, 64),
        hidden_dims: Sequence[int] = (500,),
        dropout: float = 0.0,
        classes: Sequence[str] = DIGITS,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 3x3 convolutions.
            hidden_dims: Neurons of the one hidden linear layer.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
            classes: What it can answer, in the order of the logits.
        """
        super().__init__(classes)
        self.config = {
            "architecture": "cnn",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
            **describe_classes(classes),
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=3, padding=1)
        self.fc1 = nn.Linear(channels[1] * 7 * 7, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], len(classes))
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = Dropout(dropout)

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self.fc2

    def describe(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Return what the last layer reads, float32 (N, neurons); arguments as of `forward()`."""
        x = self.relu(self.pool(self.conv1(images)))  # (N, 32, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 64, 7, 7)
        return self.dropout(self.relu(self.fc1(x.flatten(1))), generator)


def is_finite(weights: Iterable[torch.Tensor]) -> bool:
    """Tell whether all of a network's weights are finite numbers."""
    return all(bool(tensor.isfinite().all()) for tensor in weights)


def count_parameters(model: nn.Module) -> int:
    """Return the number of weights and biases."""
    return sum(parameter.numel() for parameter in model.parameters())
