"""From ink to parts: connected strokes, and the lines of writing that they stand in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Loaded when it is first used; no server needs it before its first visitor.
import skimage

from foundry.errors import InputError

INK = 0.5
MAX_DIGITS = 50
# More strokes and spots than such digits can have; each is compared with those before it.
_MAX_PARTS = 20 * MAX_DIGITS
# Parts lower than this share of a digit are specks of dust.
_SPECK_HEIGHT = 0.25
# Dots printed all over a sheet, or noise: so many at least, each as small a share of the picture,
# and everything else so many times as large.
_MIN_DOTS = 20
_DOT_SIDE = 0.012
_ABOVE_DOTS = 2.2
# Lower than this share of a digit, a part is a piece of one.
_PIECE_HEIGHT = 0.55
# Lines of writing slope by at most so much; it is measured between digits that are at most so many
# heights apart, if there are as many.
_STEEPEST = float(np.tan(np.deg2rad(12)))
_FURTHEST = 3.0
_SLOPES = np.tan(np.deg2rad(np.arange(-12, 12.1, 2)))
# Digits are this far off their line, in their heights, and a line costs as much as so many of them.
_STRAIGHT = 0.2
_LINE_COST = 6.0
# Closer than this many heights is on one line.
_SAME_LINE = 0.6
_MIN_NEIGHBOURS = 2


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

    @property
    def middle(self) -> tuple[float, float]:
        """Column and row of the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def gap(self, other: "Box") -> float:
        """Return the pixels between both; 0 where they overlap."""
        across = max(other.left - self.right, self.left - other.right, 0)
        down = max(other.top - self.bottom, self.top - other.bottom, 0)
        return float(np.hypot(across, down))

    def scale(self, across: float, down: float) -> list[int]:
        """Return left, top, right and bottom in a picture that is so many times as large."""
        return [
            int(self.left * across),
            int(self.top * down),
            math.ceil(self.right * across),
            math.ceil(self.bottom * down),
        ]

    def union(self, other: "Box") -> "Box":
        """Return the smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True, eq=False)
class Part:
    """Ink that belongs together.

    Attributes:
        box: Where it is.
        ink: float32, as large as the box, nothing but its own.
    """

    box: Box
    ink: np.ndarray

    def join(self, other: "Part") -> "Part":
        """Return both as one."""
        box = self.box.union(other.box)
        ink = np.zeros((box.height, box.width), dtype=np.float32)
        for part in (self, other):
            rows = slice(part.box.top - box.top, part.box.bottom - box.top)
            columns = slice(part.box.left - box.left, part.box.right - box.left)
            ink[rows, columns] = np.maximum(ink[rows, columns], part.ink)
        return Part(box, ink)


def crop_ink(ink: np.ndarray, box: Box) -> np.ndarray:
    """Return the ink in a box."""
    return ink[box.top : box.bottom, box.left : box.right]


def find_parts(ink: np.ndarray) -> list[Part]:
    """Return every connected stroke; dust and dots of the paper left out.

    Args:
        ink: float32 (H, W), in [0, 1].

    Raises:
        InputError: If there are too many marks for this to be handwritten digits.
    """
    labels = skimage.measure.label(ink > INK, connectivity=2)
    regions = skimage.measure.regionprops(labels)
    if not regions:
        return []
    sides = [max(region.image.shape) for region in regions]
    dots = _measure_dots(sides, max(ink.shape))
    areas = [region.area for region in regions]
    sizes = [(side, area) for side, area in zip(sides, areas, strict=True) if side > dots]
    smallest = max(_SPECK_HEIGHT * typical_height(sizes), dots + 1)
    regions = [region for region, side in zip(regions, sides, strict=True) if side >= smallest]
    if len(regions) > _MAX_PARTS:
        raise too_many(len(regions))
    parts = []
    for region in regions:
        top, left, bottom, right = region.bbox
        here = labels[region.slice]
        own = np.where((here == region.label) | (here == 0), ink[region.slice], 0)
        parts.append(Part(Box(left, top, right, bottom), own.astype(np.float32)))
    return parts


def _measure_dots(sides: Sequence[int], longer: int) -> int:
    """Return how large the largest of many dots is, in pixels; 0 if there are none.

    Args:
        sides: The longer side of each part.
        longer: That of the picture.
    """
    ordered = np.sort(sides)
    is_last = ordered[1:] >= _ABOVE_DOTS * ordered[:-1]
    is_last[: _MIN_DOTS - 1] = False
    is_last &= ordered[:-1] <= max(3.0, _DOT_SIDE * longer)
    return int(ordered[:-1][is_last].max(initial=0))


def typical_height(sizes: list[tuple[float, float]]) -> float:
    """Return the height that half of the ink is in parts above or below of.

    Args:
        sizes: Height and amount of ink of every part.
    """
    heights, amounts = (
        np.array(column, dtype=float) for column in zip(*sorted(sizes), strict=True)
    )
    return float(heights[np.searchsorted(amounts.cumsum(), amounts.sum() / 2)])


def find_lines(parts: list[Part]) -> list[list[Part]]:
    """Sort parts into lines of writing.

    Args:
        parts: In any order.

    Returns:
        Lines from top to bottom, each from left to right.
    """
    if not parts:
        return []
    height = typical_height([(part.box.height, part.ink.sum()) for part in parts])
    whole = [part for part in parts if part.box.height >= _PIECE_HEIGHT * height] or parts
    slopes = [0.0, _find_slope(whole, height), *_SLOPES]
    slope = min(slopes, key=lambda one: _group(whole, one, height)[0])
    lines = _group(whole, slope, height)[1]

    def row(part: Part) -> float:
        column, line = part.box.middle
        return line - slope * column

    whole_ones = set(whole)
    for part in parts:
        if part not in whole_ones:
            nearest = min(lines, key=lambda line: abs(row(part) - row(line[0])))
            nearest.append(part)
    return [sorted(line, key=lambda part: part.box.middle[0]) for line in lines]


def too_many(num_marks: int) -> InputError:
    """Return the sentence for what cannot be handwritten digits."""
    return InputError(
        f"{num_marks} separate marks were found; "
        f"take a picture of at most {MAX_DIGITS} digits on plain paper."
    )


def _group(parts: list[Part], slope: float, height: float) -> tuple[float, list[list[Part]]]:
    """Group parts into lines; the fewer and the straighter they are, the less it costs."""
    middles = np.array([part.box.middle for part in parts])
    rows = (middles[:, 1] - slope * middles[:, 0]) / height
    lines: list[list[int]] = []
    for index in np.argsort(rows, kind="stable").tolist():
        if lines and rows[index] - np.mean(rows[lines[-1]]) < _SAME_LINE:
            lines[-1].append(index)
        else:
            lines.append([index])
    bends = sum(float(((rows[line] - rows[line].mean()) ** 2).sum()) for line in lines)
    cost = bends / _STRAIGHT**2 + _LINE_COST * len(lines)
    return cost, [[parts[index] for index in line] for line in lines]


def _find_slope(parts: list[Part], height: float) -> float:
    """Return the middle slope from a part to the next one on its line; 0 if there are few."""
    middles = np.array([part.box.middle for part in parts])
    across, down = np.moveaxis(middles[None] - middles[:, None], 2, 0)
    is_neighbour = (across > 0.3 * height) & (across < _FURTHEST * height)
    is_neighbour &= np.abs(down) < _STEEPEST * across + 0.15 * height
    # Of all that may be next, the nearest.
    distance = np.where(is_neighbour, np.hypot(across, 2 * down), np.inf)
    nearest = distance.argmin(1)
    found = np.flatnonzero(np.isfinite(distance.min(1)))
    if len(found) < _MIN_NEIGHBOURS:
        return 0.0
    slopes = down[found, nearest[found]] / across[found, nearest[found]]
    return float(np.clip(np.median(slopes), -_STEEPEST, _STEEPEST))
