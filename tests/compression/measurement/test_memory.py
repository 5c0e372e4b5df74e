"""Peak memory of a variant, against the size of its weights."""

import pytest
import torch

from foundry.compression.measurement.memory import peak_memory
from foundry.compression.measurement.stored import Source
from foundry.models import build_model, save_model
from foundry.models.networks import count_parameters
from foundry.models.pretrained import load_folder

pytestmark = pytest.mark.slow("starts a process for each form")

INPUTS = (torch.zeros(1, 1, 28, 28),), (torch.zeros(4, 1, 28, 28),)


def test_what_it_takes_grows_with_the_weights(tmp_path):
    taken = {}
    for name, width in (("small", 120), ("large", 40_000)):
        model = build_model("lenet", hidden_dims=(width, 84))
        save_model(model, tmp_path / name)
        taken[name] = peak_memory(Source("float32", "digits", tmp_path / name), *INPUTS)
    size_bytes = 4 * count_parameters(model)
    # The file is in memory beside the network while it is read; the rest is small change.
    assert size_bytes < taken["large"] - taken["small"] < 3 * size_bytes


def test_the_process_that_measures_is_not_ours(tmp_path, tiny_bert_dir):
    ids = torch.ones(1, 8, dtype=torch.int64)
    source = Source("float32", "sentiment", tiny_bert_dir)
    assert peak_memory(source, (ids, ids), (ids, ids)) > 0
    # A variant that cannot be loaded ends its own process, and no other.
    missing = Source("float32", "digits", tmp_path / "nowhere")
    assert peak_memory(missing, *INPUTS) is None
    assert load_folder("tiny", "sentiment", tiny_bert_dir).model is not None


def test_bfloat16_runs_there_too(tmp_path):
    save_model(build_model("lenet"), tmp_path / "lenet")
    assert peak_memory(Source("bfloat16", "digits", tmp_path / "lenet"), *INPUTS) > 0
