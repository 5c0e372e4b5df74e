"""Attacks beside independent implementations: one written here, and captum's."""

import copy

import pytest
import torch
from captum.robust import FGSM as CaptumFgsm
from captum.robust import PGD as CaptumPgd
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foundry.data import normalize_pixels
from foundry.models import build_model
from foundry.models.attacks.perturbing import FGSM, METHODS, PGD_STEPS, perturb


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist.test.head(16)


@pytest.fixture(scope="module")
def pixels(digits):
    return digits.images.unsqueeze(1).float() / 255


@pytest.fixture(scope="module")
def exact(lenet):
    """LeNet in float64: rounding does not turn the sign of a gradient that is nearly zero."""
    return copy.deepcopy(lenet).double()


def with_normalising(model):
    """A network that takes pixels, as the libraries for attacks expect it."""

    class Normalising(nn.Module):
        def forward(self, pixels):
            return model((pixels - 0.1307) / 0.3081)

    return Normalising()


def attack_by_hand(model, pixels, labels, epsilon, num_steps, step, sign):
    """One picture after another, each pixel by the loss's own derivative."""
    attacked = []
    for picture, label in zip(pixels, labels, strict=True):
        now = picture.clone()
        for _ in range(num_steps):
            now.requires_grad_(True)
            logits = with_normalising(model)(now[None])
            loss = torch.logsumexp(logits[0], 0) - logits[0, label]
            (gradient,) = torch.autograd.grad(loss, now)
            with torch.no_grad():
                moved = now + sign * step * torch.sign(gradient)
                moved = torch.maximum(torch.minimum(moved, picture + epsilon), picture - epsilon)
                now = moved.clamp(0, 1)
        attacked.append(now)
    return torch.stack(attacked)


@pytest.mark.parametrize("is_targeted", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_attack_written_by_hand(exact, digits, pixels, method, is_targeted):
    pixels = pixels.double()
    labels = (digits.labels + 1) % 10 if is_targeted else digits.labels
    epsilon = 0.15
    num_steps, step = (1, epsilon) if method == FGSM else (PGD_STEPS, 2.5 * epsilon / PGD_STEPS)
    sign = -1 if is_targeted else 1
    expected = attack_by_hand(exact, pixels, labels, epsilon, num_steps, step, sign)
    epsilons = torch.full((len(pixels),), epsilon).double()
    attacked = perturb(exact, pixels, labels, epsilons, method, normalize_pixels, is_targeted)
    assert (attacked - expected).abs().max() < 1e-5


@pytest.mark.parametrize("is_targeted", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_it_is_captums_attack_without_its_threshold(exact, digits, pixels, method, is_targeted):
    pixels = pixels.double()
    labels = (digits.labels + 3) % 10 if is_targeted else digits.labels
    arguments = with_normalising(exact), nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0
    if method == FGSM:
        attack = CaptumFgsm(*arguments)
        attack.zero_thresh = 0
        expected = attack.perturb(pixels.clone(), 0.2, labels, targeted=is_targeted)
    else:
        attack = CaptumPgd(*arguments)
        attack.fgsm.zero_thresh = 0
        step = 2.5 * 0.2 / PGD_STEPS
        expected = attack.perturb(
            pixels.clone(), 0.2, step, PGD_STEPS, labels, targeted=is_targeted
        )
    epsilons = torch.full((16,), 0.2).double()
    attacked = perturb(exact, pixels, labels, epsilons, method, normalize_pixels, is_targeted)
    assert (attacked - expected).abs().max() < 1e-5


@given(
    seed=st.integers(0, 2**16),
    epsilon=st.floats(0, 0.5),
    method=st.sampled_from(METHODS),
    is_targeted=st.booleans(),
)
def test_pixels_stay_pixels_and_within_reach(seed, epsilon, method, is_targeted):
    generator = torch.Generator().manual_seed(seed)
    model = build_model("lenet", width=0.25).eval().requires_grad_(False)
    pixels = torch.rand(3, 1, 28, 28, generator=generator).round(decimals=1)
    before = pixels.clone()
    labels = torch.randint(10, (3,), generator=generator)
    attacked = perturb(
        model, pixels, labels, torch.full((3,), epsilon), method, normalize_pixels, is_targeted
    )
    assert attacked.min() >= 0 and attacked.max() <= 1
    assert (attacked - pixels).abs().max() <= epsilon + 1e-6
    assert torch.equal(pixels, before)


def test_a_network_that_is_sure_is_attacked_too(lenet, pixels):
    class Sure(nn.Module):
        """Ten times the logits: gradients too small for captum."""

        def __init__(self):
            super().__init__()
            self.lenet = lenet

        def forward(self, images):
            return 10 * self.lenet(images)

    labels = lenet((pixels - 0.1307) / 0.3081).argmax(1)
    attacked = perturb(Sure(), pixels, labels, torch.full((16,), 0.1), FGSM, normalize_pixels)
    # Nearly every pixel moves by all of it, but for those at the ends of the range.
    free = (pixels > 0.1) & (pixels < 0.9)
    moved = (attacked - pixels).abs()[free]
    assert (moved > 0.0999).float().mean() > 0.95
