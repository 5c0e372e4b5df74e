"""From a drawing or a photo to ink: how much pen there is at every pixel."""

from pathlib import Path

import numpy as np
import scipy
import skimage
from PIL import Image, ImageOps, UnidentifiedImageError

from foundry.errors import InputError

ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 40_000_000

# Longer pictures are reduced to this: digits stay dozens of pixels high, and time is bounded.
_WORKING_SIZE = 1000
# Ink has to differ from the paper around it by this share of the full range.
_MIN_CONTRAST = 0.12
# And by this many standard deviations of the paper's own texture.
_MIN_CONTRAST_STD = 4.0


def load_image(path: str | Path) -> Image.Image:
    """Open a picture after checking what its header claims.

    Args:
        path: A PNG, JPEG, WebP, BMP, GIF or TIFF file of at most 40 megapixels.

    Returns:
        The picture upright, RGBA, its longer side at most 1,000 pixels.

    Raises:
        InputError: If it is no such file, too large, or damaged.
    """
    accepted = f"{', '.join(ACCEPTED_FORMATS)} up to {MAX_PIXELS // 1_000_000} megapixels"
    try:
        with Image.open(path, formats=ACCEPTED_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"The picture is too large; {accepted} is accepted.")
            image.draft("RGB", (_WORKING_SIZE, _WORKING_SIZE))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError:
        raise InputError(f"The picture is too large; {accepted} is accepted.") from None
    except UnidentifiedImageError:
        raise InputError(
            f"This file is not a picture that can be read; {accepted} is accepted."
        ) from None
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError):
        raise InputError("The picture is damaged and cannot be read; save it again.") from None
    upright.thumbnail((_WORKING_SIZE, _WORKING_SIZE), Image.Resampling.BOX)
    return upright


def find_ink(image: Image.Image) -> np.ndarray:
    """Separate pen from paper, whichever is darker, under uneven light.

    Args:
        image: Any mode. Where it has transparent parts, what is opaque is the ink.

    Returns:
        float32, shape (H, W), in [0, 1]: 0 = paper, 1 = full ink; all zero if there is none.
    """
    pixels = np.asarray(image.convert("RGBA"), dtype=np.float32) / 255
    alpha = pixels[..., 3]
    if alpha.min() < 0.5:
        return alpha
    gray = np.asarray(image.convert("L"), dtype=np.float32) / 255
    # Paper reaches the edges of the picture more than ink does.
    edges = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    middle = (gray.min() + gray.max()) / 2
    bright_ink = gray if np.median(edges) < middle else 1 - gray
    return _stretch(_remove_paper(bright_ink))


def _remove_paper(bright_ink: np.ndarray) -> np.ndarray:
    """Subtract the paper, estimated as what is left once all that is narrower is opened away."""
    window = max(3, max(bright_ink.shape) // 3)
    padded = np.pad(bright_ink, window, mode="edge")
    opened = scipy.ndimage.grey_opening(padded, size=(window, window))
    smooth = scipy.ndimage.uniform_filter(opened, size=max(3, window // 4))
    paper = smooth[window:-window, window:-window]
    return np.clip(bright_ink - paper, 0, None)


def _stretch(contrast: np.ndarray) -> np.ndarray:
    """Scale so that paper's texture is 0 and full ink is 1."""
    if contrast.max() < _MIN_CONTRAST:
        return np.zeros_like(contrast)
    threshold = skimage.filters.threshold_otsu(contrast)
    paper, ink = contrast[contrast <= threshold], contrast[contrast > threshold]
    if ink.mean() - paper.mean() < max(_MIN_CONTRAST, _MIN_CONTRAST_STD * paper.std()):
        return np.zeros_like(contrast)
    lowest = min(paper.mean() + 2 * paper.std(), threshold)
    highest = np.percentile(ink, 75)
    return np.clip((contrast - lowest) / (highest - lowest), 0, 1).astype(np.float32)
