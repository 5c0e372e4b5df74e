import pytest
import torch
from torch import nn

from foundry.compression.measurement.footprint import effective_weights, footprint
from foundry.compression.pruning import mask
from foundry.errors import InputError
from foundry.models import (
    DENSE,
    VARIANTS,
    Variant,
    build_model,
    load_model,
    save_model,
    variants,
)
from foundry.models.calibration import Calibration
from foundry.models.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from foundry.models.shipped import hash_file
from foundry.models.variants import load_quantized


def test_names_and_variants_belong_together():
    assert list(VARIANTS) == ["dense", "pruned", "int8", "pruned-int8"]
    for name, variant in VARIANTS.items():
        assert variant.name == name
        assert Variant.parse(name) == variant
    assert Variant.parse("dense") == DENSE == Variant()


def test_int8_is_kept_by_the_weights_that_it_was_made_of(tmp_path, monkeypatch):
    network = build_model("lenet").eval()
    save_model(network, tmp_path)
    asked = []

    def load_while_a_run_saves():
        loaded = load_model(tmp_path)
        if not asked:
            network.fc3.bias.data += 1
            save_model(network, tmp_path)
        asked.append(loaded)
        return loaded

    def keep(description, build):
        build()
        return description

    monkeypatch.setattr(variants, "load_or_build", keep)
    monkeypatch.setattr(variants, "quantize", lambda network, *_: made_of.append(network))
    monkeypatch.setattr(variants, "OpenVinoPredictor", lambda description: description)
    made_of = []
    nothing = Calibration(list, "")
    kept = load_quantized(tmp_path, "digits", load_while_a_run_saves, nothing)
    assert kept[WEIGHTS_FILE] == hash_file(tmp_path / WEIGHTS_FILE)
    assert torch.equal(made_of[0].fc3.bias, network.fc3.bias)


def test_a_variant_is_a_key():
    assert len({Variant(), Variant(False, 32), Variant(True, 8), Variant(True, 8)}) == 2
    with pytest.raises(AttributeError):
        DENSE.weight_bits = 8


@pytest.mark.parametrize("name", ["", "Dense", "int4", "int8-pruned", "pruned int8", "dense\0"])
def test_an_unknown_variant_lists_what_there_is(name):
    with pytest.raises(InputError, match="dense, pruned, int8, pruned-int8"):
        Variant.parse(name)


def test_a_footprint_counts_what_is_there(tmp_path):
    torch.manual_seed(0)
    model = build_model("lenet")
    with torch.no_grad():
        model.fc3.weight[:5] = 0
    save_model(model, tmp_path)
    weighed = footprint(model, tmp_path / WEIGHTS_FILE)
    # By hand: five rows of 84 weights are zero, and no weight of a random network is.
    assert (weighed.parameters, weighed.nonzeros) == (61_706, 61_706 - 5 * 84)
    assert weighed.size_bytes == (tmp_path / WEIGHTS_FILE).stat().st_size
    assert weighed.size_bytes >= 4 * 61_706
    assert (tmp_path / CONFIG_FILE).exists()


def test_zeros_make_neither_the_file_nor_the_model_smaller(tmp_path):
    dense = load_model("lenet")
    masked = mask(dense, 0.9).model
    sizes = []
    for name, model in (("dense", dense), ("masked", masked)):
        save_model(model, tmp_path / name)
        sizes.append(footprint(model, tmp_path / name / WEIGHTS_FILE))
    assert sizes[0].size_bytes == sizes[1].size_bytes
    assert sizes[0].parameters == sizes[1].parameters
    # A tenth of the weights and all 236 biases are left; rounding is to one weight.
    num_biases = 6 + 16 + 120 + 84 + 10
    assert sizes[1].nonzeros == pytest.approx(0.1 * (61_706 - num_biases) + num_biases, abs=1)


def test_masks_still_in_place_count_as_zeros():
    layer = nn.Linear(10, 10)
    torch.nn.utils.prune.l1_unstructured(layer, "weight", amount=0.3)
    weights = effective_weights(layer)
    assert set(weights) == {"weight", "bias"}
    assert int(weights["weight"].count_nonzero()) == 70
    assert torch.equal(weights["weight"], layer.weight.detach())
