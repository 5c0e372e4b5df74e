"""Taking away what a printer left on the paper: rules, squares, a margin line, boxes of a form."""

import numpy as np
import scipy
import skimage

from foundry.digits.parts import typical_height
from foundry.digits.sheet.forms import find_boxes, find_teeth
from foundry.digits.sheet.lines import Direction, widen

# A line that nothing else is beside goes through so much of the picture.
_ALL_THE_WAY = 0.95
# No digit has a stroke of so many times its height.
_LONGEST_BAR = 1.6
_LONGEST_STEM = 1.9
_LONGEST_ON_SQUARES = 1.4
# Ink so many times as dark as a line is no part of it.
_DARKER = 1.7
# Lower parts, as a share of the picture, are specks.
_LOWEST_PART = 0.015


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
    level, upright = Direction(mask), Direction(mask.T)
    if not any(one.segments or one.long_segments for one in (level, upright)):
        return contrast
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

    sides = [*level.segments, *level.long_segments], upright.segments
    form = find_boxes(mask, *sides) | find_teeth(mask, *sides)
    rest = mask & ~widen(level.long) & ~widen(upright.long).T
    height = _typical_height(rest)
    # Where nothing else is, what is long may be the stroke of a large digit.
    rules = level.cover_long(_LONGEST_BAR * height if height else _ALL_THE_WAY * mask.shape[1])
    # All in one part may be one stroke that bends.
    is_one = skimage.measure.label(mask, connectivity=2).max() == 1
    lines = upright.cover_long(_LONGEST_STEM * height if height and not is_one else np.inf)
    erase((rules | level.cover(form), lines | upright.cover(form)))
    digit_height = _typical_height(mask)
    bars = [one for one in level.segments if one.length > _LONGEST_BAR * digit_height]
    # On squared paper a one is more likely to be short than a line.
    longest = _LONGEST_ON_SQUARES if lines.any() else _LONGEST_STEM
    stems = [one for one in upright.segments if one.length > longest * digit_height]
    bands = level.cover(bars), upright.cover(stems)
    # A stroke with nothing beside it is what was written.
    if _typical_height(mask & ~widen(bands[0]) & ~widen(bands[1]).T):
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
    band = widen(band)
    beyond = strong & ~band & ~widen(other.T).T
    # Ink that goes on for two pixels above or below.
    below = np.zeros_like(beyond)
    below[:-2] = beyond[1:-1] & beyond[2:]
    above = np.zeros_like(beyond)
    above[2:] = beyond[1:-1] & beyond[:-2]
    crossed = scipy.ndimage.binary_propagation(
        (below | above) & band, structure=np.array([[0, 1, 0]] * 3, dtype=bool), mask=band & strong
    )
    # The blurred edges of the lines too.
    lines = band | (widen(band) & ~strong)
    erased: np.ndarray = (
        lines & ~scipy.ndimage.maximum_filter1d(crossed, 5, axis=1) & (ink < _DARKER * level)
    )
    return erased


def _typical_height(mask: np.ndarray) -> float:
    """Return the height of the parts that most of the ink is in; 0 if there is none."""
    lowest = max(3.0, _LOWEST_PART * max(mask.shape))
    labels = skimage.measure.label(mask, connectivity=2)
    areas = np.bincount(labels.ravel())[1:]
    heights = [rows.stop - rows.start for rows, _ in scipy.ndimage.find_objects(labels)]
    sizes = [size for size in zip(heights, areas, strict=True) if size[0] >= lowest]
    return typical_height(sizes) if sizes else 0.0
