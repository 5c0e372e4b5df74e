"""Taking away what a printer left on the paper: rules, squares, a margin line, boxes of a form."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
import skimage

from foundry.digits.parts import typical_height
from foundry.digits.sheet.ruling import sample_pixels, score_slopes

# All as shares of the longer side of the picture: how thick rules are at most, which gaps they have
# where they are faint, and the shortest side of a box.
_THICKEST = 0.011
_GAP = 0.01
_SHORTEST = 0.045
# A rule is this long a share of the picture; no digit has a stroke of so many times its height.
_LONG = 0.45
_ALL_THE_WAY = 0.95
_LONGEST_BAR = 1.6
_LONGEST_STEM = 1.9
_LONGEST_ON_SQUARES = 1.4
# Ink so many times as dark as a line is no part of it.
_DARKER = 1.7
# Lower parts, as a share of the picture, are specks.
_LOWEST_PART = 0.015
# Slopes in which rules are looked for.
_SLOPES = np.tan(np.deg2rad(np.arange(-10, 10.1, 0.25)))
# Sides of boxes are compared in pairs.
_MAX_SIDES = 120


@dataclass(frozen=True, eq=False)
class _Segment:
    """A straight line; along and across are columns and rows, or the other way round.

    Attributes:
        label: Its number among the runs of its direction.
        start: Where it begins along its direction, in pixels.
        end: Where it ends.
        offset: Where it begins across its direction.
        slope: Pixels across a pixel along.
    """

    label: int
    start: int
    end: int
    offset: float
    slope: float

    @property
    def length(self) -> int:
        """Pixels from start to end."""
        return self.end - self.start

    def across(self, along: float) -> float:
        """Return where it is across, at a place along."""
        return self.offset + self.slope * (along - self.start)


class _Direction:
    """Straight lines that run along the rows of a picture, turned by at most ten degrees.

    Attributes:
        long: bool (H, W), lines that few strokes are as long as, thick or covered in places.
        long_segments: The same as segments.
        segments: All other thin ones.
    """

    def __init__(self, mask: np.ndarray) -> None:
        """Find them.

        Args:
            mask: bool (H, W), where there may be ink.
        """
        longer = max(mask.shape)
        thickest = max(3, round(_THICKEST * longer))
        thin = mask & (_open(mask, thickest + 1, axis=0) == 0)
        self._shape = mask.shape
        slope = _find_slope(*np.nonzero(thin))
        drops = np.rint(slope * np.arange(mask.shape[1])).astype(int)
        self._lifts = drops.max() - drops + 1
        gap = max(3, round(_GAP * longer))
        self._near = _close(self._level(thin), gap)
        # Digits that a line goes through belong to its run.
        self._long = _open(_close(self._level(mask), gap), round(_LONG * mask.shape[1]), axis=1)
        short = _open(self._near & ~_widen(self._long), round(_SHORTEST * longer), axis=1)
        self.long = self.cover_long(0)
        self._labels = skimage.measure.label(self._restore(short), connectivity=2)
        self.segments = []
        for region in skimage.measure.regionprops(self._labels):
            self.segments.append(_measure(region, slope, thickest))
        # Numbers of their own: no segment has one below 0.
        self.long_segments = [
            replace(_measure(region, slope, thickest), label=-region.label)
            for region in skimage.measure.regionprops(skimage.measure.label(self.long))
        ]

    def cover(self, segments: Collection[_Segment]) -> np.ndarray:
        """Return the pixels of those segments that are of this direction, bool (H, W)."""
        labels = [one.label for one in self.segments if one in segments]
        return np.isin(self._labels, labels)

    def cover_long(self, shortest: float) -> np.ndarray:
        """Return the long lines that are so long at least; bool (H, W)."""
        kept = np.zeros_like(self._long)
        for region in skimage.measure.regionprops(skimage.measure.label(self._long > 0)):
            if region.image.shape[1] >= shortest:
                kept[region.slice] |= region.image.astype(kept.dtype)
        return self._restore(kept & self._near)

    def _level(self, mask: np.ndarray) -> np.ndarray:
        """Shift columns so that the lines become level, and widen them; uint8."""
        rows, columns = np.nonzero(mask)
        level = np.zeros((mask.shape[0] + self._lifts.max() + 1, mask.shape[1]), dtype=np.uint8)
        level[rows + self._lifts[columns], columns] = 1
        return _widen(level)

    def _restore(self, level: np.ndarray) -> np.ndarray:
        """Shift columns back; bool (H, W)."""
        rows, columns = (np.arange(side) for side in self._shape)
        return np.asarray(level[rows[:, None] + self._lifts[None], columns[None]] > 0)


def _measure(region: Any, slope: float, thickest: int) -> _Segment:
    """Make a segment of a region of pixels."""
    top, start, _, end = region.bbox
    offset = top + np.flatnonzero(region.image[:, :thickest].any(1)).mean()
    return _Segment(region.label, start, end, offset, slope)


def remove_rules(contrast: np.ndarray, faintest: np.ndarray) -> np.ndarray:
    """Take away long straight lines and boxes, and leave the strokes that cross them.

    Args:
        contrast: float32 (H, W), 0 = paper.
        faintest: What may be a line; broadcasts to `contrast`.

    Returns:
        The same with 0 where only printed lines are.
    """
    mask = contrast > faintest
    if not mask.any():
        return contrast
    level, upright = _Direction(mask), _Direction(mask.T)
    cleaned = contrast.copy()

    def erase(bands: tuple[np.ndarray, np.ndarray]) -> None:
        across = (bands[1].T, bands[0].T)
        for band, other, ink, left in zip(
            bands, across, (cleaned, cleaned.T), (mask, mask.T), strict=True
        ):
            if (band & left).any():
                erased = _erase(ink, band, other, float(np.percentile(ink[band & left], 80)))
                left &= ~erased
                ink[erased] = 0

    boxes = _find_boxes(mask, [*level.segments, *level.long_segments], upright.segments)
    rest = mask & ~_widen(level.long) & ~_widen(upright.long).T
    height = _typical_height(rest)
    # Where nothing else is, what is long may be the stroke of a large digit.
    rules = level.cover_long(_LONGEST_BAR * height if height else _ALL_THE_WAY * mask.shape[1])
    # All in one part may be one stroke that bends.
    is_one = skimage.measure.label(mask, connectivity=2).max() == 1
    lines = upright.cover_long(_LONGEST_STEM * height if height and not is_one else np.inf)
    erase((rules | level.cover(boxes), lines | upright.cover(boxes)))
    digit_height = _typical_height(mask)
    bars = [one for one in level.segments if one.length > _LONGEST_BAR * digit_height]
    # On squared paper a one is more likely to be short than a line.
    longest = _LONGEST_ON_SQUARES if lines.any() else _LONGEST_STEM
    stems = [one for one in upright.segments if one.length > longest * digit_height]
    bands = level.cover(bars), upright.cover(stems)
    # A stroke with nothing beside it is what was written.
    if _typical_height(mask & ~_widen(bands[0]) & ~_widen(bands[1]).T):
        erase(bands)
    return cleaned


def _erase(ink: np.ndarray, band: np.ndarray, other: np.ndarray, level: float) -> np.ndarray:
    """Return the pixels of lines that no stroke crosses.

    Args:
        ink: float32 (H, W), the contrast.
        band: Where the lines are.
        other: Where lines are that cross these.
        level: Contrast of the lines.
    """
    strong = ink > 0.45 * level
    band = _widen(band)
    beyond = strong & ~band & ~_widen(other.T).T
    # Ink that goes on for two pixels above or below.
    below = np.zeros_like(beyond)
    below[:-2] = beyond[1:-1] & beyond[2:]
    above = np.zeros_like(beyond)
    above[2:] = beyond[1:-1] & beyond[:-2]
    crossed = scipy.ndimage.binary_propagation(
        (below | above) & band, structure=np.array([[0, 1, 0]] * 3, dtype=bool), mask=band & strong
    )
    # The blurred edges of the lines too.
    lines = band | (_widen(band) & ~strong)
    erased: np.ndarray = (
        lines & ~scipy.ndimage.maximum_filter1d(crossed, 5, axis=1) & (ink < _DARKER * level)
    )
    return erased


def _open(mask: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Keep what is at least so long along one axis; uint8."""
    size = max(3, size)
    eroded = scipy.ndimage.minimum_filter1d(mask.astype(np.uint8), size, axis=axis, mode="nearest")
    # An even window is off its middle by half a pixel: there and back again.
    back = -1 if size % 2 == 0 else 0
    opened: np.ndarray = scipy.ndimage.maximum_filter1d(
        eroded, size, axis=axis, mode="nearest", origin=back
    )
    return opened


def _close(mask: np.ndarray, size: int) -> np.ndarray:
    """Fill gaps in rows that are shorter; uint8."""
    return 1 - _open(1 - mask, size, axis=1)


def _find_slope(rows: np.ndarray, columns: np.ndarray) -> float:
    """Find in which direction pixels gather most on lines."""
    if not len(rows):
        return 0.0
    scores = score_slopes(*sample_pixels(rows, columns), _SLOPES)
    # Of equal ones the most level.
    return float(max(zip(scores, -np.abs(_SLOPES), _SLOPES, strict=True))[2])


def _widen(band: np.ndarray) -> np.ndarray:
    """Add a pixel above and below."""
    return np.asarray(scipy.ndimage.maximum_filter1d(band, 3, axis=0))


def _typical_height(mask: np.ndarray) -> float:
    """Return the height of the parts that most of the ink is in; 0 if there is none."""
    lowest = max(3.0, _LOWEST_PART * max(mask.shape))
    sizes = [
        (region.bbox[2] - region.bbox[0], region.area)
        for region in skimage.measure.regionprops(skimage.measure.label(mask, connectivity=2))
        if region.bbox[2] - region.bbox[0] >= lowest
    ]
    return typical_height(sizes) if sizes else 0.0


def _find_boxes(mask: np.ndarray, level: list[_Segment], upright: list[_Segment]) -> set[_Segment]:
    """Return the sides of rectangles that something is written into, and of others as large."""
    near = max(5.0, 0.008 * max(mask.shape))
    upright = [one for one in upright if one.length < _LONG * len(mask)]
    upright = sorted(upright, key=lambda one: -one.length)[:_MAX_SIDES]
    found = []
    for one in upright:
        for other in upright:
            left, right = one.across(one.start), other.across(other.start)
            slack = 2 * near + 0.18 * (right - left)
            if right - left < 8 or abs(one.start - other.start) > slack:
                continue
            if abs(one.end - other.end) > slack:
                continue
            tops = [side for side in level if _joins(side, one, other, "start", near)]
            bottoms = [side for side in level if _joins(side, one, other, "end", near)]
            if tops and bottoms:
                size = np.array([right - left, one.length])
                inner = mask[
                    round(one.start + 2 * near) : round(one.end - 2 * near),
                    round(left + 2 * near) : round(right - 2 * near),
                ]
                is_filled = inner.size > 0 and inner.mean() > 0.01
                found.append(({one, other, *tops, *bottoms}, size, is_filled))
    filled = [size for _, size, is_filled in found if is_filled]
    sides: set[_Segment] = set()
    for segments, size, _ in found:
        if any((np.abs(size - other) < 0.2 * other).all() for other in filled):
            sides |= segments
    return sides


def _joins(side: _Segment, left: _Segment, right: _Segment, end: str, near: float) -> bool:
    """Tell whether a level line connects two upright ones at their starts or ends."""
    for upright in (left, right):
        along = getattr(upright, end)
        column = upright.across(along)
        if not side.start - near <= column <= side.end + near:
            return False
        if abs(side.across(column) - along) > near:
            return False
    return True
