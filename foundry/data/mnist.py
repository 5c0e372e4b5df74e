"""MNIST as it ships with the project: four gzipped idx files, checked on load."""

import gzip
import hashlib
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from foundry.data.splits import DataSet, Split
from foundry.errors import ArtifactError

DATA_DIR = Path(__file__).parent

# Mean and standard deviation of all training pixels, in [0, 1]; the customary MNIST constants.
PIXEL_MEAN = 0.1307
PIXEL_STD = 0.3081

NUM_CLASSES = 10
IMAGE_SIZE = 28
NUM_TRAIN = 55_000
NUM_VAL = 5_000

_SPLIT_SEED = 0
_FILES = ("images-idx3-ubyte", "labels-idx1-ubyte")
# SHA-256 of the uncompressed idx files, as published.
_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def _read_idx(name: str, directory: Path) -> np.ndarray:
    path = directory / f"{name}.gz"
    try:
        with gzip.open(path) as file:
            raw = file.read()
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; restore it from the repository.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ArtifactError(
            f"{path} is damaged: it cannot be decompressed. Restore it from the repository."
        ) from None
    if hashlib.sha256(raw).hexdigest() != _SHA256[name]:
        raise ArtifactError(
            f"{path} is damaged: its SHA-256 differs from MNIST's. Restore it from the repository."
        )
    # The idx header is two zero bytes, a type code (8 = uint8), the number of dimensions,
    # then each dimension as a big-endian int32.
    num_dims = raw[3]
    shape = struct.unpack(f">{num_dims}I", raw[4 : 4 + 4 * num_dims])
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * num_dims).reshape(shape)


def _split_indices(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (train, validation) indices, stratified by digit and the same on every machine."""
    shuffled = np.random.RandomState(_SPLIT_SEED).permutation(len(labels))
    by_digit = shuffled[np.argsort(labels[shuffled], kind="stable")]
    # Every 12th of the images sorted by digit: 5,000 in all, each digit in proportion.
    is_val = np.zeros(len(labels), dtype=bool)
    is_val[by_digit[:: len(labels) // NUM_VAL]] = True
    return shuffled[~is_val[shuffled]], shuffled[is_val[shuffled]]


@lru_cache(maxsize=1)
def load_mnist(directory: Path = DATA_DIR) -> DataSet:
    """Load MNIST from its gzipped idx files; the second call returns the same object.

    Args:
        directory: Folder with the four `*-ubyte.gz` files.

    Returns:
        Train (55,000), validation (5,000) and test (10,000) splits. The training order is a
        fixed shuffle, so that the first N images are a fair sample.

    Raises:
        ArtifactError: If a file is missing or damaged; the message names it.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits (CC BY-SA 3.0).
    """
    images, labels = (_read_idx(f"train-{name}", directory) for name in _FILES)
    train_indices, val_indices = _split_indices(labels)
    return DataSet(
        train=_build_split(images[train_indices], labels[train_indices]),
        val=_build_split(images[val_indices], labels[val_indices]),
        test=load_test_split(directory),
    )


@lru_cache(maxsize=1)
def load_test_split(directory: Path = DATA_DIR) -> Split:
    """Load the test split alone, a seventh of the work; else as `load_mnist()`."""
    return _build_split(*(_read_idx(f"t10k-{name}", directory) for name in _FILES))


def _build_split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(torch.tensor(images), torch.tensor(labels, dtype=torch.int64))


def normalize(images: torch.Tensor) -> torch.Tensor:
    """Turn uint8 images into network input.

    Args:
        images: uint8, shape (N, 28, 28), 0 = paper, 255 = ink.

    Returns:
        float32, shape (N, 1, 28, 28), about zero mean and unit variance over MNIST.
    """
    pixels = images.to(torch.float32, copy=True)
    # In place: fresh memory for each step would take as long again.
    return pixels.div_(255).sub_(PIXEL_MEAN).div_(PIXEL_STD).unsqueeze(1)


def normalize_pixels(pixels: torch.Tensor) -> torch.Tensor:
    """Turn pixels between two grey levels of a file, as an attack makes them, into network input.

    Args:
        pixels: float32, shape (N, 1, 28, 28), 0 = paper, 1 = ink.

    Returns:
        float32 of the same shape, as `normalize()` does.
    """
    return (pixels - PIXEL_MEAN) / PIXEL_STD
