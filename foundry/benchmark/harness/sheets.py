"""Sheets of handwritten digits as a telephone would photograph them, made from MNIST's digits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize

from foundry.data import IMAGE_SIZE, Split

_WIDTH, _HEIGHT = 1600, 1200
_MARGIN = 130
_PAPER = np.array([236.0, 233.0, 226.0])
# Stroke widths of four pens, as shares of a digit's height; half of MNIST's are within 0.1 to 0.15.
_PENS = (0.05, 0.08, 0.11, 0.14)
_INKS = ((35, 35, 40), (30, 50, 150), (190, 40, 50))
_RULING_INKS = ((150, 180, 220), (120, 120, 120), (60, 60, 70))
# MNIST's digits fit into this many of their 28 pixels.
_DIGIT_SIZE = 20


@dataclass(frozen=True)
class Sheet:
    """A photo and what is written on it.

    Attributes:
        image: RGB.
        lines: The digits of every line, from top to bottom.
    """

    image: Image.Image
    lines: list[str]


def photograph_sheet(digits: Split, seed: int) -> Sheet:
    """Write digits on ruled paper and photograph it by bad light.

    The paper has texture, rules, squares or neither; light falls off 3:1, and a shadow lies on it;
    one of four pens in one of three colours wrote each row; rows are 0.2 to 1 digit heights apart;
    all is turned by up to 8 degrees.

    Args:
        digits: Where the digits are drawn from.
        seed: Of everything that is left to chance.
    """
    rng = np.random.default_rng(seed)
    height = rng.uniform(60, 110)
    # What the pen and the printer leave of the paper's light, red, green and blue.
    print_through = _rule_paper(rng, height)
    lines: list[str] = []
    top = _MARGIN + rng.uniform(0, 0.5 * height)
    num_rows = int(rng.integers(2, 6))
    while len(lines) < num_rows and top + height < _HEIGHT - _MARGIN:
        lines.append(_write_row(print_through, digits, rng, top, height))
        top += height * (1 + rng.uniform(0.2, 1.0))
    turned = ndimage.rotate(print_through, rng.uniform(-8, 8), reshape=False, order=1, cval=1.0)
    paper = _PAPER * (_light(rng) * _shadow(rng) * _texture(rng))[..., None]
    photo = paper * turned + rng.normal(0, rng.uniform(1, 3), turned.shape)
    return Sheet(Image.fromarray(photo.clip(0, 255).astype(np.uint8)), lines)


def _write_row(
    print_through: np.ndarray, digits: Split, rng: np.random.Generator, top: float, height: float
) -> str:
    """Write one row with one pen, in place, and return its digits."""
    pen, ink, opacity = rng.choice(_PENS), _INKS[rng.integers(3)], rng.uniform(0.7, 0.95)
    absorbed = opacity * (1 - np.array(ink) / 255)
    left = _MARGIN + rng.uniform(0, 2 * height)
    written = ""
    for _ in range(rng.integers(3, 8)):
        index = int(rng.integers(len(digits)))
        strokes = _draw(digits.images[index].numpy(), height, pen)
        rows = round(top + rng.uniform(-0.05, 0.05) * height)
        end = round(left) + strokes.shape[1]
        if end > _WIDTH - _MARGIN:
            break
        under = print_through[rows : rows + strokes.shape[0], round(left) : end]
        under *= 1 - strokes[..., None] * absorbed
        written += str(int(digits.labels[index]))
        left = end + rng.uniform(0.25, 0.8) * height
    return written


def _draw(digit: np.ndarray, height: float, pen: float) -> np.ndarray:
    """Return a digit's strokes, float in [0, 1], its 20 pixels enlarged to a height."""
    enlarged = ndimage.zoom(digit.astype(np.float32) / 255, height / _DIGIT_SIZE, order=3) > 0.5
    depth = ndimage.distance_transform_edt(enlarged)
    middle = skeletonize(enlarged)
    radius = pen * height / 2
    outline = depth - ndimage.distance_transform_edt(~enlarged)
    outline += radius - float(np.median(depth[middle]))
    # Where a stroke is thinner than the others, the pen is still as wide as it is.
    line = radius - ndimage.distance_transform_edt(~middle)
    strokes = np.clip(np.maximum(outline, line) + 0.5, 0, 1)
    columns, rows = np.flatnonzero(strokes.any(0)), np.flatnonzero(strokes.any(1))
    framed: np.ndarray = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # On the line: MNIST's frame has four empty rows above and below.
    room = max(
        0, round(height * (IMAGE_SIZE - 4) / _DIGIT_SIZE) - round(0.2 * height) - len(framed)
    )
    return np.pad(framed, ((room // 2, 0), (0, 0)))


def _rule_paper(rng: np.random.Generator, height: float) -> np.ndarray:
    """Return a sheet, float (H, W, 3), all 1 but for printed rules or squares."""
    sheet = np.ones((_HEIGHT, _WIDTH, 3))
    ruling = rng.choice(["none", "rules", "squares"])
    absorbed = 1 - np.array(_RULING_INKS[rng.integers(3)]) / 255
    width = rng.uniform(1.2, 2.6)
    spacing = height * (rng.uniform(0.7, 1.8) if ruling == "rules" else rng.uniform(0.35, 0.7))
    directions: Sequence[int] = {"none": (), "rules": (0,), "squares": (0, 1)}[ruling]
    for axis in directions:
        positions = np.arange(sheet.shape[axis])
        distance = np.abs((positions - rng.uniform(0, spacing)) % spacing)
        covered = np.clip(width / 2 + 0.5 - np.minimum(distance, spacing - distance), 0, 1)
        lines = 1 - covered[:, None] * absorbed
        sheet = np.minimum(sheet, lines[:, None] if axis == 0 else lines[None])
    return sheet


def _light(rng: np.random.Generator) -> np.ndarray:
    """Fall off 3:1 in some direction."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH]
    along = np.cos(angle) * columns + np.sin(angle) * rows
    along = (along - along.min()) / np.ptp(along)
    light: np.ndarray = 1 - along * 2 / 3
    return light


def _shadow(rng: np.random.Generator) -> np.ndarray:
    """Take up to half the light from one side of a straight edge, which is sharp or soft."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH]
    across = np.cos(angle) * (columns - rng.uniform(0.3, 0.7) * _WIDTH) + np.sin(angle) * (
        rows - rng.uniform(0.3, 0.7) * _HEIGHT
    )
    softness = rng.uniform(1, 40)
    shadow: np.ndarray = 1 - rng.uniform(0.3, 0.5) * np.clip(across / softness + 0.5, 0, 1)
    return shadow


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Return paper's fibres, about 1."""
    fibres = ndimage.gaussian_filter(rng.normal(size=(_HEIGHT, _WIDTH)), rng.uniform(1, 4))
    texture: np.ndarray = 1 + rng.uniform(0.005, 0.015) * fibres / fibres.std()
    return texture
