"""Reading digits: ink -> boxes -> 28x28 as MNIST was made -> class probabilities."""

import math
from dataclasses import dataclass

import numpy as np

# Both load their parts when they are first used; no server needs them before its first visitor.
import scipy
import skimage
import torch
from PIL import Image

from foundry.data import IMAGE_SIZE, normalize
from foundry.digits.ink import find_ink
from foundry.errors import InputError
from foundry.models.runtime import Predictor, on_narrow_thread

# MNIST's own frame: the digit fits 20x20, and its centre of mass is at (14, 14) of 28x28.
DIGIT_SIZE = 20
CENTRE = 14

# Work at four times the target, so that the last reduction smooths the edges.
_OVERSAMPLING = 4
# Stroke widths of MNIST's middle 90%, in pixels of 28; outside, strokes are redrawn at the limit.
_STROKE_WIDTHS = (1.8, 4.0)
_INK = 0.5
# Parts lower than this share of the tallest part are specks of dust.
_SPECK_HEIGHT = 0.25
_MAX_DIGITS = 50
# More strokes and spots than such digits can have; each is compared with those before it.
_MAX_PARTS = 20 * _MAX_DIGITS


@dataclass(frozen=True)
class Box:
    """Where a digit is, in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    def union(self, other: "Box") -> "Box":
        """Return the smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class Reading:
    """One digit that was read.

    Attributes:
        box: Where it was found.
        image: What the model saw, uint8 (28, 28), 255 = ink.
        probs: float32 (10,), sums to 1.
    """

    box: Box
    image: np.ndarray
    probs: np.ndarray

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.probs.argmax())


def read_drawing(model: Predictor, image: Image.Image) -> Reading | None:
    """Read a picture as one digit.

    Args:
        model: A digit classifier giving logits (N, 10).
        image: A drawing or photo of one digit.

    Returns:
        The reading, or None if there is no ink.
    """
    return read_ink(model, find_ink(image))


def read_ink(model: Predictor, ink: np.ndarray) -> Reading | None:
    """Read ink as one digit.

    Args:
        model: A digit classifier giving logits (N, 10).
        ink: float32 (H, W), in [0, 1]: 0 = paper, 1 = full ink.

    Returns:
        The reading, or None if there is no ink.
    """
    parts = _find_parts(ink)
    if not parts:
        return None
    box = parts[0]
    for part in parts[1:]:
        box = box.union(part)
    return _classify(model, ink, [box])[0]


def read_photo(model: Predictor, image: Image.Image) -> list[Reading]:
    """Find the digits on a picture and read them line by line, left to right.

    Args:
        model: A digit classifier giving logits (N, 10).
        image: A photo or scan of handwritten digits that do not touch each other.

    Returns:
        A reading per digit; empty if there is no ink.

    Raises:
        InputError: If there are too many parts for this to be handwritten digits.
    """
    ink = find_ink(image)
    boxes = find_digits(ink)
    if len(boxes) > _MAX_DIGITS:
        raise _too_many(len(boxes))
    return _classify(model, ink, boxes) if boxes else []


def find_digits(ink: np.ndarray) -> list[Box]:
    """Find separate digits in reading order.

    Args:
        ink: float32 (H, W), in [0, 1].

    Returns:
        A box for every digit: lines from top to bottom, each from left to right.

    Raises:
        InputError: If there are too many marks for this to be handwritten digits.
    """
    parts = _find_parts(ink)
    if len(parts) > _MAX_PARTS:
        raise _too_many(len(parts))
    digits: list[Box] = []
    for part in sorted(parts, key=lambda box: -box.height):
        for index, digit in enumerate(digits):
            if _is_same_digit(digit, part):
                digits[index] = digit.union(part)
                break
        else:
            digits.append(part)
    return _reading_order(digits)


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


@on_narrow_thread
def classify_digits(model: Predictor, images: np.ndarray) -> np.ndarray:
    """Classify pictures that are already as MNIST's.

    Args:
        model: A digit classifier giving logits (N, 10).
        images: uint8, shape (N, 28, 28), 255 = ink.

    Returns:
        float32 probabilities, shape (N, 10).
    """
    with torch.inference_mode():
        return model(normalize(torch.from_numpy(images))).softmax(dim=1).numpy()


def _classify(model: Predictor, ink: np.ndarray, boxes: list[Box]) -> list[Reading]:
    images = np.stack([to_mnist(ink[box.top : box.bottom, box.left : box.right]) for box in boxes])
    probs = classify_digits(model, images)
    return [Reading(*found) for found in zip(boxes, images, probs, strict=True)]


def _too_many(num_marks: int) -> InputError:
    return InputError(
        f"{num_marks} separate marks were found; "
        f"take a picture of at most {_MAX_DIGITS} digits on plain paper."
    )


def _find_parts(ink: np.ndarray) -> list[Box]:
    """Return a box for every connected stroke, dust left out."""
    parts = [
        Box(region.bbox[1], region.bbox[0], region.bbox[3], region.bbox[2])
        for region in skimage.measure.regionprops(skimage.measure.label(ink > _INK, connectivity=2))
    ]
    if not parts:
        return []
    tallest = max(max(part.height, part.width) for part in parts)
    return [part for part in parts if max(part.height, part.width) >= _SPECK_HEIGHT * tallest]


def _is_same_digit(digit: Box, part: Box) -> bool:
    """Tell whether a part, such as the bar of a 5, belongs to a digit found before."""
    overlap = min(digit.right, part.right) - max(digit.left, part.left)
    gap = max(digit.top, part.top) - min(digit.bottom, part.bottom)
    return overlap > 0.5 * min(digit.width, part.width) and gap < 0.35 * digit.height


def _reading_order(digits: list[Box]) -> list[Box]:
    lines: list[list[Box]] = []
    for digit in sorted(digits, key=lambda box: box.top + box.bottom):
        middle = (digit.top + digit.bottom) / 2
        if lines and lines[-1][0].top <= middle <= max(box.bottom for box in lines[-1]):
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda box: box.left)]


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
