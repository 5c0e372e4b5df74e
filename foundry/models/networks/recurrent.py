"""A recurrent network that reads a picture as one reads a page: row by row."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from foundry.data import DIGITS, IMAGE_SIZE
from foundry.models.networks.digits import DigitNetwork, Dropout, describe_classes


class LSTM(DigitNetwork):
    """An LSTM over the 28 rows of a digit, and a linear layer on what it holds after the last.

    The gates are two linear layers rather than `torch.nn.LSTM`: they have gradients in evaluation
    mode on every device, which attacks and explanations need, and each is quantized by itself.

    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997; the forget gate is that of
    Gers, Schmidhuber and Cummins, Learning to forget, 2000, its bias begins at 1.
    """

    WIDTHS: ClassVar = {"hidden_dim": 128}

    def __init__(
        self, hidden_dim: int = 128, dropout: float = 0.0, classes: Sequence[str] = DIGITS
    ) -> None:
        """Build the network with random weights.

        Args:
            hidden_dim: Neurons of the state, and cells of the memory.
            dropout: Probability of dropping a neuron of the last state while training, in [0, 1).
            classes: What it can answer, in the order of the logits.
        """
        super().__init__(classes)
        self.config = {
            "architecture": "lstm",
            "hidden_dim": hidden_dim,
            "dropout": dropout,
            **describe_classes(classes),
        }
        # Of every neuron the gates by which it takes in, keeps and gives, then what is new.
        self.input = nn.Linear(IMAGE_SIZE, 4 * hidden_dim)
        self.recurrent = nn.Linear(hidden_dim, 4 * hidden_dim, bias=False)
        self.fc = nn.Linear(hidden_dim, len(classes))
        self.dropout = Dropout(dropout)
        nn.init.orthogonal_(self.recurrent.weight)
        with torch.no_grad():
            self.input.bias.zero_()[hidden_dim : 2 * hidden_dim] = 1

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self.fc

    def describe(
        self, images: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Return what the last layer reads, float32 (N, neurons); arguments as of `forward()`."""
        return self.dropout(self._read_rows(images)[-1], generator)

    def read_rows(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the network holds after each row, and what it would answer there.

        Args:
            images: Normalised, float32 (N, 1, 28, 28).

        Returns:
            The states, float32 (N, 28, hidden_dim), in [-1, 1], and logits, float32 (N, 28, 10), as
            if the picture ended there.
        """
        states = torch.stack(self._read_rows(images), dim=1)
        return states, self.fc(states)

    def _read_rows(self, images: torch.Tensor) -> list[torch.Tensor]:
        # What the rows themselves give is computed at once.
        rows = self.input(images.flatten(0, 1)).unbind(1)  # 28 of (N, 4 * hidden_dim)
        hidden_dim = self.recurrent.in_features
        state = memory = None
        states = []
        for row in rows:
            gates = row if state is None else row + self.recurrent(state)
            opened, new = gates.split([3 * hidden_dim, hidden_dim], dim=1)
            enter, keep, leave = opened.sigmoid().split(hidden_dim, dim=1)
            entering = enter * new.tanh()
            memory = entering if memory is None else keep * memory + entering
            state = leave * memory.tanh()
            states.append(state)
        return states
