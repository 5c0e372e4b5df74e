"""Photos as classifiers of ImageNet see them: the middle of the picture, 224 pixels wide."""

import numpy as np
import torch
from PIL import Image

PHOTO_SIZE = 224
# The shorter side, of which the middle is cut out.
SQUARE_SIZE = 256
# What a pixel is where a picture is transparent.
_PAPER = (255, 255, 255)
# In [0, 1]; of all three colours.
_MEAN, _STD = 0.5, 0.5


def flatten(image: Image.Image) -> Image.Image:
    """Return a picture as RGB, what is transparent on white.

    Args:
        image: RGBA, or without transparency.
    """
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, _PAPER)
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def square_photo(image: Image.Image) -> Image.Image:
    """Return the square in the middle of a picture, of which the network sees the middle: RGB.

    A square of its size, 256x256, is left as it is.

    Args:
        image: Upright; of any size and mode with 8 bits.
    """
    # Only the square in the middle is resized: of a strip the rest might not fit into memory.
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = flatten(image.crop((left, top, left + side, top + side)))
    return square.resize((SQUARE_SIZE, SQUARE_SIZE), Image.Resampling.BICUBIC)


def frame_photo(image: Image.Image) -> Image.Image:
    """Return what the network sees of a picture: RGB, 224x224.

    Args:
        image: Upright; of any size and mode with 8 bits.
    """
    margin = (SQUARE_SIZE - PHOTO_SIZE) // 2
    return square_photo(image).crop((margin, margin, margin + PHOTO_SIZE, margin + PHOTO_SIZE))


def normalize_photos(pictures: np.ndarray) -> torch.Tensor:
    """Turn pixels into the network's input.

    Args:
        pictures: uint8 (N, H, W, 3).

    Returns:
        float32 (N, 3, H, W), in [-1, 1].
    """
    return normalize_photo_pixels(to_pixels(pictures))


def to_pixels(pictures: np.ndarray) -> torch.Tensor:
    """Turn uint8 (N, H, W, 3) into float32 (N, 3, H, W), in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255


def normalize_photo_pixels(pixels: torch.Tensor) -> torch.Tensor:
    """Turn pixels into the network's input.

    Args:
        pixels: float32 (N, 3, H, W), in [0, 1].

    Returns:
        float32 (N, 3, H, W), in [-1, 1].
    """
    return (pixels - _MEAN) / _STD
