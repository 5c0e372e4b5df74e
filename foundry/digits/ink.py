"""From a drawing or a photo to ink: how much pen there is at every pixel."""

import math

import numpy as np
import scipy
import skimage
from PIL import Image

from foundry.digits.sheet.frames import remove_frames
from foundry.digits.sheet.paper import estimate_paper, find_canvas
from foundry.digits.sheet.rules import remove_rules
from foundry.digits.sheet.ruling import divide_ruling
from foundry.digits.sheet.texture import measure_around, measure_texture

# Photos whose longer side has fewer pixels are enlarged: in small ones every stroke is as wide as a
# surface.
_SMALLEST = 240
# Of 255; less is transparent.
_OPAQUE = 250
# What is opaque is a sheet if it is this share of its outline with so much contrast on it, of 255,
# or this share of the picture; else it is the ink.
_SHEET_SOLIDITY = 0.8
_SHEET_CONTRAST = 40
_SHEET_AREA = 0.6
# Ink has to differ from the paper around it by this share of the paper's brightness.
_MIN_CONTRAST = 0.1
# And by these many times what the paper's own texture does at most of its pixels.
_MIN_CONTRAST_TEXTURES = 6.5
# A picture has ink only if the middle of it is so many times its texture.
_CLEAR_TEXTURES = 9.0
_MIN_RULE_TEXTURES = 3.0
# Fainter than this share of the strongest ink is a stain, or what is on the other side.
_MIN_SHARE = 0.35
# Paper darker than this share of white would make everything on it look like ink.
_DARKEST = 0.1
# Texture above this is smoothed away first.
_FINE_TEXTURE = 0.02
# Ink of one stroke is even over this share of the picture.
_STROKE_REACH = 0.03
# What touches the edge of the picture along so much of its length is no pen's.
_EDGE_SHARE = 0.6
_CLEAR = 0.5
# Pens are no wider than this share of the picture where a shadow's edge crosses what they wrote.
_WIDEST_STROKE = 0.021


def drawing_ink(image: Image.Image) -> np.ndarray:
    """Return what is black on a canvas that is known to be white.

    Args:
        image: Grayscale, 255 = paper.

    Returns:
        float32, shape (H, W), in [0, 1]: 0 = paper, 1 = full ink.
    """
    return 1 - np.asarray(image, dtype=np.float32) / 255


def find_ink(image: Image.Image) -> np.ndarray:
    """Separate pen from paper, whatever their colours, under uneven light.

    Args:
        image: Any mode. What is transparent is paper if all that is opaque is a pen's.

    Returns:
        float32, shape (H, W), in [0, 1]: 0 = paper, 1 = full ink; all zero if there is none.
    """
    pixels = _flatten(image)
    if (pixels[..., :1] == pixels[..., 1:]).all():
        # Grey pictures have the same three times.
        pixels = pixels[..., :1]
    if (canvas := find_canvas(pixels)) is not None:
        contrast = _difference(pixels, canvas, canvas, _measure_brightness(canvas))[0]
        return _separate(contrast, np.zeros_like(contrast))
    height, width = pixels.shape[:2]
    factor = math.ceil(_SMALLEST / max(height, width))
    contrast = _contrast(_resize(pixels, factor * height, factor * width))
    # What paper is off by; where most is darker than that, it is a thick pen's.
    offset = measure_around(contrast, 50)
    shifted = contrast - np.where(offset < _MIN_CONTRAST, offset, 0)
    ink = _separate(shifted, measure_texture(contrast))
    return _resize(ink[..., None], height, width)[..., 0]


def _resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge smoothly, or reduce by area; float32 (H, W, channels), in the range that it had."""
    if pixels.shape[:2] == (height, width):
        return pixels
    method = Image.Resampling.BICUBIC if height > len(pixels) else Image.Resampling.BOX
    resized = [
        np.asarray(Image.fromarray(channel).resize((width, height), method))
        for channel in np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    ]
    return np.clip(np.stack(resized, axis=2), pixels.min(), pixels.max())


def _separate(contrast: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Take away what is printed, and make ink of what is left; both float32 (H, W)."""
    contrast = remove_frames(contrast, np.maximum(_MIN_CONTRAST_TEXTURES * texture, _MIN_CONTRAST))
    contrast, texture = divide_ruling(contrast, texture)
    contrast = np.clip(contrast, 0, None)
    faintest = np.maximum(_MIN_RULE_TEXTURES * texture, 0.6 * _MIN_CONTRAST)
    return _remove_edges(_stretch(remove_rules(contrast, faintest), texture))


def _flatten(image: Image.Image) -> np.ndarray:
    """Return colours without transparency, float32 (H, W, 3), 0 to 255."""
    rgba = np.asarray(image.convert("RGBA"), dtype=np.float32)
    colours, alpha = rgba[..., :3], rgba[..., 3]
    if alpha.min() >= _OPAQUE:
        return colours
    if not alpha.any():
        return np.full_like(colours, 255)
    opaque = alpha > alpha.max() / 2
    # A sheet has hardly any holes and something on it, or it is most of the picture.
    is_sheet = opaque.mean() > _SHEET_AREA or (
        np.ptp(colours[opaque], axis=0).max() > _SHEET_CONTRAST
        and opaque.sum() > _SHEET_SOLIDITY * skimage.morphology.convex_hull_image(opaque).sum()
    )
    if not is_sheet:
        return np.repeat(255 - alpha[..., None], 3, axis=2)
    nearest = scipy.ndimage.distance_transform_edt(
        ~opaque, return_distances=False, return_indices=True
    )
    extended: np.ndarray = colours[nearest[0], nearest[1]]
    return extended


def _contrast(pixels: np.ndarray) -> np.ndarray:
    """Divide the paper away: how much light or colour is missing at every pixel, float32 (H, W).

    Args:
        pixels: float32 (H, W, 3), or (H, W, 1) for grey; 0 to 255.
    """
    darkest, lightest = estimate_paper(pixels)
    brightness = _measure_brightness(lightest)
    texture = np.median(np.abs(pixels - (darkest + lightest) / 2) / brightness)
    if texture > _FINE_TEXTURE:
        pixels = scipy.ndimage.gaussian_filter(pixels, (1.2, 1.2, 0))
    strength, direction = _difference(pixels, darkest, lightest, brightness)
    between = (lightest - darkest).max(axis=2) > _MIN_CONTRAST * brightness[..., 0]
    if between.any() and direction.any():
        # Where two surfaces meet, closing fills strokes and keeps the edge.
        fill = scipy.ndimage.grey_closing if direction.sum() < 0 else scipy.ndimage.grey_opening
        size = max(3, round(_WIDEST_STROKE * max(pixels.shape)))
        smooth = scipy.ndimage.gaussian_filter(pixels, (1, 1, 0))
        edge = np.clip(fill(smooth, size=(size, size, 1)), darkest, lightest)
        darkest = np.where(between[..., None], edge, darkest)
        lightest = np.where(between[..., None], edge, lightest)
        strength, _ = _difference(pixels, darkest, lightest, brightness)
    return strength


def _measure_brightness(paper: np.ndarray) -> np.ndarray:
    """Return what contrast is a share of; (..., channels) -> (..., 1), 0 to 255."""
    return np.maximum(paper.max(axis=-1, keepdims=True), _DARKEST * 255)


def _difference(
    pixels: np.ndarray, darkest: np.ndarray, lightest: np.ndarray, brightness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far pixels are from the paper, below 0 away from ink, and in which direction."""
    away = (pixels - np.clip(pixels, darkest, lightest)) / brightness
    strength = np.sqrt((away**2).mean(axis=2)).astype(np.float32)
    # All pens differ from the paper in the same direction, such as towards dark; not so the
    # halos that cameras and JPEG put around strokes, nor glare.
    clear = strength > max(_MIN_CONTRAST, np.percentile(strength, 99) / 2)
    if not clear.any():
        return strength, np.zeros(pixels.shape[2])
    direction = away[clear].mean(axis=0)
    return np.where(away @ direction > 0, strength, -strength), direction


def _stretch(contrast: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Scale so that paper's texture is 0 and full ink is 1."""
    lowest = _MIN_CONTRAST_TEXTURES * texture
    candidates = contrast > np.maximum(lowest, 0.6 * _MIN_CONTRAST)
    if not candidates.any():
        return np.zeros_like(contrast)
    # The middle of the ink, which is in little of the picture but stronger than grain.
    values = np.sort(contrast[candidates])
    weights = np.cumsum(values**2, dtype=np.float64)
    strongest = values[np.searchsorted(weights, weights[-1] / 2)]
    if strongest < max(_MIN_CONTRAST, _CLEAR_TEXTURES * float(np.median(texture))):
        return np.zeros_like(contrast)
    reach = max(3, round(_STROKE_REACH * max(contrast.shape)))
    level = scipy.ndimage.maximum_filter(np.where(candidates, contrast, 0), size=reach)
    # The strongest ink of a stroke is that with the strongest grain.
    level = np.maximum(0.9 * level, level - 3 * texture)
    level = np.maximum(level, np.maximum(_MIN_SHARE * strongest, 1.3 * lowest))
    floor = np.minimum(2 * texture, 0.4 * level)
    return np.clip((contrast - floor) / (level - floor), 0, 1).astype(np.float32)


def _remove_edges(ink: np.ndarray) -> np.ndarray:
    """Take away what runs along the edge of the picture: a scanner's lid, the end of the sheet."""
    labels = skimage.measure.label(ink > _CLEAR, connectivity=2)
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    contact = np.max([np.bincount(side, minlength=labels.max() + 1) for side in sides], axis=0)
    removed = np.zeros(len(contact), dtype=bool)
    for region in skimage.measure.regionprops(labels):
        removed[region.label] = contact[region.label] > _EDGE_SHARE * max(region.image.shape)
    if removed.any():
        # Their blurred borders too.
        ink = np.where(scipy.ndimage.maximum_filter(removed[labels], 5), 0, ink)
    return ink
