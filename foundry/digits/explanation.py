"""Which ink spoke for an answer: Integrated Gradients over the pixels of a digit."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from foundry.data import normalize_pixels
from foundry.errors import InputError
from foundry.models.runtime import on_narrow_thread

# Points on the integration path: doubled from the first until the sum of the attributions is within
# MAX_RELATIVE_ERROR of what it should be, or the last has been tried.
FIRST_STEPS = 128
LAST_STEPS = 2_048
MAX_RELATIVE_ERROR = 0.01
# Differences of logits smaller than this differ by rounding alone: a share of them says nothing.
SMALLEST_DIFFERENCE = 0.1
# Path points in one pass through the network.
_PASS_IMAGES = 128


@dataclass(frozen=True)
class DigitExplanation:
    """An answer taken apart by pixel.

    Attributes:
        attributions: float32 (28, 28), in logits: above 0 a pixel speaks for `digit`, below 0
            against it, or for `rival` if there is one. Paper has 0: it is what the empty pad has.
        digit: The digit that is explained.
        rival: The one it is compared with, or None.
        margin: The digit's logit, less the rival's.
        baseline_margin: The same for an empty pad.
        completeness_error: |sum of the attributions - (margin - baseline_margin)|, in logits: 0 if
            the integration were exact.
        num_steps: Points on the integration path.
    """

    attributions: np.ndarray
    digit: int
    rival: int | None
    margin: float
    baseline_margin: float
    completeness_error: float
    num_steps: int

    @property
    def relative_error(self) -> float:
        """The completeness error as a share of what there was to explain."""
        difference = abs(self.margin - self.baseline_margin)
        return self.completeness_error / max(difference, SMALLEST_DIFFERENCE)


@on_narrow_thread
def explain_digit(
    model: nn.Module, image: np.ndarray, digit: int | None = None, rival: int | None = None
) -> DigitExplanation:
    """Share out a digit's logit, or its lead over another digit's, among the pixels.

    Gradients are integrated along the line from an empty pad to the drawing, in pixels before they
    are normalised. No hooks are set on the model, so others may use it meanwhile.

    Args:
        model: A classifier of digits, or of other small pictures, giving logits (N, classes); not
            modified. Of an int8 one the float32 network that was quantized: what runs has no
            gradients.
        image: uint8, shape (28, 28), 255 = ink.
        digit: The digit to explain, or the place of another class; None takes the likeliest.
        rival: The digit it is compared with ("why not 9?"); None compares with none.

    Raises:
        InputError: If either is no digit, or both are the same.

    Source:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, equation 1 and
        proposition 1 (completeness).
    """
    from captum.attr import IntegratedGradients

    device = next(model.parameters()).device
    pixels = torch.from_numpy(image)[None, None].to(device).float() / 255
    with torch.inference_mode():
        logits = model(normalize_pixels(pixels))[0]
    if digit is None:
        digit = int(logits.argmax())
    _check(digit, rival, len(logits))

    def margin(inputs: Tensor) -> Tensor:
        logits = model(normalize_pixels(inputs))
        return logits[:, digit] if rival is None else logits[:, digit] - logits[:, rival]

    empty_pad = torch.zeros_like(pixels)
    with torch.inference_mode():
        own, baseline = margin(torch.cat([pixels, empty_pad])).tolist()
    num_steps = FIRST_STEPS
    while True:
        attributions = IntegratedGradients(margin).attribute(
            pixels,
            empty_pad,
            n_steps=num_steps,
            # Gauss-Legendre, the default, takes seconds to place a thousand points, and a network
            # of straight pieces gains nothing by it.
            method="riemann_middle",
            internal_batch_size=_PASS_IMAGES,
        )
        explanation = DigitExplanation(
            attributions[0, 0].detach().float().cpu().numpy(),
            digit,
            rival,
            own,
            baseline,
            abs(attributions.sum().item() - (own - baseline)),
            num_steps,
        )
        if explanation.relative_error <= MAX_RELATIVE_ERROR or num_steps >= LAST_STEPS:
            return explanation
        num_steps *= 2


def _check(digit: int, rival: int | None, num_classes: int) -> None:
    for one in filter(lambda one: one is not None, (digit, rival)):
        if one not in range(num_classes):
            raise InputError(f"“{one}” is no digit; 0 to {num_classes - 1} are accepted.")
    if digit == rival:
        raise InputError(f"A {digit} cannot be compared with itself; choose another digit.")
