"""A compression from its knobs to its report, in this process."""

import json
from dataclasses import asdict
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file

from foundry.compression.config import CompressConfig
from foundry.compression.measurement.timing import Verdict
from foundry.compression.recovery import RECOVERY
from foundry.compression.state import CompressState
from foundry.compression.steps import compress
from foundry.errors import InputError
from foundry.models import load_model
from foundry.models.networks import count_parameters

pytestmark = pytest.mark.slow("whole compressions")


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"pruning_ratio": 0.96}, "pruning_ratio is 0.96"),
        ({"pruning_ratio": -0.1}, "pruning_ratio is -0.1"),
        ({"pruning_ratio": float("nan")}, "pruning_ratio is nan"),
        ({"pruning_ratio": "half"}, "pruning_ratio is “half”"),
        ({"pruning_ratio": True}, "pruning_ratio is “True”"),
        ({"weight_bits": 4}, "weight_bits is 4"),
        ({"weight_bits": "8"}, "weight_bits is 8"),
        ({"sparsity": 1.5}, "sparsity is 1.5"),
        ({"scope": "everywhere"}, "scope is “everywhere”"),
        ({"recovery_epochs": 21}, "recovery_epochs is 21"),
        ({"recovery_epochs": 1.5}, "recovery_epochs is 1.5"),
        ({"model": "bert-sentiment"}, "set pruning_ratio and sparsity to 0"),
    ],
)
def test_a_wrong_knob_is_named_with_what_is_accepted(knobs, named):
    with pytest.raises(InputError, match=named.replace(".", r"\.")):
        CompressConfig(**knobs)


def test_a_config_survives_json():
    config = CompressConfig("lenet", 0.25, 8, 0.5, "per layer", 3)
    assert CompressConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """LeNet with half of its channels gone and 80% masked, recovered for one short epoch."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("compressed")
        patch.setenv("FOUNDRY_CACHE_DIR", str(folder / "cache"))
        patch.setattr("foundry.compression.measurement.measure._BUDGET_S", 0.2)
        short = {**asdict(RECOVERY), "num_train_images": 2000}
        patch.setattr("foundry.compression.recovery.RECOVERY", type(RECOVERY)(**short))
        state = CompressState(
            CompressConfig("lenet", 0.5, 8, 0.8, recovery_epochs=1), "lenet", folder / "variants"
        )
        dense = load_model("lenet")
        before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
        events = list(compress(state))
        return state, state.report(), events, before


def test_stages_come_in_order_and_progress_never_falls(finished):
    _, _, events, _ = finished
    stages = list(dict.fromkeys(event.stage for event in events))
    expected = ["load", "importance", "prune", "recover", "mask", "quantize", "sense", "measure"]
    assert stages == expected
    progress = [event.progress for event in events]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 1)


def test_the_recovery_starts_at_what_pruning_left_and_gains(finished):
    _, _, events, _ = finished
    accuracies = [event.val_accuracy for event in events if event.val_accuracy is not None]
    assert accuracies[-1] > accuracies[0]
    assert events[-1].epoch is None


def test_the_dense_model_is_left_as_it_was(finished):
    *_, before = finished
    after = load_model("lenet").state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_parameters_and_zeros_are_those_counted_by_hand(finished):
    _, report, _, _ = finished
    rows = {row["variant"]: row for row in report["rows"]}
    # Channels 3 and 8, neurons 60 and 42: weights and biases of each layer.
    by_hand = (
        (25 * 1 * 3 + 3) + (25 * 3 * 8 + 8) + (200 * 60 + 60) + (60 * 42 + 42) + (42 * 10 + 10)
    )
    assert rows["pruned"]["parameters"] == rows["pruned-int8"]["parameters"] == by_hand
    assert rows["dense"]["parameters"] == rows["masked"]["parameters"] == 61_706
    # 80% of the 61,470 weights that are no biases.
    assert rows["masked"]["nonzeros"] == 61_706 - round(0.8 * 61_470)
    # Zeros make no smaller file; int8 does.
    assert rows["masked"]["size_bytes"] == rows["dense"]["size_bytes"]
    assert rows["int8"]["size_bytes"] < 0.3 * rows["dense"]["size_bytes"]


def test_sizes_and_weights_are_those_on_disk(finished):
    state, report, _, _ = finished
    folder = state.folder / "dense-pruned"
    rows = {row["variant"]: row for row in report["rows"]}
    assert rows["pruned"]["size_bytes"] == (folder / "model.safetensors").stat().st_size
    stored = sum(tensor.numel() for tensor in load_file(folder / "model.safetensors").values())
    assert stored == rows["pruned"]["parameters"] == count_parameters(load_model(folder))
    assert rows["int8"]["size_bytes"] == (state.folder / "int8.zip").stat().st_size


def test_quality_is_on_all_test_images_and_dense_differs_from_itself_nowhere(finished, mnist):
    state, report, _, _ = finished
    rows = {row["variant"]: row for row in report["rows"]}
    probs = state.measured.answers["int8"].probs
    assert probs.shape == (10_000, 10)
    accuracy = (probs.argmax(1) == mnist.test.labels).double().mean().item()
    assert rows["int8"]["quality"] == pytest.approx(accuracy)
    assert rows["dense"]["disagreement"] == 0
    # The bars of the int8 LeNet: at most 0.1 points, the same answer on 99.5%.
    assert rows["dense"]["quality"] - rows["int8"]["quality"] <= 0.001
    assert rows["int8"]["disagreement"] <= 0.005


def test_the_row_that_was_asked_for_and_plain_values(finished):
    _, report, _, _ = finished
    assert report["row"]["variant"] == "pruned-int8"
    assert json.loads(json.dumps(report))["row"] == report["row"]
    assert report["row"]["num_runs"] >= 15
    assert report["row"]["verdict"] in get_args(Verdict)


def test_every_layer_says_what_became_of_it(finished):
    _, report, _, _ = finished
    layers = ["conv1", "conv2", "fc1", "fc2", "fc3"]
    for variant in ("pruned", "masked", "int8", "pruned-int8"):
        assert [change["layer"] for change in report["changes"][variant]] == layers
    assert "its 10 outputs are the classes" in report["changes"]["pruned"][-1]["note"]
    assert "compiled" not in report["changes"]


def test_sensitivity_names_each_layer_and_the_last_is_only_quantized(finished):
    _, report, _, _ = finished
    found = [(one["layer"], one["change"]) for one in report["sensitivity"]]
    assert ("fc3", "pruned") not in found
    assert len(found) == 9
    losses = {(one["layer"], one["change"]): one["accuracy_loss"] for one in report["sensitivity"]}
    assert losses["conv1", "pruned"] > losses["fc2", "pruned"]
    assert abs(losses["conv1", "int8"]) < 0.005


def test_histograms_hold_every_weight_once(finished):
    _, report, _, _ = finished
    histograms = {one["form"]: one for one in report["histograms"]}
    for one in histograms.values():
        assert 0.99 < sum(one["shares"]) <= 1 + 1e-9
    assert histograms["masked"]["zeros"] == pytest.approx(0.8, abs=1e-4)
    assert histograms["dense"]["zeros"] < 0.001


def test_memory_is_measured_where_the_system_tells(finished):
    _, report, _, _ = finished
    assert all(row["peak_memory_bytes"] > 100_000 for row in report["rows"])


def test_nothing_but_measuring(tmp_path, monkeypatch):
    monkeypatch.setattr("foundry.compression.measurement.measure._BUDGET_S", 0.1)
    config = CompressConfig("lenet", pruning_ratio=0.0, weight_bits=32)
    state = CompressState(config, "lenet", tmp_path)
    stages = {event.stage for event in compress(state)}
    assert not stages & {"importance", "prune", "recover", "mask"}
    assert state.report()["row"]["variant"] == "dense"
    # What ships pruned is compared, too.
    assert "pruned" in [row["variant"] for row in state.report()["rows"]]
