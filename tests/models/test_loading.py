import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F
from waiting import call_at_once

from foundry.data import normalize
from foundry.errors import ArtifactError, InputError
from foundry.models import (
    available_architectures,
    available_models,
    available_variants,
    build_model,
    checkpoints,
    load_model,
    save_model,
)
from foundry.models.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.machine import select_device
from foundry.models.networks import count_parameters

# Weights and biases by hand, layer by layer: inputs * outputs + outputs.
LENET_PARAMETERS = (
    (1 * 5 * 5) * 6 + 6
    + (6 * 5 * 5) * 16 + 16
    + (16 * 5 * 5) * 120 + 120
    + 120 * 84 + 84
    + 84 * 10 + 10
)  # fmt: skip
CNN_PARAMETERS = (
    (1 * 3 * 3) * 32 + 32
    + (32 * 3 * 3) * 64 + 64
    + (64 * 7 * 7) * 500 + 500
    + 500 * 10 + 10
)  # fmt: skip


# Four gates read a row of 28 and the 128 of the state; one linear layer reads that.
LSTM_PARAMETERS = 4 * 128 * (28 + 128) + 4 * 128 + 128 * 10 + 10
# Patches of 7x7 become 64 numbers, with 16 positions; three layers of attention and two linear
# layers, a norm before each and one at the end.
TRANSFORMER_PARAMETERS = (
    (7 * 7) * 64 + 64
    + 16 * 64
    + 3 * (64 * 192 + 192 + 64 * 64 + 64 + 64 * 128 + 128 + 128 * 64 + 64 + 4 * 64)
    + 2 * 64
    + 64 * 10 + 10
)  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    model = build_model("lenet").eval()
    folder = tmp_path / "model"
    save_model(model, folder)
    return model, folder


@pytest.mark.parametrize(
    ("architecture", "by_hand", "published"),
    # 61,706 and 1,592,326 are the specification's and the class documentation's figures.
    [("lenet", LENET_PARAMETERS, 61_706), ("cnn", CNN_PARAMETERS, 1_592_326)],
)
def test_parameter_counts_agree_with_arithmetic(architecture, by_hand, published):
    assert count_parameters(build_model(architecture)) == by_hand == published


@pytest.mark.parametrize(
    ("architecture", "by_hand"),
    [("lstm", LSTM_PARAMETERS), ("transformer", TRANSFORMER_PARAMETERS)],
)
def test_the_smaller_families_are_small(architecture, by_hand):
    assert count_parameters(build_model(architecture)) == by_hand <= 150_000


@pytest.mark.parametrize("architecture", available_architectures())
def test_outputs_are_logits_not_log_probabilities(architecture):
    torch.manual_seed(0)
    images = torch.randn(4, 1, 28, 28)
    logits = build_model(architecture).eval()(images)
    assert logits.shape == (4, 10)
    assert logits.dtype == torch.float32
    # Log-probabilities have logsumexp 0; logits of a random network do not.
    assert logits.logsumexp(dim=1).abs().min() > 1


def test_lenet_computes_what_functional_torch_computes():
    torch.manual_seed(0)
    model = build_model("lenet").eval()
    w = model.state_dict()
    images = torch.randn(3, 1, 28, 28)
    # ReLU before pooling, as in the paper's order of layers.
    x = F.max_pool2d(F.relu(F.conv2d(images, w["conv1.weight"], w["conv1.bias"], padding=2)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, w["conv2.weight"], w["conv2.bias"])), 2).flatten(1)
    for name in ("fc1", "fc2"):
        x = F.relu(F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]))
    torch.testing.assert_close(model(images), F.linear(x, w["fc3.weight"], w["fc3.bias"]))


def test_the_lstm_computes_what_torchs_own_computes():
    torch.manual_seed(0)
    model, own = build_model("lstm", 0.25).eval(), torch.nn.LSTM(28, 32, batch_first=True)
    # Torch has the gates in the order input, forget, new, output, and ours new last.
    order = [0, 1, 3, 2]

    def reorder(tensor):
        return torch.cat([tensor.chunk(4)[place] for place in order])

    with torch.no_grad():
        own.weight_ih_l0.copy_(reorder(model.input.weight))
        own.weight_hh_l0.copy_(reorder(model.recurrent.weight))
        own.bias_ih_l0.copy_(reorder(model.input.bias))
        own.bias_hh_l0.zero_()
        images = torch.randn(3, 1, 28, 28)
        states, logits = model.read_rows(images)
        expected, _ = own(images[:, 0])
    torch.testing.assert_close(states, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model(images), model.fc(expected[:, -1]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logits[:, -1], model(images))


def test_attention_is_what_torchs_own_computes():
    torch.manual_seed(0)
    model = build_model("transformer", 0.5).eval()
    images = torch.randn(3, 1, 28, 28)
    # Patch 6 is the third of the second row.
    patches = torch.nn.functional.unfold(images, 7, stride=7).transpose(1, 2)
    torch.testing.assert_close(patches[:, 6].reshape(3, 7, 7), images[:, 0, 7:14, 14:21])
    layer = model.layers[0]
    own = torch.nn.MultiheadAttention(32, 4, batch_first=True)
    with torch.no_grad():
        own.in_proj_weight.copy_(layer.attention.qkv.weight)
        own.in_proj_bias.copy_(layer.attention.qkv.bias)
        own.out_proj.weight.copy_(layer.attention.out.weight)
        own.out_proj.bias.copy_(layer.attention.out.bias)
        x = layer.norm1(model.embed(patches) + model.position)
        taken, weights = own(x, x, x, average_attn_weights=False)
        attention = model.attend(images)
    torch.testing.assert_close(layer.attention(x), taken)
    torch.testing.assert_close(attention[:, 0], weights)
    assert attention.shape == (3, 3, 4, 16, 16)


@pytest.mark.parametrize("architecture", available_architectures())
def test_the_last_layer_reads_the_description(architecture):
    model = build_model(architecture).eval()
    images = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(model.last(model.describe(images)), model(images))


@pytest.mark.parametrize("architecture", available_architectures())
def test_dropout_acts_in_training_and_rests_in_evaluation(architecture):
    torch.manual_seed(0)
    model = build_model(architecture, dropout=0.5)
    images = torch.randn(2, 1, 28, 28)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))


def test_float32_weights_survive_saving_exactly(saved):
    model, folder = saved
    loaded = load_model(folder)
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(loaded(images), model(images))


def test_float16_weights_survive_saving_to_half_precision(saved, tmp_path):
    model, _ = saved
    save_model(model, tmp_path / "half", dtype=torch.float16)
    loaded = load_model(tmp_path / "half")
    size = (tmp_path / "half" / WEIGHTS_FILE).stat().st_size
    # Two bytes a parameter plus a header of less than 2 kB.
    assert 2 * 61_706 <= size < 2 * 61_706 + 2_000
    for name, tensor in model.state_dict().items():
        assert loaded.state_dict()[name].dtype == torch.float32
        # Half precision has 11 significant bits; subnormals round by at most 2**-25.
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=2**-11, atol=2**-25)


def test_a_width_scales_filters_and_neurons():
    # By hand, from 6 and 16 filters, 120 and 84 neurons.
    half = build_model("lenet", 0.5).config
    assert (half["channels"], half["hidden_dims"]) == ([3, 8], [60, 42])
    least = build_model("lenet", 0.01).config
    assert (least["channels"], least["hidden_dims"]) == ([1, 1], [1, 1])
    assert build_model("cnn", 2.0).config["channels"] == [64, 128]
    assert build_model("lstm", 0.5).config["hidden_dim"] == 64
    small = build_model("transformer", 0.25).config
    assert (small["head_dim"], small["mlp_dims"]) == (4, [32, 32, 32])


@pytest.mark.parametrize("architecture", available_architectures())
def test_a_configuration_survives_saving(architecture, tmp_path):
    widths = {
        "lenet": {"channels": [3, 5], "hidden_dims": [11, 7]},
        "cnn": {"channels": [3, 5], "hidden_dims": [11]},
        "lstm": {"hidden_dim": 7},
        "transformer": {"head_dim": 3, "mlp_dims": [5, 7]},
    }[architecture]
    model = build_model(architecture, **widths, dropout=0.25)
    save_model(model.to(memory_format=torch.channels_last), tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.config == model.config
    assert type(loaded) is type(model)
    assert loaded.dropout.p == 0.25


def test_a_folder_may_be_named_from_here(saved, monkeypatch):
    _, folder = saved
    monkeypatch.chdir(folder.parent)
    here = Path(folder.name)
    assert load_model(here).config == load_model(folder).config
    save_model(saved[0], folder.parent / f"{folder.name}-pruned")
    assert "pruned" in available_variants(here)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_disk_that_is_full_while_saving_leaves_what_was_there(saved, monkeypatch, name):
    model, folder = saved

    def fail(content, path, *args):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    if name == WEIGHTS_FILE:
        monkeypatch.setattr(checkpoints, "save_file", fail)
    else:
        monkeypatch.setattr(Path, "write_text", lambda path, text, *_: fail(text, path))
    with pytest.raises(OSError, match="space left"):
        save_model(model, folder)
    assert {file.name for file in folder.iterdir()} == {CONFIG_FILE, WEIGHTS_FILE}
    load_model(folder)


def test_saved_files_hold_no_pickle(saved):
    _, folder = saved
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG_FILE, WEIGHTS_FILE]
    json.loads((folder / CONFIG_FILE).read_text())
    with safe_open(folder / WEIGHTS_FILE, framework="pt") as file:
        assert set(file.keys()) == set(saved[0].state_dict())


def test_the_shipped_lenet_reads_the_test_split(lenet, mnist):
    with torch.inference_mode():
        read = torch.cat(
            [lenet(normalize(part)).argmax(1) for part in mnist.test.images.split(500)]
        )
    # The specification: >= 99.2% on the test split.
    assert (read == mnist.test.labels).sum().item() >= 9_920


def test_the_model_card_states_the_shipped_accuracy(lenet, mnist):
    with torch.inference_mode():
        read = torch.cat(
            [lenet(normalize(part)).argmax(1) for part in mnist.test.images.split(500)]
        )
    accuracy = (read == mnist.test.labels).double().mean().item()
    assert f"{accuracy:.2%}" in (WEIGHTS_DIR / "lenet" / "README.md").read_text().replace(" %", "%")


def test_a_loaded_model_is_ready_to_evaluate_and_read_only(lenet):
    assert not lenet.training
    assert not any(parameter.requires_grad for parameter in lenet.parameters())


def test_every_available_model_loads():
    for spec in available_models("digits"):
        assert count_parameters(load_model(spec.name)) > 0


def test_an_unknown_name_lists_what_exists():
    with pytest.raises(InputError, match=r"resnet.*lenet"):
        load_model("resnet")


@pytest.mark.parametrize("name", ["", "../weights/lenet", "/etc", "lenet/../lenet"])
def test_a_path_is_not_a_name(name):
    with pytest.raises(InputError):
        load_model(name)


def test_an_unknown_architecture_lists_what_exists():
    with pytest.raises(InputError, match=r"resnet.*lenet, cnn"):
        build_model("resnet")


def test_an_unknown_device_is_refused_with_a_sentence():
    for name in ("abc", "cuda:99", ""):
        with pytest.raises(InputError, match="auto, cpu"):
            select_device(name)


def test_the_cpu_can_be_chosen():
    assert select_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(saved, name):
    (saved[1] / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        load_model(saved[1])


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100])
@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_garbage_file_is_named(saved, name, content):
    (saved[1] / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=name):
        load_model(saved[1])


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        "[]",
        "null",
        '{"architecture": "resnet"}',
        '{"architecture": "lenet", "channels": [6], "hidden_dims": [120, 84]}',
        '{"architecture": "lenet", "channels": 6}',
        '{"architecture": "lenet", "colour": "blue"}',
        '{"architecture": "lenet", "dropout": 7}',
        '{"architecture": ["lenet"]}',
    ],
)
def test_a_config_that_makes_no_sense_is_named(saved, config):
    (saved[1] / CONFIG_FILE).write_text(config)
    with pytest.raises(ArtifactError, match=CONFIG_FILE):
        load_model(saved[1])


@pytest.mark.parametrize("num_bytes", [4, 100, 200_000])
def test_truncated_weights_are_named(saved, num_bytes):
    path = saved[1] / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(ArtifactError, match=WEIGHTS_FILE):
        load_model(saved[1])


def test_weights_of_another_architecture_are_named(saved, tmp_path):
    save_model(build_model("cnn"), tmp_path / "cnn")
    shutil.copy(tmp_path / "cnn" / WEIGHTS_FILE, saved[1] / WEIGHTS_FILE)
    with pytest.raises(ArtifactError, match=WEIGHTS_FILE):
        load_model(saved[1])


def test_a_failed_load_is_tried_again_once_the_file_is_mended(saved):
    path = saved[1] / WEIGHTS_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(ArtifactError):
        load_model(saved[1])
    path.write_bytes(whole)
    assert count_parameters(load_model(saved[1])) == 61_706


def test_threads_that_load_at_once_share_one_object(saved):
    loaded = call_at_once(*[lambda: load_model(saved[1])] * 8)
    assert len({id(model) for model in loaded}) == 1


def test_a_checkpoint_saved_again_in_place_is_loaded_anew(saved):
    first = load_model(saved[1])
    torch.manual_seed(1)
    other = build_model("lenet")
    save_model(other, saved[1])
    # Two saves within one tick of the file system's clock would look alike.
    modified_ns = (saved[1] / WEIGHTS_FILE).stat().st_mtime_ns
    os.utime(saved[1] / WEIGHTS_FILE, ns=(modified_ns, modified_ns + 1_000_000_000))
    second = load_model(saved[1])
    assert torch.equal(second.conv1.weight, other.conv1.weight)
    assert not torch.equal(second.conv1.weight, first.conv1.weight)
