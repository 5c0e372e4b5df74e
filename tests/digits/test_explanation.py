"""Integrated Gradients of digits, beside integration by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foundry.data import NUM_CLASSES, normalize
from foundry.digits.explanation import MAX_RELATIVE_ERROR, explain_digit
from foundry.errors import InputError
from foundry.models import build_model


def logits_of(model, image):
    with torch.no_grad():
        return model(normalize(torch.from_numpy(image[None])))[0].numpy()


def test_the_pixels_of_a_hundred_test_digits_add_up_to_the_answer(lenet, mnist):
    empty = logits_of(lenet, np.zeros((28, 28), dtype=np.uint8))
    for image in mnist.test.images[:100].numpy():
        explanation = explain_digit(lenet, image)
        logits = logits_of(lenet, image)
        assert explanation.digit == logits.argmax() and explanation.rival is None
        difference = float(logits[explanation.digit] - empty[explanation.digit])
        total = explanation.attributions.sum()
        assert total == pytest.approx(difference, abs=MAX_RELATIVE_ERROR * abs(difference) + 1e-3)
        assert explanation.relative_error <= MAX_RELATIVE_ERROR


def test_the_lead_over_another_digit_is_shared_out(lenet, mnist):
    image = mnist.test.images[0].numpy()
    empty = logits_of(lenet, np.zeros((28, 28), dtype=np.uint8))
    logits = logits_of(lenet, image)
    digit = int(logits.argmax())
    for rival in set(range(NUM_CLASSES)) - {digit}:
        explanation = explain_digit(lenet, image, rival=rival)
        assert explanation.margin == pytest.approx(logits[digit] - logits[rival], abs=1e-4)
        lead = explanation.margin - float(empty[digit] - empty[rival])
        assert explanation.attributions.sum() == pytest.approx(lead, abs=0.02 * abs(lead) + 1e-3)


def test_it_is_the_gradient_integrated_by_hand(lenet, mnist):
    image = mnist.test.images[1].numpy()
    explanation = explain_digit(lenet, image, digit=3, rival=8)
    points = (torch.arange(4_000) + 0.5) / 4_000
    path = points[:, None, None] * (torch.from_numpy(image) / 255)
    path.requires_grad_(True)
    logits = lenet(((path - 0.1307) / 0.3081).unsqueeze(1))
    (gradients,) = torch.autograd.grad((logits[:, 3] - logits[:, 8]).sum(), path)
    by_hand = (gradients.mean(0) * torch.from_numpy(image) / 255).numpy()
    largest = np.abs(by_hand).max()
    np.testing.assert_allclose(explanation.attributions, by_hand, atol=0.05 * largest)


def test_of_a_linear_network_every_pixel_has_its_weight(mnist):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)).requires_grad_(
        False
    )
    image = mnist.test.images[2].numpy()
    explanation = explain_digit(network, image, digit=4)
    expected = network[1].weight[4].numpy().reshape(28, 28) * image / 255 / 0.3081
    np.testing.assert_allclose(explanation.attributions, expected, atol=1e-5)
    assert explanation.completeness_error < 1e-4


@given(seed=st.integers(0, 2**16), digit=st.integers(0, 9), rival=st.integers(0, 9))
def test_paper_has_no_share_and_the_other_way_round_is_the_opposite(seed, digit, rival):
    model = build_model("lenet", width=0.25).eval().requires_grad_(False)
    image = np.random.default_rng(seed).integers(0, 256, (28, 28)).astype(np.uint8)
    image[:, :14] = 0
    if digit == rival:
        with pytest.raises(InputError, match="itself"):
            explain_digit(model, image, digit, rival)
        return
    one, other = (
        explain_digit(model, image, digit, rival),
        explain_digit(model, image, rival, digit),
    )
    assert not one.attributions[:, :14].any()
    np.testing.assert_allclose(one.attributions, -other.attributions, atol=1e-3)


def test_of_an_empty_pad_there_is_nothing_to_share(lenet):
    explanation = explain_digit(lenet, np.zeros((28, 28), dtype=np.uint8))
    assert not explanation.attributions.any()
    assert explanation.relative_error < MAX_RELATIVE_ERROR


def test_what_is_no_digit_is_refused(lenet, mnist):
    image = mnist.test.images[0].numpy()
    with pytest.raises(InputError, match="“10” is no digit"):
        explain_digit(lenet, image, rival=10)


def test_the_shared_model_is_left_as_it_was(lenet, mnist):
    explain_digit(lenet, mnist.test.images[0].numpy())
    assert all(one.grad is None and not one.requires_grad for one in lenet.parameters())
    assert not any(module._forward_hooks for module in lenet.modules())
