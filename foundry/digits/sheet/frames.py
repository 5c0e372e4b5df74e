"""Taking away what digits were written into: boxes, a table, a circle, a frame around all."""

from typing import Any

import numpy as np
import scipy
import skimage

# What is written inside is higher than so many times the line is wide; the dot of a zero is not.
_WRITTEN_INSIDE = 3.0
# A frame has no dents and is hollow; what is cut off between a stroke and a line is no hole.
_MIN_SOLIDITY = 0.95
_MIN_HOLLOW = 0.5
_SMALLEST_HOLE = 6.0
# A table has few cells, with something in many of them. On squared paper pens go over the lines.
_MAX_HOLES = 30
_MIN_WRITTEN = 1 / 3


def remove_frames(contrast: np.ndarray, faintest: np.ndarray | float) -> np.ndarray:
    """Take away closed lines that have something in them, and leave the strokes that touch them.

    Args:
        contrast: float32 (H, W), 0 = paper.
        faintest: What may be a line; broadcasts to `contrast`.

    Returns:
        The same with 0 where frames are.
    """
    labels = skimage.measure.label(contrast > faintest, connectivity=2)
    regions = skimage.measure.regionprops(labels)
    heights = np.array([0, *(region.image.shape[0] for region in regions)])
    lines, strokes = np.zeros(labels.shape, dtype=bool), np.zeros(labels.shape, dtype=bool)
    for region in regions:
        if not (holes := _find_holes(region)):
            continue
        width = region.area / float(skimage.morphology.skeletonize(region.image).sum())
        here = labels[region.slice]
        num_written = sum(
            heights[np.unique(here[hole.slice][hole.image])].max() > _WRITTEN_INSIDE * width
            for hole in holes
        )
        if num_written >= _MIN_WRITTEN * len(holes):
            insides = _cover(holes, region.image.shape)
            lines[region.slice] |= region.image & ~insides
            strokes[region.slice] |= region.image & insides
    if not lines.any():
        return contrast
    # Their blurred borders too.
    borders = scipy.ndimage.maximum_filter(lines, 5) & ~scipy.ndimage.maximum_filter(strokes, 3)
    return np.where(borders, 0, contrast)


def _find_holes(region: Any) -> list[Any]:
    """Return the regions that the lines of a frame enclose; none if it is no frame."""
    # Most parts are too small or too dense to be looked at any closer.
    if min(region.image.shape) <= _SMALLEST_HOLE or region.extent > 1 - _MIN_HOLLOW:
        return []
    filled = scipy.ndimage.binary_fill_holes(region.image)
    area = filled.sum()
    if region.area > (1 - _MIN_HOLLOW) * area or area < _MIN_SOLIDITY * region.area_convex:
        return []
    # Lines of one pixel go on over corners, and holes do not.
    found = skimage.measure.label(filled & ~region.image, connectivity=1)
    holes = [
        hole
        for hole in skimage.measure.regionprops(found)
        if min(hole.image.shape) >= _SMALLEST_HOLE
    ]
    if len(holes) > _MAX_HOLES or sum(hole.area for hole in holes) < _MIN_HOLLOW * area:
        return []
    return holes


def _cover(holes: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return what is in holes, and the strokes that begin at a line and dent them; bool (H, W)."""
    covered = np.zeros(shape, dtype=bool)
    for hole in holes:
        # Pixels of a round line are on both sides of it.
        dents = scipy.ndimage.binary_erosion(hole.image_convex, iterations=2)
        covered[hole.slice] |= hole.image | dents
    return covered
