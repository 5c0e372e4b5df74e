"""A Transformer that looks at a picture as a handful of patches."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foundry.data import DIGITS, IMAGE_SIZE
from foundry.models.networks.digits import DigitNetwork, Dropout, describe_classes


class Transformer(DigitNetwork):
    """A Transformer over the 16 patches of 7x7 pixels of a digit, which answers by their mean.

    Layers are normalised before they compute, positions are learned, and there is no token of its
    own for the class.

    Source: Dosovitskiy et al., An image is worth 16x16 words, 2021.
    """

    WIDTHS: ClassVar = {"head_dim": 16, "mlp_dims": (128, 128, 128)}
    PATCH_SIZE = 7
    NUM_HEADS = 4

    def __init__(
        self,
        head_dim: int = 16,
        mlp_dims: Sequence[int] = (128, 128, 128),
        dropout: float = 0.0,
        classes: Sequence[str] = DIGITS,
    ) -> None:
        """Build the network with random weights.

        Args:
            head_dim: Numbers by which each of the four heads compares patches.
            mlp_dims: Hidden neurons of each layer.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
            classes: What it can answer, in the order of the logits.
        """
        super().__init__(classes)
        self.config = {
            "architecture": "transformer",
            "head_dim": head_dim,
            "mlp_dims": list(mlp_dims),
            "dropout": dropout,
            **describe_classes(classes),
        }
        dim = self.NUM_HEADS * head_dim
        self.embed = nn.Linear(self.PATCH_SIZE**2, dim)
        num_patches = (IMAGE_SIZE // self.PATCH_SIZE) ** 2
        self.position = nn.Parameter(0.02 * torch.randn(num_patches, dim))
        self.layers = nn.ModuleList(
            Layer(dim, self.NUM_HEADS, mlp_dim, dropout) for mlp_dim in mlp_dims
        )
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self.fc = nn.Linear(dim, len(classes))

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self.fc

    def describe(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what the last layer reads, float32 (N, dim); arguments as of `forward()`."""
        x = self._embed(images)
        for layer in self.layers:
            x = layer(x, generator)
        return self.dropout(self.norm(x).mean(1), generator)

    def attend(self, images: Tensor) -> Tensor:
        """Return how much each patch takes from each.

        Args:
            images: Normalised, float32 (N, 1, 28, 28).

        Returns:
            Float32 (N, layers, heads, patches, patches); each row is one patch's, and sums to 1.
        """
        x, found = self._embed(images), []
        for layer in self.layers:
            assert isinstance(layer, Layer)
            found.append(layer.attention.weigh(layer.norm1(x))[0])
            x = layer(x)
        return torch.stack(found, dim=1)

    def _embed(self, images: Tensor) -> Tensor:
        """Return the patches, row by row, float32 (N, patches, dim)."""
        size = self.PATCH_SIZE
        across = IMAGE_SIZE // size
        grid = images.reshape(-1, across, size, across, size).transpose(2, 3)
        return self.embed(grid.reshape(-1, across**2, size**2)) + self.position


class Layer(nn.Module):
    """Patches take from one another, then each is transformed by itself."""

    def __init__(self, dim: int, num_heads: int, mlp_dim: int, dropout: float) -> None:
        """Build it with random weights.

        Args:
            dim: Numbers by which a patch is described.
            num_heads: A divisor of that.
            mlp_dim: Hidden neurons.
            dropout: Probability of dropping one while training.
        """
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, mlp_dim)
        self.fc2 = nn.Linear(mlp_dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Map patches, float32 (N, patches, dim), to patches."""
        x = x + self.attention(self.norm1(x))
        hidden = F.gelu(self.fc1(self.norm2(x)))
        return x + self.fc2(self.dropout(hidden, generator))


class Attention(nn.Module):
    """Every patch takes from every patch, as much as they match, in each head by itself."""

    def __init__(self, dim: int, num_heads: int) -> None:
        """Build it with random weights.

        Args:
            dim: As in `Layer`.
            num_heads: As in `Layer`.
        """
        super().__init__()
        self.num_heads, self.head_dim = num_heads, dim // num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def weigh(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return who takes how much from whom, and what there is to take.

        Args:
            x: Patches, float32 (N, patches, dim).

        Returns:
            Float32 (N, heads, patches, patches) and (N, heads, patches, head_dim).
        """
        parts = self.qkv(x).unflatten(-1, (3, self.num_heads, self.head_dim)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        weights = (query * self.head_dim**-0.5) @ key.transpose(-2, -1)
        return weights.softmax(-1), value

    def forward(self, x: Tensor) -> Tensor:
        """Map patches, float32 (N, patches, dim), to what they take."""
        weights, value = self.weigh(x)
        taken: Tensor = self.out((weights @ value).transpose(1, 2).flatten(2))
        return taken
