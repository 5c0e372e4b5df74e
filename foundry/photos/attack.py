"""Fooling a classifier of photos: pixels changed by a few of their 255 levels."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn

from foundry.data.photos import frame_photo, normalize_photo_pixels, to_pixels
from foundry.errors import InputError
from foundry.models.attacks.perturbing import (
    PGD,
    check_attack,
    find_fooled,
    perturb,
    read_probs,
)
from foundry.models.runtime import Predictor, on_narrow_thread

LEVELS = 255
MAX_STRENGTH = 16


@dataclass(frozen=True)
class PhotoAttack:
    """One photo made to get another name.

    Attributes:
        before: What the network saw, RGB, 224x224.
        after: The attacked picture, RGB, 224x224.
        index: Of the class that was the likeliest before.
        target: Of the class that was to be reached, None for any other.
        probs_before: float32 (classes,).
        probs_after: float32 (classes,).
    """

    before: Image.Image
    after: Image.Image
    index: int
    target: int | None
    probs_before: np.ndarray
    probs_after: np.ndarray

    @property
    def noise(self) -> np.ndarray:
        """What was added, int (224, 224, 3), in levels."""
        return np.asarray(self.after).astype(int) - np.asarray(self.before)

    def fools(self, probs: np.ndarray) -> bool:
        """Tell whether an answer is what the attack is after.

        Args:
            probs: Of every class, by whatever model reads the attacked picture.
        """
        return bool(find_fooled(probs[None], self.index, self.target)[0])


def attack_photo(
    network: nn.Module,
    image: Image.Image,
    target: int | None = None,
    method: str = PGD,
    strength: int = 2,
) -> PhotoAttack:
    """Change what a network sees of a photo a little, so that it gets another name.

    The attacked picture is rounded to whole levels: it can be kept in a file, and is judged as
    whoever opens the file sees it.

    Args:
        network: On the CPU; not modified. Of int8 the float32 network that was quantized.
        image: Upright, of any size.
        target: Index of the class to be reached; None for any but the likeliest one.
        method: `fgsm` or `pgd`.
        strength: How far each colour of each pixel may go, in levels, from 0 to `MAX_STRENGTH`.

    Raises:
        InputError: If there is no such method, strength or class, or it is the likeliest already.
    """
    check_attack(method, strength, MAX_STRENGTH, "Strength")
    return _attack(network, *_look_at(network, image, target), target, method, strength)


@on_narrow_thread
def read_frame(model: Predictor, picture: Image.Image) -> np.ndarray:
    """Return the probability of every class of what a network sees, float32 (classes,).

    Args:
        model: The shipped one, any variant of it.
        picture: RGB, 224x224: not framed again.
    """
    return read_probs(model, to_pixels(np.asarray(picture)[None]), normalize_photo_pixels)[0]


def find_smallest(
    network: nn.Module, image: Image.Image, target: int | None = None, method: str = PGD
) -> int | None:
    """Return the smallest strength that works, in levels; None if none does.

    Args:
        network: As `attack_photo()` takes it.
        image: Upright, of any size.
        target: As `attack_photo()` takes it.
        method: `fgsm` or `pgd`.

    Raises:
        InputError: As `attack_photo()` does.
    """
    check_attack(method, MAX_STRENGTH, MAX_STRENGTH, "Strength")
    picture, before = _look_at(network, image, target)
    # From below: few are tried, and a stronger FGSM may fail where a weaker one works.
    for strength in range(1, MAX_STRENGTH + 1):
        attack = _attack(network, picture, before, target, method, strength)
        if attack.fools(attack.probs_after):
            return strength
    return None


def _look_at(
    network: nn.Module, image: Image.Image, target: int | None
) -> tuple[Image.Image, np.ndarray]:
    """Return what the network sees of a photo, and how it reads it."""
    picture = frame_photo(image)
    before = read_frame(network, picture)
    if target is not None and target not in range(len(before)):
        raise InputError(f"There is no class {target}.")
    if int(before.argmax()) == target:
        raise InputError("That is its name already; choose another one to fool it into.")
    return picture, before


@on_narrow_thread
def _attack(
    network: nn.Module,
    picture: Image.Image,
    before: np.ndarray,
    target: int | None,
    method: str,
    strength: int,
) -> PhotoAttack:
    index = int(before.argmax())
    attacked = perturb(
        network,
        to_pixels(np.asarray(picture)[None]),
        torch.tensor([index if target is None else target]),
        torch.tensor([strength / LEVELS]),
        method,
        normalize_photo_pixels,
        is_targeted=target is not None,
    )
    levels = (attacked[0] * LEVELS).round().byte().permute(1, 2, 0).numpy()
    after = Image.fromarray(levels)
    return PhotoAttack(picture, after, index, target, before, read_frame(network, after))
