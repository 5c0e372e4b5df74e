"""What training does to whole batches of images: small affine changes, adversarial steps."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from foundry.data import PIXEL_MEAN, PIXEL_STD

# Network input for a pixel of paper (0) and of full ink (1).
PAPER = -PIXEL_MEAN / PIXEL_STD
INK = (1 - PIXEL_MEAN) / PIXEL_STD
# In epsilons: what its source found to be best from a random start.
_NOISY_STEP = 1.25


def draw_affine(num_images: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Draw what `random_affine` does to each image of a batch.

    Args:
        num_images: Of the batch.
        generator: Of the CPU; None for torch's own.

    Returns:
        float32 (num_images, 4), uniform in [-1, 1]: angle, x shift, y shift, size.
    """
    return torch.rand(num_images, 4, generator=generator) * 2 - 1


def random_affine(
    images: torch.Tensor,
    rotation_deg: float,
    shift_px: float,
    scale: float,
    draws: torch.Tensor,
) -> torch.Tensor:
    """Rotate, shift and scale each image of a batch by its own random amount.

    There are no flips: a mirrored 2 is no digit at all, and a 6 turned over is a 9.

    Args:
        images: Normalised, float32 (N, 1, 28, 28).
        rotation_deg: Largest turn to either side, degrees.
        shift_px: Largest shift along each axis, pixels.
        scale: Largest relative change of size, in [0, 1).
        draws: From `draw_affine`.

    Returns:
        New images of the same shape; what moves in from outside is paper.
    """
    size = images.shape[-1]
    draws = draws.to(images.device)
    angles = draws[:, 0] * math.radians(rotation_deg)
    factors = 1 / (1 + draws[:, 3] * scale)
    cos, sin = torch.cos(angles) * factors, torch.sin(angles) * factors
    # affine_grid counts the image as 2 wide, so a pixel is 2 / size.
    shifts = draws[:, 1:3] * (2 * shift_px / size)
    theta = torch.stack([cos, -sin, shifts[:, 0], sin, cos, shifts[:, 1]], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    # grid_sample pads with zero, so paper has to be zero while it runs.
    return F.grid_sample(images - PAPER, grid, align_corners=False) + PAPER


def fgsm(
    model: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    labels: torch.Tensor,
    epsilon: float,
    noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """Move every pixel by at most epsilon in the direction that raises the loss.

    Args:
        model: A classifier giving logits; its parameters' gradients are left alone.
        images: Normalised, float32 (N, 1, 28, 28).
        labels: int64 (N,).
        epsilon: Step in pixel intensity, in [0, 1] of the way from paper to ink.
        noise: Of the same shape, uniform in [-1, 1]: where to start, in epsilons. For training:
            without it a network learns to be misread by this one step alone.

    Returns:
        Adversarial images, clipped to the range of real pixels.

    Source: Goodfellow, Shlens and Szegedy, Explaining and harnessing adversarial examples, 2015;
    with noise, Wong, Rice and Kolter, Fast is better than free, 2020.
    """
    reach = epsilon / PIXEL_STD
    start = images if noise is None else (images + reach * noise).clamp(PAPER, INK)
    start = start.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(model(start), labels), start)
    step = reach if noise is None else _NOISY_STEP * reach
    moved = start.detach() + step * gradient.sign()
    if noise is not None:
        moved = images + (moved - images).clamp(-reach, reach)
    return moved.clamp(PAPER, INK)
