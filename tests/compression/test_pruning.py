import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foundry.compression.pruning import mask, prunable_layers, prune, rank_channels
from foundry.data import normalize
from foundry.errors import InputError
from foundry.models import build_model, load_model, save_model
from foundry.models.networks import count_parameters


@pytest.fixture(scope="module")
def judged(mnist):
    some = mnist.train.head(200)
    return normalize(some.images), some.labels


def count_by_hand(channels, hidden_dims):
    """Weights and biases of a LeNet of other widths, layer by layer."""
    (a, b), (c, d) = channels, hidden_dims
    return (25 * a + a) + (25 * a * b + b) + (25 * b * c + c) + (c * d + d) + (d * 10 + 10)


def test_half_of_every_layer_leaves_what_arithmetic_says(lenet, judged):
    pruned = prune(lenet, 0.5, *judged)
    assert pruned.model.config["channels"] == [3, 8]
    assert pruned.model.config["hidden_dims"] == [60, 42]
    # 78 + 608 + 12,060 + 2,562 + 430
    assert count_parameters(pruned.model) == count_by_hand((3, 8), (60, 42)) == 15_738


def test_the_shipped_pruned_network_has_the_parameters_its_card_states():
    from foundry.models import VARIANTS
    from foundry.models.loading import WEIGHTS_DIR

    model = load_model("lenet", variant=VARIANTS["pruned"])
    config = model.config
    by_hand = count_by_hand(config["channels"], config["hidden_dims"])
    assert count_parameters(model) == by_hand
    # The specification: at least 60% fewer.
    assert by_hand <= 0.4 * 61_706
    assert f"{by_hand:,} parameters" in (WEIGHTS_DIR / "lenet-pruned" / "README.md").read_text()


@pytest.mark.slow("prunes many times")
@given(ratio=st.floats(0, 0.95))
def test_any_ratio_gives_an_ordinary_network_that_runs(lenet, ratio):
    model = prune(lenet, ratio).model
    assert count_parameters(model) == count_by_hand(
        model.config["channels"], model.config["hidden_dims"]
    )
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    widths = model.config["channels"] + model.config["hidden_dims"]
    for left, before in zip(widths, (6, 16, 120, 84), strict=True):
        # Of every layer something is left.
        assert left == pytest.approx(max(1, (1 - ratio) * before), abs=1)


def test_nothing_is_removed_at_ratio_zero(lenet, judged):
    pruned = prune(lenet, 0.0, *judged)
    images = judged[0][:4]
    assert torch.equal(pruned.model(images), lenet(images))
    assert not any(change.is_changed for change in pruned.changes)


def test_channels_that_do_nothing_go_first_and_the_answer_stays(judged):
    """Dead neurons can be removed without a trace: an exact oracle for what is removed."""
    torch.manual_seed(0)
    model = build_model("lenet").eval()
    with torch.no_grad():
        for layer, dead in ((model.conv2, 4), (model.fc1, 60)):
            layer.weight[:dead] = 0
            layer.bias[:dead] = 0
    images, labels = judged
    pruned = prune(model, {"conv2": 4 / 16, "fc1": 0.5}, images, labels).model
    assert pruned.config["channels"] == [6, 12]
    assert pruned.config["hidden_dims"] == [60, 84]
    torch.testing.assert_close(pruned(images), model(images), rtol=1e-4, atol=1e-5)


def test_the_input_is_not_modified(lenet, judged):
    before = copy.deepcopy(lenet.state_dict())
    for compress in (lambda: prune(lenet, 0.5, *judged), lambda: mask(lenet, 0.5)):
        compress()
        assert not any(parameter.requires_grad for parameter in lenet.parameters())
        assert not lenet.training
        for name, tensor in lenet.state_dict().items():
            assert torch.equal(tensor, before[name])


def test_layers_are_listed_with_what_became_of_them(lenet):
    changes = {c.layer: c for c in prune(lenet, {"fc1": 0.7}).changes}
    assert list(changes) == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert (changes["conv1"].is_changed, changes["conv1"].note) == (False, "its ratio is 0")
    assert (changes["fc1"].is_changed, changes["fc1"].note) == (True, "120 → 36 neurons")
    # It keeps its neurons, but has fewer to read from.
    assert changes["fc2"].is_changed
    assert "120 → 36 inputs" in changes["fc2"].note
    assert "10 outputs are the classes" in changes["fc3"].note


def test_a_pruned_network_is_saved_and_loaded_like_any(lenet, tmp_path):
    model = prune(lenet, 0.5).model
    save_model(model, tmp_path)
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(load_model(tmp_path)(images), model(images))


def test_the_cnn_is_pruned_too():
    torch.manual_seed(0)
    model = prune(build_model("cnn"), 0.5).model
    assert model.config["channels"] == [16, 32]
    assert model.config["hidden_dims"] == [250]
    by_hand = (9 * 16 + 16) + (9 * 16 * 32 + 32) + (32 * 49 * 250 + 250) + (2_500 + 10)
    assert count_parameters(model) == by_hand


@pytest.mark.parametrize("ratio", [-0.1, 0.96, 1.0, float("nan"), True])
def test_a_ratio_out_of_range_is_refused(lenet, ratio):
    with pytest.raises(InputError, match=r"0 to 0\.95"):
        prune(lenet, ratio)


def test_what_cannot_be_pruned_is_refused(lenet):
    with pytest.raises(InputError, match=r"fc3.*conv1, conv2, fc1, fc2"):
        prune(lenet, {"fc3": 0.5})
    with pytest.raises(InputError, match="LeNet and CNN"):
        prune(nn.Linear(2, 2), 0.5)
    assert prunable_layers(lenet) == ["conv1", "conv2", "fc1", "fc2"]


def test_importance_is_the_taylor_estimate(lenet, judged):
    """Against its definition: weight times gradient, summed over a neuron's weights and bias."""
    images, labels = judged
    model = copy.deepcopy(lenet).requires_grad_(True)
    nn.functional.cross_entropy(model(images), labels).backward()
    expected = (model.fc1.weight * model.fc1.weight.grad).sum(
        1
    ) + model.fc1.bias * model.fc1.bias.grad
    scores = rank_channels(lenet, images, labels)
    assert {name: len(values) for name, values in scores.items()} == {
        "conv1": 6, "conv2": 16, "fc1": 120, "fc2": 84, "fc3": 10,
    }  # fmt: skip
    torch.testing.assert_close(scores["fc1"], expected.abs().detach())


@pytest.mark.parametrize("scope", ["global", "per layer"])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 1.0])
def test_masks_zero_the_smallest_weights(lenet, sparsity, scope):
    masked = mask(lenet, sparsity, scope)
    after = dict(masked.model.named_parameters())
    names = [name for name, _ in lenet.named_parameters() if name.endswith("weight")]
    weights = torch.cat([after[name].flatten() for name in names])
    assert (weights == 0).double().mean().item() == pytest.approx(sparsity, abs=1e-3)
    before = torch.cat([p.flatten() for n, p in lenet.named_parameters() if n.endswith("weight")])
    if scope == "global" and sparsity == 0.5:
        # What was zeroed is no larger than what was kept.
        assert before[weights == 0].abs().max() <= before[weights != 0].abs().min()
    for name, kept in lenet.named_parameters():
        if name.endswith("bias"):
            assert torch.equal(kept, after[name])
    assert [change.layer for change in masked.changes] == ["conv1", "conv2", "fc1", "fc2", "fc3"]


def test_per_layer_masks_treat_every_layer_alike(lenet):
    masked = mask(lenet, 0.3, "per layer").model
    for name, parameter in masked.named_parameters():
        if name.endswith("weight"):
            zeros = (parameter == 0).double().mean().item()
            assert zeros == pytest.approx(0.3, abs=0.5 / parameter.numel())


def test_bad_masks_are_refused(lenet):
    for sparsity in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="0 to 1"):
            mask(lenet, sparsity)
    with pytest.raises(InputError, match="global, per layer"):
        mask(lenet, 0.5, "some")
    with pytest.raises(InputError, match="LeNet only"):
        mask(build_model("cnn"), 0.5)


@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_what_has_neither_channels_nor_plain_layers_is_not_pruned(architecture):
    model = build_model(architecture, 0.25)
    assert prunable_layers(model) == []
    with pytest.raises(InputError, match="set pruning_ratio to 0"):
        prune(model, 0.5)


@pytest.mark.parametrize("ratio", [0.2, 0.4, 0.8])
def test_what_is_ranked_lowest_is_what_is_gone(lenet, judged, ratio):
    """The biases that are left are those of what was kept, in their order."""
    pruned = prune(lenet, ratio, *judged)
    before, after = dict(lenet.named_modules()), dict(pruned.model.named_modules())
    assert [layer.layer for layer in pruned.ranked] == prunable_layers(lenet)
    for layer in pruned.ranked:
        kept = [i for i in range(len(layer.scores)) if i not in layer.removed]
        assert torch.equal(before[layer.layer].bias[kept], after[layer.layer].bias)
        lowest = min(layer.scores[i] for i in kept)
        assert all(layer.scores[i] <= lowest for i in layer.removed)


def test_at_ratio_zero_all_is_ranked_and_nothing_removed(lenet, judged):
    ranked = prune(lenet, 0.0, *judged).ranked
    assert [len(layer.scores) for layer in ranked] == [6, 16, 120, 84]
    assert not any(layer.removed for layer in ranked)
