"""Reading digits: ink -> lines of parts -> the best way to cut them -> class probabilities."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from foundry.digits.cuts import choose_path, cut_parts, drop_cost, list_candidates
from foundry.digits.framing import to_mnist
from foundry.digits.ink import find_ink
from foundry.digits.likeness import find_threshold, score_likeness
from foundry.digits.parts import (
    MAX_DIGITS,
    Box,
    crop_ink,
    find_lines,
    find_parts,
    too_many,
    typical_height,
)
from foundry.errors import InputError
from foundry.models.runtime import Predictor, compute_logits

# What it costs, in nats, to look as much less like a digit than the threshold asks for as that is
# below a middling digit; and from where on, a digit's slack being 1.
_UNLIKE_COST = 3.0
_FREE_SLACK = 0.7
# Drawings wider than this share of their height may be two digits that touch.
_MAX_ASPECT = 1.15
# What is further apart than this share of the height is no one digit.
_APART = 0.1


@dataclass(frozen=True)
class Reading:
    """One digit that was read.

    Attributes:
        box: Where it was found.
        image: What the model saw, uint8 (28, 28), 255 = ink.
        probs: float32 (10,), sums to 1.
        is_digit: Whether it looks like one to the model.
    """

    box: Box
    image: np.ndarray
    probs: np.ndarray
    is_digit: bool

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.probs.argmax())


def read_drawing(model: Predictor, image: Image.Image) -> Reading | None:
    """Read a picture as one digit.

    Args:
        model: A digit classifier giving logits (N, 10).
        image: A drawing or photo of one digit.

    Returns:
        The reading, or None if there is no ink.

    Raises:
        InputError: If there are too many parts for this to be a handwritten digit.
    """
    return read_ink(model, find_ink(image))


def read_ink(model: Predictor, ink: np.ndarray) -> Reading | None:
    """Read ink as one digit.

    Args:
        model: A digit classifier giving logits (N, 10).
        ink: float32 (H, W), in [0, 1].

    Returns:
        The reading, or None if there is no ink.

    Raises:
        InputError: If there are too many parts for this to be a handwritten digit.
    """
    framed = frame_ink(ink)
    if framed is None:
        return None
    box, image = framed
    logits = compute_logits(model, torch.from_numpy(image[None]))
    lowest, _ = find_threshold(model)
    return Reading(
        box, image, logits.softmax(1)[0].numpy(), bool(score_likeness(logits)[0] >= lowest)
    )


def frame_ink(ink: np.ndarray) -> tuple[Box, np.ndarray] | None:
    """Turn ink into what a network sees of it as one digit.

    Args:
        ink: float32 (H, W), in [0, 1].

    Returns:
        Where it is, and uint8 (28, 28), 255 = ink; None if there is no ink.

    Raises:
        InputError: If there are too many parts for this to be a handwritten digit.
    """
    parts = find_parts(ink)
    if not parts:
        return None
    box = parts[0].box
    for part in parts[1:]:
        box = box.union(part.box)
    return box, to_mnist(crop_ink(ink, box))


def find_several(model: Predictor, ink: np.ndarray, whole: Reading) -> list[Reading]:
    """Find the digits in what was read as one, if they are several.

    Args:
        model: A digit classifier giving logits (N, 10).
        ink: float32 (H, W), in [0, 1].
        whole: All of it as one digit.

    Returns:
        The digits in reading order; empty if all of it is one digit, or something else.
    """
    parts = find_parts(ink)
    # Nobody asks a network about the one stroke that most digits are.
    if len(parts) == 1 and whole.box.width <= _MAX_ASPECT * whole.box.height:
        return []
    try:
        found = [reading for line in read_lines(model, ink) for reading in line]
    except InputError:
        return []
    if len(found) < 2 or not all(one.is_digit for one in found):
        return []
    # One digit may be of two parts, such as an open four, if they are close to each other.
    is_apart = any(
        one.box.gap(other.box) > _APART * whole.box.height
        for one, other in itertools.pairwise(found)
    )
    return found if is_apart or not whole.is_digit else []


def read_photo(model: Predictor, image: Image.Image) -> list[Reading]:
    """Find the digits on a picture and read them line by line, left to right.

    Args:
        model: A digit classifier giving logits (N, 10).
        image: A photo or scan of handwritten digits.

    Returns:
        A reading per digit; empty if there is no ink.

    Raises:
        InputError: If there are too many parts for this to be handwritten digits.
    """
    return [reading for line in read_lines(model, find_ink(image)) for reading in line]


def read_lines(model: Predictor, ink: np.ndarray) -> list[list[Reading]]:
    """Cut lines of writing into what looks most like digits.

    Args:
        model: A digit classifier giving logits (N, 10).
        ink: float32 (H, W), in [0, 1].

    Returns:
        Lines from top to bottom, each with a reading per digit from left to right.

    Raises:
        InputError: If there are too many parts for this to be handwritten digits.
    """
    parts = find_parts(ink)
    if not parts:
        return []
    plans = []
    for line in find_lines(parts):
        height = typical_height([(part.box.height, part.ink.sum()) for part in line])
        pieces, owners = cut_parts(line)
        plans.append((pieces, list_candidates(pieces, owners, height), height))
    images = np.stack([to_mnist(one.part.ink) for _, found, _ in plans for one in found])
    logits = compute_logits(model, torch.from_numpy(images))
    probs, scores = logits.softmax(1).numpy(), score_likeness(logits)
    lowest, middle = find_threshold(model)
    # To a network that answers all the same nothing is less like a digit than anything else.
    slack = (middle - scores) / (middle - lowest) if middle > lowest else np.zeros_like(scores)
    costs = _UNLIKE_COST * np.clip(slack - _FREE_SLACK, 0, None) - np.log(probs.max(1) + 1e-6)
    lines = []
    start = 0
    for pieces, found, height in plans:
        own = [one.cost + cost for one, cost in zip(found, costs[start:], strict=False)]
        drops = [drop_cost(piece, height) for piece in pieces]
        chosen = choose_path(found, own, drops)
        lines.append(
            [
                Reading(
                    found[index].part.box,
                    images[start + index],
                    probs[start + index],
                    bool(scores[start + index] >= lowest),
                )
                for index in chosen
            ]
        )
        start += len(found)
    num_digits = sum(map(len, lines))
    if num_digits > MAX_DIGITS:
        raise too_many(num_digits)
    return [line for line in lines if line]


def classify_digits(model: Predictor, images: np.ndarray) -> np.ndarray:
    """Classify pictures that are already as MNIST's.

    Args:
        model: A digit classifier giving logits (N, 10).
        images: uint8, shape (N, 28, 28), 255 = ink.

    Returns:
        float32 probabilities, shape (N, 10).
    """
    return compute_logits(model, torch.from_numpy(images)).softmax(dim=1).numpy()
