"""How much paper varies by itself: its grain, around every pixel."""

import numpy as np
import scipy
from PIL import Image

# Pixels between which paper is compared with itself.
_LAG = 3
_PERCENT = 25
# Of a normal distribution, as a share of its standard deviation.
_QUARTILE = 0.319
# In a block with fewer pixels that are not on lines, that share of it, grain is not known.
_MIN_SHARE = 0.1


def measure_texture(contrast: np.ndarray, is_line: np.ndarray | None = None) -> np.ndarray:
    """Return the standard deviation of what is neither pen nor rule around every pixel.

    Args:
        contrast: float32 (H, W).
        is_line: bool (H, W), pixels to leave out because rules are known to be there. Without it
            many rules count as grain.

    Returns:
        float32 (H, W).
    """
    change = np.abs(contrast - np.roll(contrast, _LAG, axis=(0, 1)))
    if is_line is not None:
        change[is_line | np.roll(is_line, _LAG, axis=(0, 1))] = np.inf
    # What is at either end has a part in the difference.
    return measure_around(change, _PERCENT) / (_QUARTILE * np.sqrt(2))


def measure_around(values: np.ndarray, percent: float) -> np.ndarray:
    """Return a percentile of what is around every pixel, in a third of the picture.

    Args:
        values: float32 (H, W); infinity is left out.
        percent: From 0 to 100.

    Returns:
        float32 (H, W).
    """
    block = max(1, max(values.shape) // 64)
    height, width = (side // block * block for side in values.shape)
    if not height or not width:
        # A strip is one block.
        known = values[np.isfinite(values)]
        return np.full_like(values, np.percentile(known, percent) if known.size else 0)
    blocks = values[:height, :width].reshape(height // block, block, width // block, block)
    known = np.isfinite(blocks).mean(axis=(1, 3))
    if known.min() == 1:
        of_blocks = np.percentile(blocks, percent, axis=(1, 3))
    else:
        of_blocks = _percentile_of_known(blocks, known, percent)
    middle = scipy.ndimage.percentile_filter(of_blocks, 40, size=21, mode="nearest")
    image = Image.fromarray(middle.astype(np.float32))
    return np.asarray(image.resize(values.shape[::-1], Image.Resampling.BILINEAR))


def _percentile_of_known(blocks: np.ndarray, known: np.ndarray, percent: float) -> np.ndarray:
    """Return the percentile of the finite values, that of a middling block where they are few."""
    rows, size, columns, _ = blocks.shape
    ordered = np.sort(blocks.swapaxes(1, 2).reshape(rows, columns, size**2), axis=2)
    last = np.maximum(np.rint(known * size**2).astype(int) - 1, 0)
    index = np.rint(last * percent / 100).astype(int)
    of_blocks = np.take_along_axis(ordered, index[..., None], axis=2)[..., 0]
    is_known = known >= _MIN_SHARE
    if not is_known.any():
        return np.where(known > 0, of_blocks, 0)
    return np.where(is_known, of_blocks, np.median(of_blocks[is_known]))
