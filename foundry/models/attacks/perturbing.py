"""FGSM and PGD: pixels moved a little, until a network reads something else."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foundry.errors import InputError
from foundry.models.runtime import Predictor

FGSM, PGD = "fgsm", "pgd"
METHODS = (FGSM, PGD)
PGD_STEPS = 20
# Of epsilon. The steps together reach two and a half times as far as they may go, so that a pixel
# can turn round on the way (Madry's challenge for MNIST).
_STEP_SIZE = 2.5 / PGD_STEPS

Normalize = Callable[[Tensor], Tensor]


def perturb(
    model: nn.Module,
    pixels: Tensor,
    labels: Tensor,
    epsilons: Tensor,
    method: str,
    normalize: Normalize,
    is_targeted: bool = False,
) -> Tensor:
    """Move pixels along the sign of the gradient of the cross-entropy.

    PGD starts from the picture itself, not from a random place beside it: the same picture gives
    the same attack, and a strength of 0 changes nothing.

    Args:
        model: A classifier giving logits (N, classes); its parameters' gradients are left alone.
        pixels: float32 (N, channels, H, W), in [0, 1], before normalising.
        labels: int64 (N,): what is to be left, or, if targeted, what is to be reached.
        epsilons: float32 (N,): how far the pixels of each picture may go.
        method: One of `METHODS`.
        normalize: Makes the network's input of pixels.
        is_targeted: Whether the labels are to be reached.

    Returns:
        The attacked pictures, float32 (N, channels, H, W), in [0, 1].

    Source:
        Goodfellow, Shlens and Szegedy, Explaining and harnessing adversarial examples, 2015
        (FGSM); Madry and others, Towards deep learning models resistant to adversarial attacks,
        2018 (PGD).
    """
    # Own code: captum.robust takes gradients below 1e-6 for none, which spares all pictures that a
    # network is sure of, and warns at every step; torchattacks has had no release since 2023.
    device = next(model.parameters()).device
    original, labels = pixels.to(device), labels.to(device)
    reach = epsilons.to(device).view(-1, 1, 1, 1)
    num_steps, step = (1, reach) if method == FGSM else (PGD_STEPS, _STEP_SIZE * reach)
    lowest, highest = (original - reach).clamp(min=0), (original + reach).clamp(max=1)
    current = original
    if not reach.any():
        return pixels
    for _ in range(num_steps):
        current = current.detach().requires_grad_(True)
        with torch.enable_grad():
            logits = model(normalize(current))
            # Summed: a mean would scale the gradients of a batch, and small ones would vanish.
            loss = F.cross_entropy(logits, labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, current)
        direction = -gradient.sign() if is_targeted else gradient.sign()
        current = (current.detach() + step * direction).clamp(lowest, highest)
    return current.detach().cpu()


def read_probs(model: Predictor, pixels: Tensor, normalize: Normalize) -> np.ndarray:
    """Return the probability of every class, float32 (N, classes).

    Args:
        model: A classifier giving logits (N, classes), any variant of it.
        pixels: float32 (N, channels, H, W), in [0, 1], before normalising.
        normalize: Makes the network's input of pixels.
    """
    inputs = normalize(pixels)
    if isinstance(model, nn.Module):
        inputs = inputs.to(next(model.parameters()).device)
    with torch.inference_mode():
        return model(inputs).softmax(dim=1).cpu().numpy()


def find_fooled(probs: np.ndarray, label: int, target: int | None) -> np.ndarray:
    """Tell of each picture whether the model was fooled, bool (N,).

    Args:
        probs: Of the attacked pictures, float32 (N, classes).
        label: What was read before the attack.
        target: What was to be read, None for anything else.
    """
    read = probs.argmax(axis=1)
    return read != label if target is None else read == target


def check_attack(method: str, strength: float, most: float, what: str = "epsilon") -> None:
    """Refuse an attack or a strength that there is not.

    Args:
        method: What was asked for.
        strength: How far pixels may go.
        most: The most that is accepted.
        what: How a message calls the strength.

    Raises:
        InputError: If there is no such method or strength.
    """
    if method not in METHODS:
        raise InputError(f"There is no attack “{method}”; choose one of {', '.join(METHODS)}.")
    # NaN compares as false with everything, so it is refused here too.
    if not isinstance(strength, int | float) or not 0 <= strength <= most:
        raise InputError(f"{what} is “{strength}”, but only a number from 0 to {most} is accepted.")
