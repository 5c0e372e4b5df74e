"""Covering a part of a photo and asking again: what an explanation can be checked by."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from foundry.data.photos import PHOTO_SIZE
from foundry.errors import InputError
from foundry.models.runtime import on_narrow_thread
from foundry.photos.model import PhotoModel, prepare_photo

# Smaller ones change nothing.
MIN_SIDE = 8


@dataclass(frozen=True)
class Square:
    """A part of what the network sees.

    Attributes:
        left: Pixels, of 224.
        top: Pixels, of 224.
        side: Pixels, at least `MIN_SIDE`.
    """

    left: int
    top: int
    side: int

    def __post_init__(self) -> None:
        """Refuse what is not on the picture.

        Raises:
            InputError: If it is too small, or reaches over the rim.
        """
        farthest = PHOTO_SIZE - self.side
        if self.side < MIN_SIDE or not (0 <= self.left <= farthest and 0 <= self.top <= farthest):
            raise InputError(
                f"A square of {MIN_SIDE} to {PHOTO_SIZE} pixels on the picture can be covered."
            )


@dataclass(frozen=True)
class Covered:
    """What was answered with a part covered.

    Attributes:
        before: float32 (labels,), of the whole picture.
        after: float32 (labels,), with the part covered.
    """

    before: np.ndarray
    after: np.ndarray


@on_narrow_thread
def cover_and_ask(model: PhotoModel, image: Image.Image, square: Square) -> Covered:
    """Cover a square with the grey in the middle of the range, and ask again.

    Args:
        model: The shipped one, any variant of it.
        image: Upright, of any size.
        square: What is covered.

    Source: Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014.
    """
    inputs = prepare_photo(image)
    covered = inputs.clone()
    rows = slice(square.top, square.top + square.side)
    covered[..., rows, square.left : square.left + square.side] = 0
    # One after the other, as every answer is computed.
    before, after = (model.predict(one).softmax(1)[0].numpy() for one in (inputs, covered))
    return Covered(before, after)
