"""Dividing away the rules or squares that are printed all over a sheet."""

import numpy as np
import scipy

from foundry.digits.sheet.texture import measure_texture

# Lines are turned by at most ten degrees.
_COARSE = np.deg2rad(np.arange(-10, 10.1, 0.25))
_FINE = np.deg2rad(np.arange(-0.25, 0.26, 0.05))
_FINEST = np.deg2rad(np.arange(-0.05, 0.06, 0.01))
_NUM_SAMPLES = 20_000
# As shares of the longer side of the picture: how thick rules are at most, along which length they
# are known from strokes, and at which places that is looked at.
_THICKEST = 0.011
_WINDOW = 0.24
_STEP = 0.06
_SHORT_WINDOW = 0.05
# So many lines are a ruling; fewer may be the strokes of one large digit.
_MIN_LINES = 4
_LONG_SHARE = 0.6
_MIN_SHARE = 0.2
_NOISE_TEXTURES = 1.5
_NOISE_LINES = 0.15
# Between pixels, lines can be followed if they are no sharper.
_BLUR = 0.7
_MIN_CONTRAST = 0.03
_MIN_TEXTURES = 0.4


def divide_ruling(contrast: np.ndarray, texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take away what is the same all along many straight lines, and leave the strokes on them.

    Args:
        contrast: float32 (H, W), the share of the paper's light that is missing.
        texture: float32 (H, W), the standard deviation of what is neither pen nor line.

    Returns:
        The same without the lines, which pens have written over, and with less texture where lines
        seemed to be some.
    """
    # Both before either is taken away: strokes that cross are few along a line.
    smooth = scipy.ndimage.gaussian_filter(contrast, _BLUR)
    level = _find_lines(smooth, texture)
    upright = _find_lines(smooth.T, texture.T).T
    lines = 1 - (1 - level) * (1 - upright)
    if not lines.any():
        return contrast, texture
    beside = scipy.ndimage.maximum_filter(lines, size=3)
    # Dense lines count as grain until they are known.
    texture = np.minimum(texture, measure_texture(smooth, beside > 0))
    left = (smooth - lines) / np.maximum(1 - lines, 0.25)
    # What is fainter than the noise of paper and line is neither; clear ink stays as it is.
    noise = np.where(beside > 0, _NOISE_TEXTURES * texture + _NOISE_LINES * lines, 0)
    left = np.where(left < 2 * noise, np.clip(2 * (left - noise), 0, None), left)
    for axis, band in enumerate((level, upright)):
        if band.any():
            size = [1, 1]
            size[axis] = _thickness(band, axis) + 2
            left = np.where(band > 0, scipy.ndimage.grey_closing(left, size=size), left)
    return left.astype(np.float32), texture


def _thickness(band: np.ndarray, axis: int) -> int:
    """Return how many pixels lines are thick."""
    is_start = np.diff((band > 0).astype(np.int8), axis=axis, prepend=0) > 0
    return max(1, round((band > 0).sum() / max(1, is_start.sum())))


def _find_lines(contrast: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Return the contrast of lines along rows, 0 elsewhere; like `contrast`."""
    longer = max(contrast.shape)
    thickest = max(3, round(_THICKEST * longer))
    thin = contrast - scipy.ndimage.grey_opening(contrast, size=(thickest + 1, 1))
    rows, columns = np.nonzero(thin > _MIN_CONTRAST + 3 * texture)
    if len(rows) < longer:
        return np.zeros_like(contrast)
    drop = np.tan(_find_angle(rows, columns)) * np.arange(contrast.shape[1])
    start = drop - np.ceil(drop.max())
    level = _shear(contrast, start, contrast.shape[0] + int(np.ceil(np.ptp(drop))) + 1)

    def along(window: float, step: float) -> np.ndarray:
        medians = _running_median(level, round(window * longer), round(step * longer))
        return medians - scipy.ndimage.grey_opening(medians, size=(thickest + 1, 1))

    # The lower half of a long window is above the paper only on a line.
    long = along(_WINDOW, _STEP)
    # Noise is as much less as there are pixels in the window.
    threshold = _MIN_CONTRAST + _MIN_TEXTURES * float(np.median(texture))
    share = (long > threshold).mean(axis=1)
    peak = np.where(share > _MIN_SHARE, long.max(axis=1), 0)
    is_line = (peak > 0) & (peak == scipy.ndimage.maximum_filter1d(peak, thickest))
    if (is_line & (share > _LONG_SHARE)).sum() < _MIN_LINES:
        return np.zeros_like(contrast)
    near = np.minimum(peak[:, None], along(_SHORT_WINDOW, _SHORT_WINDOW / 3))
    near = np.where(near > 0.3 * threshold, near, 0)
    return _shear(near, -start, len(contrast))


def _find_angle(rows: np.ndarray, columns: np.ndarray) -> float:
    """Find in which direction pixels gather most on lines."""
    rows, columns = sample_pixels(rows, columns)
    best = 0.0
    for angles, num_bins in ((_COARSE, 1), (_FINE, 1), (_FINEST, 2)):
        scores = score_slopes(rows, columns, np.tan(best + angles), num_bins)
        best += float(angles[int(np.argmax(scores))])
    return best


def sample_pixels(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return some of the pixels, always the same ones, if they are more than it takes."""
    if len(rows) <= _NUM_SAMPLES:
        return rows, columns
    chosen = np.random.default_rng(0).choice(len(rows), _NUM_SAMPLES, replace=False)
    return rows[chosen], columns[chosen]


def score_slopes(
    rows: np.ndarray, columns: np.ndarray, slopes: np.ndarray, num_bins: int = 1
) -> list[float]:
    """Score how much pixels gather on lines of some slopes: many on few lines score most.

    Args:
        rows: Of the pixels, at least one.
        columns: Of the same pixels.
        slopes: Rows a column.
        num_bins: Lines a row.

    Returns:
        Of every slope the sum of the squares of the pixels on each line.
    """
    scores = []
    for slope in slopes:
        offsets = np.rint(num_bins * (rows - slope * columns)).astype(int)
        counts = np.bincount(offsets - offsets.min()).astype(float)
        scores.append(float((counts**2).sum()))
    return scores


def _shear(picture: np.ndarray, start: np.ndarray, height: int) -> np.ndarray:
    """Let column x begin at row `start[x]`, between two pixels too."""
    whole = np.floor(start).astype(int)
    part = (start - whole).astype(np.float32)
    rows = np.arange(height)[:, None] + whole[None]
    columns = np.arange(picture.shape[1])[None]
    padded = np.pad(picture, ((1, 1), (0, 0)))

    def take(offset: int) -> np.ndarray:
        taken: np.ndarray = padded[np.clip(rows + offset + 1, 0, len(padded) - 1), columns]
        return taken

    # Catmull-Rom's cubic: straight interpolation would blur some columns more than others.
    moved: np.ndarray = 0.5 * (
        2 * take(0)
        + (take(1) - take(-1)) * part
        + (2 * take(-1) - 5 * take(0) + 4 * take(1) - take(2)) * part**2
        + (3 * take(0) - take(-1) - 3 * take(1) + take(2)) * part**3
    )
    return moved


def _running_median(picture: np.ndarray, window: int, step: int) -> np.ndarray:
    """Return the medians along rows, taken at every few columns and between them interpolated."""
    width = picture.shape[1]
    window, step = min(width, max(3, window)), max(1, step)
    starts = np.unique(np.append(np.arange(0, width - window + 1, step), width - window))
    medians = np.stack(
        [np.median(picture[:, start : start + window], axis=1) for start in starts], axis=1
    )
    at = np.interp(np.arange(width), starts + window / 2, np.arange(len(starts)))
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(starts) - 1)
    part = (at - before).astype(np.float32)
    return medians[:, before] * (1 - part) + medians[:, after] * part
