"""Changes to digits beside scikit-image's, and what is measured of a network."""

import math

import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from foundry.digits.drift.corruptions import (
    BLURRED,
    INVERTED,
    KINDS,
    NOISY,
    NUM_STRENGTHS,
    ROTATED,
    STRENGTHS,
    THICK,
    corrupt,
)
from foundry.digits.drift.measuring import measure_drift
from foundry.errors import InputError
from foundry.training.evaluation import evaluate

LEVELS = range(1, NUM_STRENGTHS + 1)


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.test.images[:40].numpy()


def compare(changed, expected):
    """Both are rounded to grey levels, one of them by scikit-image's other order of sums."""
    difference = np.abs(changed.astype(int) - np.rint(255 * np.clip(expected, 0, 1)).astype(int))
    assert difference.max() <= 1


@pytest.mark.parametrize("strength", LEVELS)
def test_rotation_is_that_of_scikit_image_to_either_side(images, strength):
    changed = corrupt(images, ROTATED, strength)
    angle = math.degrees(STRENGTHS[ROTATED][strength - 1])
    sides = set()
    for before, after in zip(images, changed, strict=True):
        turned = {
            side: skimage.transform.rotate(before / 255, side * angle, order=1) for side in (-1, 1)
        }
        errors = {
            side: np.abs(np.rint(255 * one) - after.astype(int)).max()
            for side, one in turned.items()
        }
        closest = min(errors, key=errors.get)
        assert errors[closest] <= 1
        sides.add(closest)
    assert sides == {-1, 1}


@pytest.mark.parametrize("strength", LEVELS)
def test_blur_is_that_of_scikit_image(images, strength):
    sigma = STRENGTHS[BLURRED][strength - 1]
    expected = [skimage.filters.gaussian(one / 255, sigma=sigma) for one in images]
    compare(corrupt(images, BLURRED, strength), np.stack(expected))


@pytest.mark.parametrize("strength", LEVELS)
def test_noise_is_that_of_scikit_image(images, strength):
    variance = STRENGTHS[NOISY][strength - 1] ** 2
    expected = skimage.util.random_noise(
        images / 255, "gaussian", rng=np.random.default_rng(0), var=variance
    )
    compare(corrupt(images, NOISY, strength), expected)


@pytest.mark.parametrize("strength", LEVELS)
def test_thickening_is_scikit_images_dilation_by_a_disc(images, strength):
    radius = STRENGTHS[THICK][strength - 1]
    side = 2 * math.floor(radius) + 1
    disc = np.zeros((side, side), bool)
    disc[skimage.draw.disk((side // 2, side // 2), radius + 1e-6, shape=disc.shape)] = True
    expected = [skimage.morphology.dilation(one / 255, disc) for one in images]
    compare(corrupt(images, THICK, strength), np.stack(expected))


def test_inversion_ends_with_scikit_images_negative(images):
    assert np.array_equal(corrupt(images, INVERTED, 5), skimage.util.invert(images))
    halfway = corrupt(images, INVERTED, 2).astype(int)
    compare(halfway, 0.6 * images / 255 + 0.4 * skimage.util.invert(images) / 255)


@given(st.sampled_from(KINDS), st.integers(0, NUM_STRENGTHS), st.integers(0, 3))
def test_the_same_seed_gives_the_same_digits_of_the_same_form(kind, strength, seed):
    images = np.random.default_rng(seed).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    before = images.copy()
    changed = corrupt(images, kind, strength, seed)
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, corrupt(images, kind, strength, seed))
    assert np.array_equal(images, before)
    assert (strength == 0) == np.array_equal(changed, images)


@pytest.mark.parametrize(
    ("kind", "strength"), [("melted", 1), (THICK, 6), (THICK, -1), (THICK, 2.0)]
)
def test_what_there_is_not_is_refused(images, kind, strength):
    with pytest.raises(InputError, match=r"accepted|choose one of"):
        corrupt(images, kind, strength)


def test_a_measurement_begins_with_the_digits_as_they_are(lenet, mnist):
    digits = mnist.test.head(200)
    events = list(measure_drift(lenet, digits, (THICK, INVERTED)))
    assert len(events) == 11
    assert events[-1].share == 1
    assert [event.share for event in events] == sorted(event.share for event in events)
    plain = evaluate(lenet, digits).accuracy
    for accuracies in events[-1].accuracies.values():
        assert len(accuracies) == 6
        assert accuracies[0] == pytest.approx(plain)
    # A negative is nothing that it has seen.
    assert events[-1].accuracies[INVERTED][-1] < 0.6
