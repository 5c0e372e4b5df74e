"""Fooling a digit model by FGSM and PGD, and how much of its accuracy is left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from foundry.data import Split, normalize_pixels
from foundry.errors import InputError
from foundry.models.attacks.perturbing import (
    PGD,
    check_attack,
    find_fooled,
    perturb,
    read_probs,
)
from foundry.models.runtime import Predictor, on_compute_thread, on_narrow_thread

MAX_EPSILON = 0.5
# All are tried at once. A stronger FGSM may fail where a weaker one works, so that halving the
# interval could step over the smallest.
STRENGTHS = tuple(step / 100 for step in range(1, 51))
_BATCH_IMAGES = 250


@dataclass(frozen=True)
class Attack:
    """One picture made to be misread.

    Attributes:
        pixels: The attacked picture, float32 (28, 28), in [0, 1], 1 = ink.
        noise: What was added, float32 (28, 28), at most epsilon from 0.
        digit: What the model read before.
        target: What it was to read, or None for anything else.
        probs_before: float32 (classes,), of the picture as it was.
        probs_after: float32 (classes,), of the attacked one.
        smallest_epsilon: The smallest strength of `STRENGTHS` that works, None if none does.
    """

    pixels: np.ndarray
    noise: np.ndarray
    digit: int
    target: int | None
    probs_before: np.ndarray
    probs_after: np.ndarray
    smallest_epsilon: float | None

    @property
    def is_fooled(self) -> bool:
        """Whether the model now reads what it was to read."""
        return bool(find_fooled(self.probs_after[None], self.digit, self.target)[0])


@dataclass(frozen=True)
class RobustnessEvent:
    """How far a measurement is.

    Attributes:
        share: Done, in [0, 1].
        accuracies: Of the strengths that are finished, in their order, each in [0, 1].
    """

    share: float
    accuracies: tuple[float, ...]


@on_narrow_thread
def attack_digit(
    model: nn.Module,
    image: np.ndarray,
    target: int | None = None,
    method: str = PGD,
    epsilon: float = 0.2,
) -> Attack:
    """Change a picture a little so that a model reads something else.

    Args:
        model: A classifier of digits, or of other small pictures, giving logits (N, classes); not
            modified. Of an int8 one the float32 network that was quantized: what runs has no
            gradients. Whether it is fooled too is to be seen with `read_pixels()`.
        image: uint8, shape (28, 28), 255 = ink.
        target: The digit that it is to read, or the place of another class; None for any but the
            one that it reads now.
        method: One of `METHODS`.
        epsilon: How far each pixel may go, in [0, MAX_EPSILON] of the way from paper to ink.

    Raises:
        InputError: If there is no such method, strength or digit, or it reads the target already.
    """
    check_attack(method, epsilon, MAX_EPSILON)
    pixels = torch.from_numpy(image)[None, None].float() / 255
    before = read_probs(model, pixels, normalize_pixels)
    classes = range(before.shape[1])
    if target is not None and not (isinstance(target, int) and target in classes):
        raise InputError(f"“{target}” is no digit; 0 to {classes[-1]} are accepted.")
    digit = int(before.argmax())
    if digit == target:
        raise InputError(f"It is read as {digit} already; choose another digit to fool it into.")
    epsilons = torch.tensor([epsilon, *STRENGTHS])
    labels = torch.tensor(digit if target is None else target).expand(len(epsilons))
    attacked = perturb(
        model,
        pixels.expand(len(epsilons), -1, -1, -1),
        labels,
        epsilons,
        method,
        normalize_pixels,
        is_targeted=target is not None,
    )
    after = read_probs(model, attacked, normalize_pixels)
    works = np.flatnonzero(find_fooled(after[1:], digit, target))
    return Attack(
        attacked[0, 0].numpy(),
        (attacked[0, 0] - pixels[0, 0]).numpy(),
        digit,
        target,
        before[0],
        after[0],
        STRENGTHS[works[0]] if len(works) else None,
    )


@on_narrow_thread
def read_pixels(model: Predictor, pixels: np.ndarray) -> np.ndarray:
    """Read a picture whose pixels are no grey levels of a file.

    Args:
        model: As `attack_digit()` takes it, any variant of it.
        pixels: float32 (28, 28), in [0, 1], 1 = ink.

    Returns:
        float32 probabilities, shape (classes,).
    """
    return read_probs(model, torch.from_numpy(pixels)[None, None], normalize_pixels)[0]


def measure_robustness(
    model: nn.Module,
    digits: Split,
    method: str = PGD,
    epsilons: Sequence[float] = (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    predictor: Predictor | None = None,
) -> Iterator[RobustnessEvent]:
    """Measure the accuracy that is left at each strength of an attack.

    Args:
        model: The float32 network whose gradients are used; not modified.
        digits: What is attacked, away from its labels.
        method: One of `METHODS`.
        epsilons: The strengths.
        predictor: What reads the attacked digits, such as the int8 form of the network; None for
            the network itself.

    Yields:
        A reading after every few hundred digits.

    Raises:
        InputError: If there is no such method or strength.
    """
    for epsilon in epsilons:
        check_attack(method, epsilon, MAX_EPSILON)
    num_batches = -(-len(digits) // _BATCH_IMAGES)
    accuracies: list[float] = []
    for done, epsilon in enumerate(epsilons):
        num_right = 0
        for batch in range(num_batches):
            rows = slice(batch * _BATCH_IMAGES, (batch + 1) * _BATCH_IMAGES)
            images, labels = digits.images[rows], digits.labels[rows]
            num_right += _count_right(model, predictor, images, labels, method, epsilon)
            if batch == num_batches - 1:
                accuracies.append(num_right / len(digits))
            share = (done * num_batches + batch + 1) / (len(epsilons) * num_batches)
            yield RobustnessEvent(share, tuple(accuracies))


@on_compute_thread
def _count_right(
    model: nn.Module,
    predictor: Predictor | None,
    images: Tensor,
    labels: Tensor,
    method: str,
    epsilon: float,
) -> int:
    pixels = images.unsqueeze(1).float() / 255
    attacked = perturb(
        model, pixels, labels, torch.full((len(labels),), epsilon), method, normalize_pixels
    )
    return int(
        (
            read_probs(predictor or model, attacked, normalize_pixels).argmax(1) == labels.numpy()
        ).sum()
    )
