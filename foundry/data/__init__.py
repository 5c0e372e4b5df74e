"""MNIST as it ships, what visitors bring, and the samples that calibrate and measure models.

Begin in `mnist.py`: `load_mnist()` checks the four files and returns the fixed splits.
`own/` reads the data sets that visitors bring, `archives.py` opens ZIP files without trusting them,
`names.py` checks what visitors call a class, `holding_out.py` sets examples aside to judge by.
`pictures.py` opens what somebody sent, `photos.py` frames it as classifiers of ImageNet see it.
`spreadsheets.py` writes CSV. `calibration/` and `samples/` hold inputs only: for int8 models,
and for measurements.
"""

from foundry.data.mnist import (
    DATA_DIR,
    IMAGE_SIZE,
    NUM_CLASSES,
    NUM_TRAIN,
    NUM_VAL,
    PIXEL_MEAN,
    PIXEL_STD,
    load_mnist,
    load_test_split,
    normalize,
    normalize_pixels,
)
from foundry.data.splits import DIGITS, DataSet, Split

__all__ = [
    "DATA_DIR",
    "DIGITS",
    "IMAGE_SIZE",
    "NUM_CLASSES",
    "NUM_TRAIN",
    "NUM_VAL",
    "PIXEL_MEAN",
    "PIXEL_STD",
    "DataSet",
    "Split",
    "load_mnist",
    "load_test_split",
    "normalize",
    "normalize_pixels",
]
