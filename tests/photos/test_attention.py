"""Grad-CAM, against a hand calculation.

Behind the last feature maps are only a mean over their 7x7 places and a linear layer, so that the
gradient of a logit by a map is the layer's weight over 49: the same sum as in Zhou and others,
Learning Deep Features for Discriminative Localization, 2016.
"""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from PIL import Image
from torch.nn import functional as F

from foundry.models import load_model
from foundry.photos.attention import find_evidence, light_evidence
from foundry.photos.model import prepare_photo
from foundry.ui.photos.examples import open_example


@pytest.mark.parametrize(("title", "index"), [("A cat", 282), ("A cup", 967), ("A cup", 968)])
def test_evidence_is_the_maps_weighted_by_the_last_layer(title, index):
    network, photo = load_model("efficientnet-lite0"), open_example(title)
    with torch.inference_mode():
        maps = network.compute_maps(prepare_photo(photo))[0]
        summed = torch.einsum("k,khw->hw", network.classifier.weight[index], maps) / 49
    expected = F.interpolate(
        summed.relu()[None, None], (224, 224), mode="bilinear", align_corners=False
    )[0, 0]
    evidence = find_evidence(network, photo, index)
    assert evidence == pytest.approx((expected / expected.max()).numpy(), abs=1e-4)
    assert evidence.min() >= 0 and evidence.max() == pytest.approx(1)


def test_what_others_ask_meanwhile_is_not_looked_at(monkeypatch):
    """Hooks on the network that all share would see their photos."""
    network, asked = load_model("efficientnet-lite0"), []

    def spy(own, layer):
        asked.append(layer)
        return LayerGradCam(own, layer)

    monkeypatch.setattr("captum.attr.LayerGradCam", spy)
    find_evidence(network, open_example("A cat"), 282)
    (layer,) = asked
    assert not set(layer.modules()) & set(network.modules())
    assert layer[0].weight is network.head[0].weight


def test_bright_is_where_the_evidence_is():
    evidence = np.zeros((224, 224), np.float32)
    evidence[:112] = 1
    lit = np.asarray(light_evidence(Image.new("RGB", (224, 224), (200, 100, 50)), evidence))
    assert lit[0, 0].tolist() == [200, 100, 50] and lit[-1, -1].tolist() == [40, 20, 10]
