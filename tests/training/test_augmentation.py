import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional as F

from foundry.data import normalize
from foundry.training.augmentation import INK, PAPER, draw_affine, fgsm, random_affine

# A difference of one grey level (of 255) in network input.
GREY_LEVEL = (INK - PAPER) / 255


@pytest.fixture(scope="module")
def images(mnist):
    return normalize(mnist.test.images[:64])


@pytest.fixture(scope="module")
def labels(mnist):
    return mnist.test.labels[:64]


def affine(images, *limits, angle=0.0, shift_x=0.0, shift_y=0.0, size=0.0):
    """Change all images alike, each time by a share, in [-1, 1], of the largest change."""
    draws = torch.tensor([[angle, shift_x, shift_y, size]])
    return random_affine(images, *limits, draws.expand(len(images), -1))


def affine_by_chance(images, *limits, seed=0):
    draws = draw_affine(len(images), torch.Generator().manual_seed(seed))
    return random_affine(images, *limits, draws)


def test_paper_and_ink_are_the_normalized_ends_of_the_pixel_range():
    ends = normalize(torch.tensor([0, 255], dtype=torch.uint8).repeat(1, 28, 14)[:, :, :28])
    assert ends.min().item() == pytest.approx(PAPER, abs=1e-5)
    assert ends.max().item() == pytest.approx(INK, abs=1e-5)


def test_nothing_changes_when_every_limit_is_zero(images):
    torch.testing.assert_close(affine_by_chance(images, 0, 0, 0), images, atol=1e-4, rtol=0)


@pytest.mark.parametrize("limits", [(45, 6, 0.5), (10, 0, 0), (0, 3, 0), (0, 0, 0.3)])
def test_shape_and_pixel_range_are_kept(images, limits):
    changed = affine_by_chance(images, *limits)
    assert changed.shape == images.shape
    assert changed.dtype == images.dtype
    assert changed.min() >= PAPER - 1e-5
    assert changed.max() <= INK + 1e-5


def test_the_given_images_are_left_alone(images):
    before = images.clone()
    affine_by_chance(images, 20, 3, 0.2)
    assert torch.equal(images, before)


def test_each_image_of_a_batch_gets_its_own_change(images):
    same = images[:1].repeat(8, 1, 1, 1)
    changed = affine_by_chance(same, 20, 3, 0.2)
    assert len({image.numpy().tobytes() for image in changed}) == 8


def test_the_same_seed_draws_the_same_changes(images):
    first = affine_by_chance(images, 20, 3, 0.2, seed=3)
    assert torch.equal(affine_by_chance(images, 20, 3, 0.2, seed=3), first)
    assert not torch.equal(affine_by_chance(images, 20, 3, 0.2, seed=4), first)


@pytest.mark.parametrize(("shift_x", "shift_y"), [(3, 0), (0, 3), (-2, 1)])
def test_a_whole_shift_moves_pixels_without_wrapping_around(images, shift_x, shift_y):
    changed = affine(images, 0, 6, 0, shift_x=shift_x / 6, shift_y=shift_y / 6)
    # scipy.ndimage moves by (rows, columns); the sampling grid moves the other way.
    expected = ndimage.shift(
        images[:, 0].numpy(), (0, -shift_y, -shift_x), order=1, cval=PAPER, prefilter=False
    )
    np.testing.assert_allclose(changed[:, 0].numpy(), expected, atol=GREY_LEVEL)


def test_ink_moved_out_at_one_side_does_not_come_in_at_the_other():
    column = torch.full((1, 1, 28, 28), PAPER)
    column[..., :, :3] = INK
    for share in (-1.0, 1.0):
        changed = affine(column, 0, 6, 0, shift_x=share)
        far_side = changed[..., :, 14:]
        torch.testing.assert_close(far_side, torch.full_like(far_side, PAPER), atol=1e-5, rtol=0)


@pytest.mark.parametrize("share", [-1.0, 0.5, 1.0])
def test_a_rotation_agrees_with_scipy(images, share):
    changed = affine(images, 30, 0, 0, angle=share)[:, 0].numpy()
    # A margin of paper, because scipy takes a neighbour beyond the border for outside altogether.
    margin = ((0, 0), (4, 4), (4, 4))
    padded = np.pad(images[:, 0].numpy() - PAPER, margin)
    turned = ndimage.rotate(padded, share * 30, axes=(2, 1), reshape=False, order=1) + PAPER
    np.testing.assert_allclose(changed, turned[:, 4:-4, 4:-4], atol=2 * GREY_LEVEL)


@pytest.mark.parametrize("share", [-1.0, 1.0])
def test_a_change_of_size_scales_the_ink_by_its_square(images, share):
    before = (images - PAPER).sum(dim=(1, 2, 3))
    after = (affine(images, 0, 0, 0.2, size=share) - PAPER).sum(dim=(1, 2, 3))
    # Area grows with the square of the length; sampling adds a little noise.
    factor = (1 + 0.2 * share) ** 2
    assert (after / before).mean().item() == pytest.approx(factor, rel=0.03)


def test_a_shift_stays_within_its_limit(images):
    changed = affine_by_chance(images, 0, 2, 0)
    for before, after in zip(images[:, 0].numpy(), changed[:, 0].numpy(), strict=True):
        moved = np.subtract(
            ndimage.center_of_mass(after - PAPER), ndimage.center_of_mass(before - PAPER)
        )
        assert np.abs(moved).max() <= 2.05


@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("is_noisy", [False, True])
def test_fgsm_stays_within_epsilon_and_the_pixel_range(lenet, images, labels, epsilon, is_noisy):
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    adversarial = fgsm(lenet, images, labels, epsilon, noise if is_noisy else None)
    change = (adversarial - images).abs() * 0.3081  # back to intensity: PIXEL_STD
    assert adversarial.shape == images.shape
    assert change.max().item() <= epsilon + 1e-6
    assert adversarial.min().item() >= PAPER - 1e-6
    assert adversarial.max().item() <= INK + 1e-6


@pytest.mark.parametrize("epsilon", [0.02, 0.1])
def test_fgsm_raises_the_loss_more_than_noise_of_its_size(lenet, images, labels, epsilon):
    torch.manual_seed(0)
    signs = torch.randint(0, 2, images.shape) * 2 - 1
    noisy = (images + epsilon / 0.3081 * signs).clamp(PAPER, INK)
    adversarial = fgsm(lenet, images, labels, epsilon)
    clean_loss, noisy_loss, adversarial_loss = (
        F.cross_entropy(lenet(x), labels).item() for x in (images, noisy, adversarial)
    )
    assert adversarial_loss > clean_loss
    assert adversarial_loss - clean_loss > 2 * (noisy_loss - clean_loss)


def test_fgsm_steps_along_the_sign_of_the_gradient_in_closed_form(images, labels):
    torch.manual_seed(0)
    # A linear model: its gradient is known in closed form.
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    inside = images * 0.5  # away from both ends, so that nothing is clipped
    adversarial = fgsm(model, inside, labels, 0.01)
    weight = model[1].weight.detach()
    probs = model(inside).softmax(1)
    gradient = (probs - F.one_hot(labels, 10)) @ weight
    expected = inside + 0.01 / 0.3081 * gradient.detach().sign().view_as(inside)
    expected = expected.clamp(PAPER, INK)
    assert math.isclose((adversarial - expected).abs().max().item(), 0, abs_tol=1e-5)


def test_fgsm_from_a_random_start_is_a_step_projected_back(images, labels):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    noise = torch.rand(images.shape) * 2 - 1
    reach = 0.1 / 0.3081
    start = (images + reach * noise).clamp(PAPER, INK)
    weight = model[1].weight.detach()
    probs = model(start).softmax(1).detach()
    signs = ((probs - F.one_hot(labels, 10)) @ weight).sign().view_as(images)
    # By pixel: 1.25 epsilons from the start, yet within one of the image, and a pixel's value.
    expected = np.clip(start + 1.25 * reach * signs, images - reach, images + reach)
    adversarial = fgsm(model, images, labels, 0.1, noise)
    np.testing.assert_allclose(adversarial, expected.clip(PAPER, INK), atol=1e-5)


def test_fgsm_leaves_no_gradient_behind(images, labels):
    from foundry.models import build_model

    model = build_model("lenet")
    given = images.clone()
    adversarial = fgsm(model, given, labels, 0.1)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(given, images)
    assert not adversarial.requires_grad
