"""Finding straight lines in ink, level or upright, also where they are broken or crossed."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import skimage

from foundry.digits.sheet.ruling import sample_pixels, score_slopes

# All as shares of the longer side of the picture: how thick rules are at most, which gaps they have
# where they are faint, and the shortest side of a box.
_THICKEST = 0.011
_GAP = 0.01
_SHORTEST = 0.045
# A rule is this long a share of the picture.
LONG = 0.45
# Slopes in which rules are looked for.
_SLOPES = np.tan(np.deg2rad(np.arange(-10, 10.1, 0.25)))


@dataclass(frozen=True, eq=False)
class Segment:
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


class Direction:
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
        thin = mask & ~open_along(mask, thickest + 1, axis=0)
        self._shape = mask.shape
        slope = _find_slope(*np.nonzero(thin))
        drops = np.rint(slope * np.arange(mask.shape[1])).astype(int)
        self._lifts = drops.max() - drops + 1
        gap = max(3, round(_GAP * longer))
        self._near = _close(self._level(thin), gap)
        # Digits that a line goes through belong to its run.
        self._long = open_along(_close(self._level(mask), gap), round(LONG * mask.shape[1]), axis=1)
        short = open_along(self._near & ~widen(self._long), round(_SHORTEST * longer), axis=1)
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

    def cover(self, segments: Collection[Segment]) -> np.ndarray:
        """Return the pixels of those segments that are of this direction, bool (H, W)."""
        labels = [one.label for one in self.segments if one in segments]
        return np.isin(self._labels, labels)

    def cover_long(self, shortest: float) -> np.ndarray:
        """Return the long lines that are so long at least; bool (H, W)."""
        kept = np.zeros_like(self._long)
        if not self._long.any():
            return self._restore(kept)
        for region in skimage.measure.regionprops(skimage.measure.label(self._long)):
            if region.image.shape[1] >= shortest:
                kept[region.slice] |= region.image
        return self._restore(kept & self._near)

    def _level(self, mask: np.ndarray) -> np.ndarray:
        """Shift columns so that the lines become level, and widen them; bool."""
        rows, columns = np.nonzero(mask)
        level = np.zeros((mask.shape[0] + self._lifts.max() + 1, mask.shape[1]), dtype=bool)
        level[rows + self._lifts[columns], columns] = True
        return widen(level)

    def _restore(self, level: np.ndarray) -> np.ndarray:
        """Shift columns back; bool (H, W)."""
        if not level.any():
            return np.zeros(self._shape, dtype=bool)
        rows, columns = (np.arange(side) for side in self._shape)
        return np.asarray(level[rows[:, None] + self._lifts[None], columns[None]])


def _measure(region: Any, slope: float, thickest: int) -> Segment:
    """Make a segment of a region of pixels."""
    top, start, _, end = region.bbox
    offset = top + np.flatnonzero(region.image[:, :thickest].any(1)).mean()
    return Segment(region.label, start, end, offset, slope)


def open_along(mask: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Keep what is at least so long along one axis; bool. The outline goes on beyond itself."""
    size = max(3, size)
    left, right = size // 2, size - size // 2 - 1
    rows = np.swapaxes(mask, 0, axis).astype(bool)
    # There and back again: an even window is off its middle.
    eroded = _combine_windows(np.logical_and, rows, left, right)
    return np.swapaxes(_combine_windows(np.logical_or, eroded, right, left), 0, axis)


def _combine_windows(combine: np.ufunc, rows: np.ndarray, before: int, after: int) -> np.ndarray:
    """Combine every row with so many before and after it, by windows of twice the size each time.

    Args:
        combine: Combines two rows; the same one twice must give itself.
        rows: Shape (H, W).
        before: Rows before, at least 0; the first one goes on.
        after: Rows after; the last one goes on.
    """
    rows = np.pad(rows, ((before, after), (0, 0)), mode="edge")
    size, done = before + after + 1, 1
    while done < size:
        step = min(done, size - done)
        rows = combine(rows[:-step], rows[step:])
        done += step
    return rows


def _close(mask: np.ndarray, size: int) -> np.ndarray:
    """Fill gaps in rows that are shorter; bool."""
    return ~open_along(~mask, size, axis=1)


def _find_slope(rows: np.ndarray, columns: np.ndarray) -> float:
    """Find in which direction pixels gather most on lines."""
    if not len(rows):
        return 0.0
    scores = score_slopes(*sample_pixels(rows, columns), _SLOPES)
    # Of equal ones the most level.
    return float(max(zip(scores, -np.abs(_SLOPES), _SLOPES, strict=True))[2])


def widen(band: np.ndarray) -> np.ndarray:
    """Add a pixel above and below; bool (H, W)."""
    wide = band.copy()
    wide[1:] |= band[:-1]
    wide[:-1] |= band[1:]
    return wide
