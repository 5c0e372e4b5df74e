"""Ways to cut a line of writing into digits, and the best one of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from foundry.digits.parts import Box, Part

# A part as wide as this share of its height may be two digits that touch.
_MIN_WIDTH_TO_CUT = 0.75
# Digits are no wider than this share of their height.
_WIDEST = 1.1
_FLATTEST = 1.7
_MAX_PIECES = 4
_MAX_CUTS = 3
# Parts that are further apart than this share of their height are no one digit.
_WIDEST_GAP = 0.3
# What it costs, in nats: a cut through ink, and dropping a speck of half a digit's height; what is
# higher is dropped only if nothing else can be made of it.
_CUT_COST = 3.0
_DROP_COST = 6.0
_DROP_HIGH_COST = 100.0
# Digits of a line stand side by side: as much above or below one another as the narrower one is
# wide, they cost so many nats, but for what slanting ones do.
_OVERLAP_COST = 5.0
_FREE_OVERLAP = 0.25


@dataclass(frozen=True)
class Candidate:
    """What may be one digit: some consecutive pieces of a line.

    Attributes:
        first: Its first piece.
        last: The one after its last.
        part: All of them as one.
        cost: Of its shape, in nats, before anybody looks at it.
    """

    first: int
    last: int
    part: Part
    cost: float


def cut_parts(line: Sequence[Part]) -> tuple[list[Part], list[int]]:
    """Cut parts that may be several digits into pieces.

    Args:
        line: Parts from left to right.

    Returns:
        The pieces from left to right, and of which part each is.
    """
    pieces: list[Part] = []
    owners: list[int] = []
    for index, part in enumerate(line):
        for piece in _cut(part):
            pieces.append(piece)
            owners.append(index)
    return pieces, owners


def list_candidates(
    pieces: Sequence[Part], owners: Sequence[int], height: float
) -> list[Candidate]:
    """List what may be a digit on a line.

    Args:
        pieces: From left to right.
        owners: Of which part each is.
        height: Of a digit on this line.
    """
    candidates = []
    for first in range(len(pieces)):
        joined = pieces[first]
        for last in range(first + 1, len(pieces) + 1):
            if owners[last - 1] - owners[first] >= _MAX_PIECES:
                break
            if last > first + 1:
                joined = joined.join(pieces[last - 1])
            cuts = sum(
                0 < edge < len(pieces) and owners[edge] == owners[edge - 1]
                for edge in (first, last)
            )
            if cuts and last - first > _MAX_PIECES:
                continue
            cost = _gap_cost(pieces[first:last], owners[first:last], height)
            box = joined.box
            if last > first + 1 and box.width > 1.5 * max(box.height, height):
                break
            if cost is None:
                continue
            shape = 4 * max(0.0, box.width / max(box.height, 0.8 * height) - _WIDEST)
            shape += 10 * max(0.0, 0.75 - max(box.height, box.width) / height)
            shape += 10 * max(0.0, 0.5 - box.height / height)
            shape += 5 * max(0.0, box.width / box.height - _FLATTEST)
            candidates.append(Candidate(first, last, joined, cost + shape + cuts * _CUT_COST / 2))
    return candidates


def _gap_cost(pieces: Sequence[Part], owners: Sequence[int], height: float) -> float | None:
    """Return what it costs to join parts that are apart; None if some are too far from all others.

    A part may be close to one that comes later: a two broken in the middle begins further right.
    """
    boxes: dict[int, Box] = {}
    for piece, owner in zip(pieces, owners, strict=True):
        boxes[owner] = boxes[owner].union(piece.box) if owner in boxes else piece.box
    joined, *apart = boxes.values()
    cost = 0.0
    while apart:
        nearest = min(apart, key=joined.gap)
        gap = joined.gap(nearest) / height
        if gap > _WIDEST_GAP:
            return None
        cost += 3 * gap + 0.3
        joined = joined.union(nearest)
        apart.remove(nearest)
    return cost


def drop_cost(piece: Part, height: float) -> float:
    """Return what it costs to leave a piece out, in nats.

    Args:
        piece: Of a line.
        height: Of a digit on this line.
    """
    size = max(piece.box.height, piece.box.width) / (height / 2)
    high = _DROP_HIGH_COST if piece.box.height > height / 2 else 0
    return _DROP_COST * min(1.0, size) ** 2 + high


def choose_path(
    candidates: Sequence[Candidate], costs: Sequence[float], drops: Sequence[float]
) -> list[int]:
    """Choose the candidates that cover a line at the least cost.

    Args:
        candidates: Of one line.
        costs: Of each candidate.
        drops: What it costs to leave a piece out.

    Returns:
        Indices of the chosen ones, from left to right.
    """
    dropped = np.concatenate([[0.0], np.cumsum(drops)])
    if not candidates:
        return []
    firsts, lasts = (
        np.array([getattr(one, end) for one in candidates]) for end in ("first", "last")
    )
    lefts, rights = (
        np.array([getattr(one.part.box, side) for one in candidates]) for side in ("left", "right")
    )
    # Of the best path that ends with each candidate: its cost, and the one before, -1 if none.
    totals = np.full(len(candidates), np.inf)
    before = np.full(len(candidates), -1)
    for index in np.argsort(lasts, kind="stable").tolist():
        first = firsts[index]
        overlap = np.minimum(rights, rights[index]) - np.maximum(lefts, lefts[index])
        narrower = np.minimum(rights - lefts, rights[index] - lefts[index])
        side_by_side = _OVERLAP_COST * np.clip(overlap / narrower - _FREE_OVERLAP, 0, None)
        paths = totals + dropped[first] - dropped[lasts] + side_by_side
        paths[lasts > first] = np.inf
        nearest = int(paths.argmin())
        if paths[nearest] < dropped[first]:
            before[index] = nearest
        totals[index] = costs[index] + min(paths[nearest], dropped[first])
    ends = totals + dropped[-1] - dropped[lasts]
    at = int(ends.argmin()) if ends.min() < dropped[-1] else -1
    chosen = []
    while at >= 0:
        chosen.append(at)
        at = int(before[at])
    return chosen[::-1]


def _cut(part: Part) -> list[Part]:
    """Cut a wide part along the paths with the least ink."""
    height, width = part.ink.shape
    if width < _MIN_WIDTH_TO_CUT * height or min(height, width) < 4:
        return [part]
    amounts = scipy.ndimage.gaussian_filter1d(part.ink.sum(0), max(1.0, height / 25))
    inner = np.arange(round(0.15 * height), width - round(0.15 * height))
    minima = [
        column
        for column in inner
        if amounts[column]
        <= amounts[max(0, column - height // 12) : column + height // 12 + 1].min()
        and amounts[column] < 0.8 * max(amounts[:column].max(), amounts[column:].max())
    ]
    kept: list[int] = []
    for column in sorted(minima, key=lambda column: amounts[column]):
        if all(abs(column - other) > 0.2 * height for other in kept):
            kept.append(column)
    kept = sorted(kept[:_MAX_CUTS])
    if not kept:
        return [part]
    paths = [_seam(part.ink, column) for column in kept]
    columns = np.arange(width)
    pieces = []
    edges = [np.zeros(height, dtype=int), *np.maximum.accumulate(paths), np.full(height, width)]
    for left, right in itertools.pairwise(edges):
        own = (columns >= left[:, None]) & (columns < right[:, None])
        ink = np.where(own, part.ink, 0)
        if (piece := _crop(ink, part.box)) is not None:
            pieces.append(piece)
    return pieces or [part]


def _crop(ink: np.ndarray, box: Box) -> Part | None:
    rows, columns = np.flatnonzero((ink > 0.5).any(1)), np.flatnonzero((ink > 0.5).any(0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    where = Box(
        box.left + int(left), box.top + int(top), box.left + int(right), box.top + int(bottom)
    )
    return Part(where, ink[top:bottom, left:right])


def _seam(ink: np.ndarray, column: int) -> np.ndarray:
    """Return the columns of the path from top to bottom near a column that meets least ink."""
    height, width = ink.shape
    reach = max(2, height // 5)
    left, right = max(0, column - reach), min(width, column + reach + 1)
    cost = ink[:, left:right] + 0.002 * np.abs(np.arange(left, right) - column)
    total = cost.astype(float)
    steps = np.zeros(total.shape, dtype=int)
    for row in range(1, height):
        above = np.pad(total[row - 1], 1, constant_values=np.inf)
        options = np.stack([above[:-2] + 0.02, above[1:-1], above[2:] + 0.02])
        steps[row] = options.argmin(0) - 1
        total[row] += options.min(0)
    path = np.zeros(height, dtype=int)
    path[-1] = int(total[-1].argmin())
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + steps[row, path[row]]
    return path + left
