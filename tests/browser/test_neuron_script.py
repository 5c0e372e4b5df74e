"""The arithmetic of one neuron as the page does it, by itself on a blank page: no server.

It is the page's own script that is measured, because that is what a visitor sees: the same formula
in Python would be another one.
"""

import json
import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from drawing import SEVEN, data_url, draw_strokes

import foundry.ui.draw
from foundry.digits.activations import compute_outputs, list_layers
from foundry.models import build_model
from foundry.ui.components.pad import read_pad
from foundry.ui.draw import neuron

pytestmark = pytest.mark.browser

DRAWN = data_url(draw_strokes(SEVEN))
SUMS = Path(foundry.ui.draw.__file__).parent / "neuron_sums.js"
COMPUTE = """([data, places]) => {
  const network = decodeNetwork(data.network), {given} = decodeDrawing(data);
  return places.map(([layer, ...place]) =>
    takeApart(network.layers[layer], given[layer], place).sum);
}"""
REACH = "([data, layer, place]) => reach(decodeNetwork(data.network).layers, layer, place)"


@pytest.fixture(scope="module")
def blank(chromium):
    page = chromium.new_page()
    page.add_script_tag(content=SUMS.read_text("utf-8"))
    yield page
    page.close()


@pytest.fixture(params=["lenet", "cnn"])
def network(request, lenet, monkeypatch):
    if request.param == "lenet":
        return lenet
    torch.manual_seed(0)
    model = build_model("cnn", width=0.25).eval()
    monkeypatch.setattr(neuron, "load_digit_model", lambda *_: model)
    return model


def test_two_hundred_random_squares_are_what_torch_computes(blank, network, runs_folder):
    data = json.loads(neuron.on_neuron("cpu", DRAWN, "lenet", "alice", "dense", ""))
    outputs = list(compute_outputs(network, read_pad(network, DRAWN).image).values())
    chance = random.Random(0)
    places = []
    for _ in range(200):
        layer = chance.randrange(len(outputs))
        shape = (*outputs[layer].shape, 1, 1)[:3]
        places.append([layer, *(chance.randrange(size) for size in shape)])
    expected = [outputs[layer][tuple(at[: outputs[layer].ndim])] for layer, *at in places]
    found = blank.evaluate(COMPUTE, [data, places])
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def keep(kept, module, inputs, output):
    kept.append(output)


def test_a_square_depends_on_the_pixels_that_change_it(blank, network, runs_folder):
    """Gradients name the pixels; the page says between which rows and columns they are."""
    data = json.loads(neuron.on_neuron("cpu", DRAWN, "lenet", "alice", "dense", ""))
    names = [layer.name for layer in list_layers(network)]
    for index, place in ((0, (1, 9, 4)), (1, (2, 3, 5))):
        kept = []
        layer = network.get_submodule(names[index])
        hook = layer.register_forward_hook(partial(keep, kept))
        rows, columns = set(), set()
        for seed in range(8):
            # What is not the largest of its four has no gradient for this picture.
            torch.manual_seed(seed)
            pixels = torch.randn(1, 1, 28, 28, requires_grad=True)
            network(pixels)
            (gradient,) = torch.autograd.grad(kept[-1][0][place], pixels)
            found = gradient[0, 0].nonzero()
            rows |= set(found[:, 0].tolist())
            columns |= set(found[:, 1].tolist())
        hook.remove()
        reached = blank.evaluate(REACH, [data, index, place])[0]
        assert reached["rows"] == [min(rows), max(rows)]
        assert reached["columns"] == [min(columns), max(columns)]
