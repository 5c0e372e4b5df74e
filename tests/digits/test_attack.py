"""Attacks beside independent implementations: one written here, and captum's."""

import copy

import numpy as np
import pytest
import torch
from captum.robust import FGSM as CaptumFgsm
from captum.robust import PGD as CaptumPgd
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foundry.data import Split
from foundry.digits.attack import (
    FGSM,
    METHODS,
    PGD,
    PGD_STEPS,
    STRENGTHS,
    attack_digit,
    measure_robustness,
    perturb,
    read_pixels,
)
from foundry.errors import InputError
from foundry.models import build_model, load_predictor
from foundry.models.variants import VARIANTS


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
    attacked = perturb(exact, pixels, labels, epsilons, method, is_targeted)
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
    attacked = perturb(exact, pixels, labels, epsilons, method, is_targeted)
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
    attacked = perturb(model, pixels, labels, torch.full((3,), epsilon), method, is_targeted)
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
    attacked = perturb(Sure(), pixels, labels, torch.full((16,), 0.1), FGSM)
    # Nearly every pixel moves by all of it, but for those at the ends of the range.
    free = (pixels > 0.1) & (pixels < 0.9)
    moved = (attacked - pixels).abs()[free]
    assert (moved > 0.0999).float().mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [None, 3])
def test_the_smallest_strength_works_and_none_below_does(lenet, mnist, method, target):
    image = mnist.test.images[0].numpy()
    smallest = attack_digit(lenet, image, target, method).smallest_epsilon
    if smallest is None:
        assert not attack_digit(lenet, image, target, method, STRENGTHS[-1]).is_fooled
        return
    assert smallest in STRENGTHS
    assert attack_digit(lenet, image, target, method, smallest).is_fooled
    for below in [one for one in STRENGTHS if one < smallest][-4:]:
        assert not attack_digit(lenet, image, target, method, below).is_fooled


def test_a_seven_is_fooled_into_a_chosen_digit(lenet, mnist):
    image = mnist.test.images[0].numpy()
    attack = attack_digit(lenet, image, target=3, epsilon=0.3)
    assert (attack.digit, attack.target) == (7, 3)
    assert attack.is_fooled and attack.probs_after.argmax() == 3
    assert attack.probs_before.argmax() == 7
    assert attack.probs_after.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(image / 255 + attack.noise, attack.pixels, atol=1e-6)
    assert np.abs(attack.noise).max() <= 0.3 + 1e-6
    # What others read is the very same picture.
    np.testing.assert_allclose(read_pixels(lenet, attack.pixels), attack.probs_after, atol=1e-5)
    pruned = load_predictor("lenet", variant=VARIANTS["pruned"])
    assert read_pixels(pruned, attack.pixels).shape == (10,)


def test_a_strength_of_zero_changes_nothing(lenet, mnist):
    attack = attack_digit(lenet, mnist.test.images[0].numpy(), epsilon=0)
    assert not attack.noise.any() and not attack.is_fooled
    np.testing.assert_allclose(attack.probs_before, attack.probs_after, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_accuracy_over_strength_is_counted_by_hand(lenet, mnist, method):
    digits = Split(mnist.test.images[:300], mnist.test.labels[:300])
    events = list(measure_robustness(lenet, digits, method, [0, 0.15]))
    # 250 digits at a time.
    assert [event.share for event in events] == [0.25, 0.5, 0.75, 1]
    assert [len(event.accuracies) for event in events] == [0, 1, 1, 2]
    pixels = digits.images.unsqueeze(1).float() / 255
    for epsilon, accuracy in zip([0, 0.15], events[-1].accuracies, strict=True):
        attacked = perturb(lenet, pixels, digits.labels, torch.full((300,), epsilon), method)
        read = [read_pixels(lenet, one[0].numpy()).argmax() for one in attacked]
        assert accuracy == np.mean(np.array(read) == digits.labels.numpy())


def test_another_network_may_read_what_one_network_attacks(lenet, mnist):
    digits = mnist.test.head(100)
    other = load_predictor("lenet", variant=VARIANTS["pruned"])
    *_, own = measure_robustness(lenet, digits, PGD, [0.2])
    *_, carried = measure_robustness(lenet, digits, PGD, [0.2], predictor=other)
    assert own.accuracies[0] < carried.accuracies[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "cw"}, "There is no attack “cw”; choose one of fgsm, pgd"),
        ({"epsilon": 0.6}, "from 0 to 0.5 is accepted"),
        ({"epsilon": float("nan")}, "from 0 to 0.5 is accepted"),
        ({"epsilon": "much"}, "from 0 to 0.5 is accepted"),
        ({"target": 12}, "“12” is no digit"),
        ({"target": 7}, "read as 7 already"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(lenet, mnist, options, sentence):
    with pytest.raises(InputError, match=sentence):
        attack_digit(lenet, mnist.test.images[0].numpy(), **options)


def test_the_shared_model_is_left_as_it_was(lenet, mnist):
    before = {name: tensor.clone() for name, tensor in lenet.state_dict().items()}
    attack_digit(lenet, mnist.test.images[0].numpy())
    assert all(one.grad is None and not one.requires_grad for one in lenet.parameters())
    assert all(torch.equal(lenet.state_dict()[name], before[name]) for name in before)
