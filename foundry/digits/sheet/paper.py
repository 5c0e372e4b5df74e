"""What the paper would look like without a pen: its colour at every pixel, under any light."""

import numpy as np
import scipy
import skimage
from PIL import Image

# Paper is smooth: a picture of this size shows all of its light.
_SIZE = 240
# Pen strokes and rules narrower than half of this are no part of it.
_MEDIAN_SIZE = 5
# From one pixel to its neighbours, the logarithm of light or colour changes less on one surface.
_SMOOTH = 0.14
# Added to colours of 0 to 255, so that grain is no edge where it is nearly dark.
_DARK = 16.0
# A surface covers this share of the picture, and what is thinner is ink unless it goes along the
# edge of the picture for a while.
_MIN_AREA = 0.02
_MIN_RADIUS = 0.12
# What lies on another surface, such as a sheet on a desk, fills a rectangle around it and has
# something on it; thick strokes do not.
_MIN_FILLED = 0.83
_ANGLES = np.deg2rad(np.arange(0, 90, 3))
_MIN_BORDER = 0.06
# Where surfaces meet, such as in the penumbra of a shadow, it is this wide.
_EDGE = 5
# Light varies over these many pixels.
_LIGHT_SIGMA = 2.0
# A canvas has one colour at this share of its pixels; what differs from it by so much, of 255, is
# no further from full ink than this share of its longer side.
_CANVAS_SHARE = 0.5
_CANVAS_SHADE = 13
_CANVAS_EDGE = 0.045


def estimate_paper(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate what is behind the ink.

    A picture is made of surfaces, each of slowly varying colour: the paper, its part that lies in
    a hard shadow, the desk, a board's frame. What is thin is ink on the surface around it.

    Args:
        pixels: float32 (H, W, channels), 0 to 255.

    Returns:
        The darkest and the lightest that the paper may be at every pixel, each like `pixels`.
        Where two surfaces meet they are those of both, elsewhere they are nearly the same.
    """
    height, width = pixels.shape[:2]
    block = max(1, round(max(height, width) / _SIZE))
    # The middle of every block: a mean would make dense thin rules look like uneven paper.
    rows, columns = -height % block, -width % block
    padded = np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge")
    blocks = padded.reshape(len(padded) // block, block, -1, block, pixels.shape[2])
    small = np.moveaxis(np.median(blocks, axis=(1, 3)), 2, 0)
    smooth = np.stack(
        [scipy.ndimage.median_filter(channel, _MEDIAN_SIZE, mode="nearest") for channel in small]
    )
    paper = _fill_surfaces(smooth)
    bounds = []
    for extreme in (scipy.ndimage.minimum_filter, scipy.ndimage.maximum_filter):
        near = extreme(paper, size=(1, _EDGE, _EDGE), mode="nearest")
        bounds.append(
            np.stack(
                [
                    np.asarray(
                        Image.fromarray(channel).resize(
                            (width, height),
                            Image.Resampling.BILINEAR,
                            box=(0, 0, width / block, height / block),
                        )
                    )
                    for channel in near
                ],
                axis=2,
            )
        )
    return bounds[0], bounds[1]


def find_canvas(pixels: np.ndarray) -> np.ndarray | None:
    """Return the one colour of paper that a program has drawn, without light, shade and grain.

    It is all along the outline and at most pixels exactly; what has another colour is ink, or the
    soft edge of ink.

    Args:
        pixels: float32 (H, W, channels), 0 to 255.

    Returns:
        float32 (channels,), or None if this may be a photo or a scan.
    """
    colour: np.ndarray = pixels[0, 0]
    if any((side != colour).any() for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])):
        return None
    away = np.abs(pixels - colour).max(axis=2)
    if (away == 0).mean() < _CANVAS_SHARE:
        return None
    size = 2 * round(_CANVAS_EDGE * max(away.shape)) + 1
    near = scipy.ndimage.maximum_filter(away > away.max() / 2, size=size, mode="constant")
    return None if ((away > _CANVAS_SHADE) & ~near).any() else colour


def _fill_surfaces(smooth: np.ndarray) -> np.ndarray:
    """Continue every surface to where it is hidden by ink; float32 (channels, H, W)."""
    logs = np.log(smooth + _DARK)
    change = np.zeros(smooth.shape[1:], dtype=np.float32)
    for channel in logs:
        span = scipy.ndimage.maximum_filter(channel, 3) - scipy.ndimage.minimum_filter(channel, 3)
        change = np.maximum(change, span)
    labels = _label_surfaces(change < _SMOOTH)
    if not labels.any():
        labels[:] = 1
    filled = np.zeros_like(smooth)
    for label in np.unique(labels[labels > 0]):
        members = (labels == label).astype(np.float32)
        weight = scipy.ndimage.gaussian_filter(members, _LIGHT_SIGMA, mode="constant")
        for channel, target in zip(smooth, filled, strict=True):
            total = scipy.ndimage.gaussian_filter(channel * members, _LIGHT_SIGMA, mode="constant")
            inside = labels == label
            target[inside] = total[inside] / weight[inside]
    nearest = scipy.ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    return filled[:, nearest[0], nearest[1]]


def _label_surfaces(is_smooth: np.ndarray) -> np.ndarray:
    """Number the surfaces from 1; 0 is ink, or an edge."""
    labels = skimage.measure.label(is_smooth, connectivity=1)
    regions = skimage.measure.regionprops(labels)
    if not regions:
        return labels
    height, width = labels.shape
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    at_border = np.bincount(border, minlength=labels.max() + 1) / len(border)
    depth = scipy.ndimage.distance_transform_edt(is_smooth)
    outer, inner = set(), set()
    for region in regions:
        if region.area < _MIN_AREA * labels.size:
            continue
        if at_border[region.label] >= _MIN_BORDER:
            outer.add(region.label)
        elif depth[region.slice][region.image].max() >= _MIN_RADIUS * min(height, width):
            inner.add(region.label)
    if not outer:
        outer.add(max(regions, key=lambda region: region.area).label)
        inner -= outer
    if inner and not _is_sheet(np.isin(labels, list(inner))):
        inner = set()
    return np.where(np.isin(labels, [*outer, *inner]), labels, 0)


def _is_sheet(inner: np.ndarray) -> bool:
    """Tell whether surfaces inside a picture are a sheet with something on it."""
    filled = scipy.ndimage.binary_fill_holes(scipy.ndimage.binary_closing(inner, iterations=3))
    if not (filled & ~scipy.ndimage.binary_dilation(inner, iterations=1)).any():
        return False
    points = np.argwhere(filled)
    areas = [
        np.ptp(points @ [np.cos(angle), np.sin(angle)])
        * np.ptp(points @ [-np.sin(angle), np.cos(angle)])
        for angle in _ANGLES
    ]
    return bool(filled.sum() >= _MIN_FILLED * min(areas))
