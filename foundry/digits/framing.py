"""From ink to a picture as MNIST's authors made theirs."""

import math

import numpy as np

# Both load their parts when they are first used; no server needs them before its first visitor.
import scipy
import skimage
from PIL import Image

from foundry.data import IMAGE_SIZE
from foundry.digits.ink import find_ink
from foundry.errors import InputError

# MNIST's own frame: the digit fits 20x20, and its centre of mass is at (14, 14) of 28x28.
DIGIT_SIZE = 20
CENTRE = 14

# Work at four times the target, so that the last reduction smooths the edges.
_OVERSAMPLING = 4
# Stroke widths of MNIST's middle 90%, in pixels of 28; outside, strokes are redrawn at the limit.
_STROKE_WIDTHS = (1.8, 4.0)
_INK = 0.5


def to_mnist(ink: np.ndarray) -> np.ndarray:
    """Do to ink what MNIST's authors did to their scans.

    Crop, fit into 20x20 keeping the aspect, smooth the edges, and put the centre of mass at the
    centre of 28x28. Strokes thinner or thicker than nearly all of MNIST's are redrawn first.

    Args:
        ink: float32 (H, W), in [0, 1], with some ink.

    Returns:
        uint8, shape (28, 28), 255 = ink.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits.
    """
    rows, columns = np.flatnonzero((ink > _INK).any(1)), np.flatnonzero((ink > _INK).any(0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = DIGIT_SIZE * _OVERSAMPLING / max(cropped.shape)
    cropped = _save_thin_strokes(cropped, scale)
    large = _resize(cropped, [max(1, round(side * scale)) for side in cropped.shape])
    large = _limit_stroke_width(large)
    longest = max(large.shape)
    size = [max(1, round(side * DIGIT_SIZE / longest)) for side in large.shape]
    small = _resize(large, size)
    small = small / small.max()
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32)
    canvas[: size[0], : size[1]] = small
    centre = scipy.ndimage.center_of_mass(small)
    # Whole pixels, as in MNIST: a fraction would blur. The frame keeps all of the digit.
    shift = [
        int(np.clip(round(CENTRE - c), 0, IMAGE_SIZE - side))
        for c, side in zip(centre, size, strict=True)
    ]
    return np.rint(np.roll(canvas, shift, axis=(0, 1)) * 255).astype(np.uint8)


def frame_handwriting(image: Image.Image) -> np.ndarray:
    """Find the ink on a picture, and do to it what MNIST's authors did.

    Args:
        image: Any mode.

    Returns:
        uint8, shape (28, 28), 255 = ink.

    Raises:
        InputError: If there is none.
    """
    ink = find_ink(image)
    if not (ink > _INK).any():
        raise InputError("No ink was found.")
    return to_mnist(ink)


def _resize(ink: np.ndarray, size: list[int]) -> np.ndarray:
    # Lanczos overshoots at edges; the box filter alone would leave steps when enlarging.
    image = Image.fromarray(np.clip(ink, 0, 1).astype(np.float32))
    resized = image.resize((size[1], size[0]), Image.Resampling.HAMMING)
    return np.clip(np.asarray(resized), 0, 1)


def _save_thin_strokes(ink: np.ndarray, scale: float) -> np.ndarray:
    """Thicken strokes that would fade away as the ink is reduced."""
    if scale >= 1:
        return ink
    mask = ink > _INK
    width = mask.sum() / skimage.morphology.skeletonize(mask).sum()
    # Two pixels hold one whole pixel, wherever they lie.
    if width * scale >= 2:
        return ink
    return scipy.ndimage.maximum_filter(mask.astype(np.float32), size=math.ceil(2 / scale))


def _limit_stroke_width(large: np.ndarray) -> np.ndarray:
    """Redraw the skeleton with a wider or a narrower pen where MNIST has no such strokes."""
    # Room for the pen around the skeleton.
    padded = np.pad(large, _OVERSAMPLING * 3)
    mask = padded > _INK * padded.max()
    skeleton = skimage.morphology.skeletonize(mask)
    depth = scipy.ndimage.distance_transform_edt(mask)
    width = 2 * float(np.median(depth[skeleton]))
    thinnest, thickest = (w * _OVERSAMPLING for w in _STROKE_WIDTHS)
    if thinnest <= width <= thickest:
        return large
    radius = min(max(width, thinnest), thickest) / 2
    distance = scipy.ndimage.distance_transform_edt(~skeleton)
    redrawn = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    rows, columns = np.flatnonzero(redrawn.any(1)), np.flatnonzero(redrawn.any(0))
    return redrawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
