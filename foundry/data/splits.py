"""A data set to train on: three splits of small pictures, and what their classes are called."""

from dataclasses import dataclass

import torch

DIGITS = tuple(map(str, range(10)))


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        images: uint8, shape (N, 28, 28), 0 = paper, 255 = ink.
        labels: int64, shape (N,): the place of each image's class among the classes.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    def head(self, num_images: int) -> "Split":
        """Return the first `num_images` images; the order is random but fixed."""
        return Split(self.images[:num_images], self.labels[:num_images])


@dataclass(frozen=True)
class DataSet:
    """Three splits: one to learn from, one to choose on, one to report once.

    Attributes:
        train: To learn from; of MNIST 55,000.
        val: To choose on; of MNIST 5,000.
        test: To report once; of MNIST 10,000.
        classes: Their names, in the order of the labels.
    """

    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...] = DIGITS
