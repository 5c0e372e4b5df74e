from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from waiting import call_at_once

from foundry.data import normalize
from foundry.digits.activations import (
    compute_activations,
    compute_attention,
    compute_beliefs,
    compute_outputs,
    fingerprint,
    first_layer_filters,
    list_layers,
)
from foundry.errors import InputError
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


def test_filters_of_the_others_are_rows_and_patches_of_weights():
    lstm, transformer = build_model("lstm", 0.25), build_model("transformer", 0.25)
    rows, patches = first_layer_filters(lstm), first_layer_filters(transformer)
    assert rows.shape == (32, 4, 28) and patches.shape == (16, 7, 7)
    # The third gate of neuron 5.
    np.testing.assert_array_equal(rows[5, 2], lstm.input.weight[2 * 32 + 5].detach())
    np.testing.assert_array_equal(patches[3].ravel(), transformer.embed.weight[3].detach())


def test_beliefs_end_with_the_answer_and_attention_is_shared_out(image):
    torch.manual_seed(0)
    lstm, transformer = (build_model(name).eval() for name in ("lstm", "transformer"))
    states, beliefs = compute_beliefs(lstm, image)
    assert states.shape == (28, 128) and beliefs.shape == (28, 10)
    with torch.inference_mode():
        answer = lstm(normalize(torch.from_numpy(image[None]))).softmax(1)[0]
    np.testing.assert_allclose(beliefs[-1], answer, atol=1e-6)
    attention = compute_attention(transformer, image)
    assert attention.shape == (3, 4, 16, 16)
    np.testing.assert_allclose(attention.sum(-1), 1, atol=1e-5)


def test_layers_come_in_the_order_in_which_they_compute(lenet):
    layers = list_layers(lenet)
    assert [layer.name for layer in layers] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert [layer.is_convolution for layer in layers] == [True, True, False, False, False]
    # Padding 2 makes 28 behave as the paper's 32.
    assert [layer.padding for layer in layers] == [2, 0, 0, 0, 0]
    assert layers[1].weight.shape == (16, 6, 5, 5) and layers[1].bias.shape == (16,)


def test_outputs_of_the_last_layer_are_the_logits(lenet, mnist):
    image = mnist.test.images[0]
    outputs = compute_outputs(lenet, image.numpy())
    assert list(outputs) == [layer.name for layer in list_layers(lenet)]
    pixels = (image[None, None] / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(torch.from_numpy(outputs["fc3"]), lenet(pixels)[0])


def test_other_weights_have_another_fingerprint(lenet):
    layers = list_layers(lenet)
    assert fingerprint(layers) == fingerprint(list_layers(lenet))
    torch.manual_seed(1)
    assert fingerprint(layers) != fingerprint(list_layers(build_model("lenet")))


@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_a_network_without_convolutions_is_refused_with_a_sentence(architecture):
    with pytest.raises(InputError, match="choose a LeNet or a CNN"):
        list_layers(build_model(architecture))
