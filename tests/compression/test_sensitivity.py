"""One layer at a time."""

from dataclasses import replace

import pytest

from foundry.compression.measurement.quantized_layers import list_changes
from foundry.compression.sensitivity import keep_others, sense_layers
from foundry.data import Split
from foundry.models.calibration import digit_samples
from foundry.models.quantization import quantize
from foundry.models.variants import SIGNATURES

pytestmark = pytest.mark.slow("quantizes layer by layer")

LAYERS = ["conv1", "conv2", "fc1", "fc2", "fc3"]


@pytest.mark.parametrize("layer", ["conv1", "fc2"])
def test_one_layer_alone_becomes_int8(lenet, layer):
    signature = replace(SIGNATURES["digits"], kept=keep_others(layer, LAYERS))
    quantized = quantize(lenet, signature, digit_samples()[:20])
    changed = [change.layer for change in list_changes(quantized, signature) if change.is_changed]
    assert changed == [layer]


def test_pruning_nothing_loses_nothing_and_pruning_much_loses_most(lenet, mnist):
    val = Split(mnist.val.images[:500], mnist.val.labels[:500])
    losses = {}
    for ratio in (0.0, 0.9):
        sensing = sense_layers(lenet, ratio, replace(mnist, val=val))
        while True:
            try:
                next(sensing)
            except StopIteration as end:
                losses[ratio] = {
                    one.layer: one.accuracy_loss for one in end.value if one.change == "pruned"
                }
                break
    assert set(losses[0.0]) == set(LAYERS[:-1])
    assert set(losses[0.0].values()) == {0.0}
    assert all(losses[0.9][layer] >= losses[0.0][layer] for layer in losses[0.0])
    assert losses[0.9]["conv1"] > 0.3
