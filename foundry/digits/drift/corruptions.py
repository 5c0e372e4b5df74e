"""Digits rotated, blurred, noisy, thick and inverted, each at five strengths."""

import math
from collections.abc import Callable
from types import MappingProxyType

import numpy as np

# Loads its parts when they are first used; no server needs them before its first visitor.
import scipy

from foundry.errors import InputError

ROTATED, BLURRED, NOISY, THICK, INVERTED = "rotated", "blurred", "noisy", "thick", "inverted"
# Strength 0 is the digit as it is; these are 1 to 5.
STRENGTHS = MappingProxyType(
    {
        # Radians, to either side by chance.
        ROTATED: (0.2, 0.4, 0.6, 0.8, 1.0),
        # Standard deviation of a Gaussian, pixels.
        BLURRED: (1.0, 2.0, 3.0, 4.0, 6.0),
        # Standard deviation, of the way from paper to ink.
        NOISY: (0.08, 0.12, 0.18, 0.26, 0.38),
        # Radius of the pen that goes over every stroke, pixels.
        THICK: (1.0, 1.5, 2.0, 2.5, 3.0),
        # Share of the way to the negative.
        INVERTED: (0.2, 0.4, 0.6, 0.8, 1.0),
    }
)
KINDS = tuple(STRENGTHS)
NUM_STRENGTHS = 5


def corrupt(images: np.ndarray, kind: str, strength: int, seed: int = 0) -> np.ndarray:
    """Change digits.

    Args:
        images: uint8 (N, 28, 28), 255 = ink.
        kind: One of `KINDS`.
        strength: 0 for none, up to 5.
        seed: Of the directions and of the noise.

    Returns:
        uint8 (N, 28, 28).

    Raises:
        InputError: If there is no such kind or strength.

    Source: rotation, blur, noise and their strengths, and the negative, Mu and Gilmer, MNIST-C: a
    robustness benchmark for computer vision, 2019; thickening, Castro and others, Morpho-MNIST,
    2019, here by discs of fixed sizes.
    """
    if kind not in STRENGTHS:
        raise InputError(f"There is no change “{kind}”; choose one of {', '.join(KINDS)}.")
    if not isinstance(strength, int) or strength not in range(NUM_STRENGTHS + 1):
        raise InputError(f"strength is {strength}; whole numbers from 0 to 5 are accepted.")
    if strength == 0:
        return images
    rng = np.random.default_rng(seed)
    changed = _CHANGES[kind](images / 255.0, STRENGTHS[kind][strength - 1], rng)
    return np.rint(255 * np.clip(changed, 0, 1)).astype(np.uint8)


def pen(radius: float) -> np.ndarray:
    """Return the disc of a radius in pixels, bool (side, side)."""
    reach = math.floor(radius)
    offsets = np.arange(-reach, reach + 1)
    return offsets[:, None] ** 2 + offsets**2 <= radius**2


def _rotate(pixels: np.ndarray, angle: float, rng: np.random.Generator) -> np.ndarray:
    turned = np.empty_like(pixels)
    directions = rng.choice([-1, 1], len(pixels))
    for direction in (-1, 1):
        chosen = directions == direction
        # Paper goes on beyond the edge; with scipy's other constant mode the edge would be cut.
        turned[chosen] = scipy.ndimage.rotate(
            pixels[chosen],
            math.degrees(direction * angle),
            axes=(2, 1),
            reshape=False,
            order=1,
            mode="grid-constant",
        )
    return turned


def _blur(pixels: np.ndarray, sigma: float, _: np.random.Generator) -> np.ndarray:
    # What is beyond the edge is as what is at it, as scikit-image has it.
    blurred: np.ndarray = scipy.ndimage.gaussian_filter(pixels, (0, sigma, sigma), mode="nearest")
    return blurred


def _add_noise(pixels: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return pixels + rng.normal(0, sigma, pixels.shape)


def _thicken(pixels: np.ndarray, radius: float, _: np.random.Generator) -> np.ndarray:
    thick: np.ndarray = scipy.ndimage.grey_dilation(pixels, footprint=pen(radius)[None])
    return thick


def _invert(pixels: np.ndarray, share: float, _: np.random.Generator) -> np.ndarray:
    return (1 - share) * pixels + share * (1 - pixels)


_CHANGES: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    ROTATED: _rotate,
    BLURRED: _blur,
    NOISY: _add_noise,
    THICK: _thicken,
    INVERTED: _invert,
}
