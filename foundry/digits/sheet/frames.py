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
        if (insides := _find_insides(region)) is None:
            continue
        width = region.area / float(skimage.morphology.skeletonize(region.image).sum())
        inside = np.unique(labels[region.slice][insides & ~region.image])
        if heights[inside].max() > _WRITTEN_INSIDE * width:
            lines[region.slice] |= region.image & ~insides
            strokes[region.slice] |= region.image & insides
    if not lines.any():
        return contrast
    # Their blurred borders too.
    borders = scipy.ndimage.maximum_filter(lines, 5) & ~scipy.ndimage.maximum_filter(strokes, 3)
    return np.where(borders, 0, contrast)


def _find_insides(region: Any) -> np.ndarray | None:
    """Return what the lines of a frame enclose, bool like the region's image; None if it is none.

    Strokes that begin at the line are inside, because the holes around them are dented there.
    """
    filled = scipy.ndimage.binary_fill_holes(region.image)
    area = filled.sum()
    if region.area > (1 - _MIN_HOLLOW) * area or area < _MIN_SOLIDITY * region.area_convex:
        return None
    insides = np.zeros_like(region.image)
    # Lines of one pixel go on over corners, and holes do not.
    holes = skimage.measure.label(filled & ~region.image, connectivity=1)
    for hole in skimage.measure.regionprops(holes):
        if min(hole.image.shape) >= _SMALLEST_HOLE:
            # Pixels of a round line are on both sides of it.
            dents = scipy.ndimage.binary_erosion(hole.image_convex, iterations=2)
            insides[hole.slice] |= hole.image | dents
    return insides if insides.sum() >= _MIN_HOLLOW * area else None
