from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from waiting import call_at_once

from foundry.data import normalize
from foundry.digits.activations import compute_activations, first_layer_filters
from foundry.models import build_model


@pytest.fixture(scope="module")
def image(mnist):
    return mnist.test.images[0].numpy()


@pytest.mark.parametrize(
    ("architecture", "shapes"),
    [
        # Padding keeps 28; the pool halves it; LeNet's second convolution takes 4 off.
        ("lenet", {"conv1": (6, 28, 28), "conv2": (16, 10, 10)}),
        ("cnn", {"conv1": (32, 28, 28), "conv2": (64, 14, 14)}),
    ],
)
def test_every_convolution_answers_in_order_with_its_shape(architecture, shapes, image):
    activations = compute_activations(build_model(architecture), image)
    assert list(activations) == list(shapes)
    assert {name: maps.shape for name, maps in activations.items()} == shapes
    assert all(maps.dtype == np.float32 for maps in activations.values())


def test_activations_are_those_of_a_forward_pass_by_hand(lenet, image):
    with torch.no_grad():
        first = F.relu(
            F.conv2d(
                normalize(torch.from_numpy(image[None])),
                lenet.conv1.weight,
                lenet.conv1.bias,
                padding=2,
            )
        )
        pooled = F.max_pool2d(first, 2)
        second = F.relu(F.conv2d(pooled, lenet.conv2.weight, lenet.conv2.bias))
    activations = compute_activations(lenet, image)
    np.testing.assert_allclose(activations["conv1"], first[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(activations["conv2"], second[0].numpy(), atol=1e-5)


def test_the_shared_model_keeps_no_hooks_and_stays_as_it_was(lenet, image):
    before = {name: tensor.clone() for name, tensor in lenet.state_dict().items()}
    compute_activations(lenet, image)
    for module in lenet.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert not lenet.training
    assert all(torch.equal(lenet.state_dict()[name], before[name]) for name in before)


def test_the_given_image_is_left_alone(lenet, image):
    before = image.copy()
    compute_activations(lenet, image)
    np.testing.assert_array_equal(image, before)


def test_visitors_at_the_same_time_get_the_activations_of_their_own_image(lenet, mnist):
    images = mnist.test.images[:8].numpy()
    alone = [compute_activations(lenet, image)["conv2"] for image in images]

    def look(image):
        return [compute_activations(lenet, image)["conv2"] for _ in range(5)]

    together = call_at_once(*(partial(look, image) for image in images))
    for seen, expected in zip(together, alone, strict=True):
        np.testing.assert_array_equal(seen, [expected] * 5)


def test_blank_paper_still_has_activations(lenet):
    activations = compute_activations(lenet, np.zeros((28, 28), dtype=np.uint8))
    # Away from the padded border every pixel sees the same paper.
    inner = activations["conv1"][:, 4:-4, 4:-4]
    assert np.allclose(inner, inner[:, :1, :1], atol=1e-6)


def test_first_layer_filters_are_the_weights_of_the_first_convolution(lenet):
    filters = first_layer_filters(lenet)
    assert filters.shape == (6, 5, 5)
    np.testing.assert_array_equal(filters, lenet.conv1.weight[:, 0].numpy())
