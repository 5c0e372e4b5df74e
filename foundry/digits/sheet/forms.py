"""Which lines are those of a form: boxes to write into, and combs."""

import itertools
from collections.abc import Sequence

import numpy as np

from foundry.digits.sheet.lines import LONG, Segment

# Sides of boxes are compared in pairs.
_MAX_SIDES = 120
# What stands on a line, in so many equal pieces at equal distances, are the teeth of a comb; those
# of a pen are less alike.
_MIN_TEETH = 3
_UNEQUAL = 0.12


def find_boxes(mask: np.ndarray, level: list[Segment], upright: list[Segment]) -> set[Segment]:
    """Return the sides of rectangles that something is written into, and of others as large."""
    near = _measure_near(mask)
    upright = [one for one in upright if one.length < LONG * len(mask)]
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
                is_filled = _is_filled(mask, one, other, near)
                found.append(({one, other, *tops, *bottoms}, size, is_filled))
    filled = [size for _, size, is_filled in found if is_filled]
    sides: set[Segment] = set()
    for segments, size, _ in found:
        if any((np.abs(size - other) < 0.2 * other).all() for other in filled):
            sides |= segments
    return sides


def find_teeth(mask: np.ndarray, level: list[Segment], upright: list[Segment]) -> set[Segment]:
    """Return combs: lines with upright pieces that divide the room over them into equal ones.

    Ones that stand on a line may be as alike, but have nothing written between them.
    """
    near = _measure_near(mask)
    found: set[Segment] = set()
    for line in _join_lines(level, near):
        teeth = [one for one in upright if any(_meets(one, piece, "end", near) for piece in line)]
        teeth.sort(key=lambda one: one.across(one.end))
        if len(teeth) >= _MIN_TEETH and _are_alike(teeth):
            rooms = [_is_filled(mask, *pair, near) for pair in itertools.pairwise(teeth)]
            if 2 * sum(rooms) >= len(rooms):
                found |= {*line, *teeth}
    return found


def _join_lines(level: list[Segment], near: float) -> list[list[Segment]]:
    """Join what is one line, broken off where others meet it."""
    lines: list[list[Segment]] = []
    for piece in sorted(level, key=lambda one: one.start):
        for line in lines:
            last = line[-1]
            offset = piece.across(piece.start) - last.across(last.end)
            if 0 <= piece.start - last.end <= 2 * near and abs(offset) <= near:
                line.append(piece)
                break
        else:
            lines.append([piece])
    return lines


def _are_alike(teeth: Sequence[Segment]) -> bool:
    """Tell whether all are as long, and as far from the next."""
    gaps = np.diff([one.across(one.end) for one in teeth])
    lengths = [one.length for one in teeth]
    return all(np.ptp(sizes) <= _UNEQUAL * np.mean(sizes) + 2 for sizes in (gaps, lengths))


def _measure_near(mask: np.ndarray) -> float:
    """Return how far from one another lines may end that meet, in pixels."""
    return max(5.0, 0.008 * max(mask.shape))


def _is_filled(mask: np.ndarray, left: Segment, right: Segment, near: float) -> bool:
    """Tell whether there is ink between two upright segments."""
    inner = mask[
        round(left.start + 2 * near) : round(left.end - 2 * near),
        round(left.across(left.start) + 2 * near) : round(right.across(right.start) - 2 * near),
    ]
    return inner.size > 0 and bool(inner.mean() > 0.01)


def _joins(side: Segment, left: Segment, right: Segment, end: str, near: float) -> bool:
    """Tell whether a level line connects two upright ones at their starts or ends."""
    return _meets(left, side, end, near) and _meets(right, side, end, near)


def _meets(upright: Segment, line: Segment, end: str, near: float) -> bool:
    """Tell whether the start or the end of an upright segment is on a level one."""
    along = getattr(upright, end)
    column = upright.across(along)
    is_along = line.start - near <= column <= line.end + near
    return is_along and abs(line.across(column) - along) <= near
