import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from waiting import call_at_once

from foundry.compression.pruning import prune
from foundry.errors import InputError
from foundry.models import (
    DENSE,
    VARIANTS,
    Variant,
    available_models,
    available_variants,
    build_model,
    load_model,
    load_predictor,
    load_pretrained,
    save_model,
    variants,
)
from foundry.models.cache import CACHE_DIR_VARIABLE
from foundry.models.loading import WEIGHTS_DIR, check_variant
from foundry.models.runtime import TorchPredictor

pytestmark = pytest.mark.slow("quantizes many models")

INT8, PRUNED, PRUNED_INT8 = (VARIANTS[name] for name in ("int8", "pruned", "pruned-int8"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def saved(tmp_path):
    """A small network of its own, with a pruned one beside it."""
    torch.manual_seed(0)
    model = build_model("lenet", channels=(2, 4), hidden_dims=(8, 8)).eval()
    save_model(model, tmp_path / "mine")
    save_model(prune(model, 0.5).model, tmp_path / "mine-pruned")
    return tmp_path / "mine"


def test_the_shipped_lenet_has_every_variant():
    assert available_variants("lenet") == ["dense", "pruned", "int8", "pruned-int8"]
    for name in available_variants("lenet"):
        assert check_variant("lenet", name) == VARIANTS[name]


@pytest.mark.parametrize("task", ["digits", "sentiment", "speech"])
def test_every_shipped_model_can_be_quantized(task):
    for spec in available_models(task):
        assert {"dense", "int8"} <= set(available_variants(spec.name))


def test_a_variant_is_no_model_of_its_own():
    for task in ("digits", "sentiment", "speech"):
        assert not [spec for spec in available_models(task) if "pruned" in spec.name]
    with pytest.raises(InputError, match="lenet-pruned"):
        load_model("lenet-pruned")


def test_a_model_without_a_pruned_checkpoint_says_so(tiny_bert_dir):
    name = str(tiny_bert_dir)
    assert available_variants(name) == ["dense", "int8"]
    for variant in ("pruned", "pruned-int8"):
        with pytest.raises(InputError, match=r"pruned checkpoint.*dense, int8"):
            check_variant(name, variant)
        with pytest.raises(InputError, match=r"pruned checkpoint.*dense, int8"):
            load_pretrained(name, "sentiment", variant=VARIANTS[variant])


def test_a_model_of_the_hub_is_taken_to_have_none():
    assert available_variants("facebook/wav2vec2-base-960h") == ["dense", "int8"]


@given(name=st.text(max_size=400), variant=st.text(max_size=20))
def test_any_name_and_variant_is_answered_with_a_sentence(name, variant):
    try:
        assert check_variant(name, variant) in VARIANTS.values()
    except InputError as error:
        assert "choose one of dense, int8" in str(error)


def test_a_run_is_called_a_run(saved):
    shutil.rmtree(saved.with_name("mine-pruned"))
    with pytest.raises(InputError, match="This run has no variant “pruned”"):
        check_variant(saved, "pruned")


def test_the_pruned_folder_beside_a_model_is_its_variant(saved, cache):
    assert available_variants(saved) == list(VARIANTS)
    assert load_model(saved).config["channels"] == [2, 4]
    assert load_model(saved, variant=PRUNED).config["channels"] == [1, 2]
    # Of int8 the network that was quantized.
    assert load_model(saved, variant=PRUNED_INT8).config["channels"] == [1, 2]


def test_each_variant_computes_its_own_answers(saved, cache):
    images = torch.randn(4, 1, 28, 28)
    answers = {
        name: load_predictor(saved, variant=variant)(images) for name, variant in VARIANTS.items()
    }
    torch.testing.assert_close(answers["dense"], load_model(saved)(images))
    torch.testing.assert_close(answers["pruned"], load_model(saved, variant=PRUNED)(images))
    # int8 is near what it was made from, and farther from the other.
    for int8, near, far in (("int8", "dense", "pruned"), ("pruned-int8", "pruned", "dense")):
        distance = (answers[int8] - answers[near]).abs().mean()
        assert 0 < distance < (answers[int8] - answers[far]).abs().mean()


def test_float32_runs_in_torch(saved):
    assert isinstance(load_predictor(saved), TorchPredictor)
    assert isinstance(load_predictor(saved, variant=PRUNED), TorchPredictor)


def test_int8_is_shared_and_built_once(saved, cache, monkeypatch):
    built = []
    quantize = variants.quantize
    monkeypatch.setattr(variants, "quantize", lambda *args: built.append(args) or quantize(*args))
    loaded = call_at_once(*[lambda: load_predictor(saved, variant=INT8)] * 4)
    assert len(built) == 1
    assert len({id(predictor) for predictor in loaded}) == 1
    # Nor anew in a process that finds it on the disk.
    monkeypatch.setattr(variants, "_kept", type(variants._kept)())
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(load_predictor(saved, variant=INT8)(images), loaded[0](images))
    assert len(built) == 1


def test_other_weights_in_the_same_place_are_quantized_anew(saved, cache):
    images = torch.randn(2, 1, 28, 28)
    first = load_predictor(saved, variant=INT8)(images)
    torch.manual_seed(1)
    save_model(build_model("lenet", channels=(2, 4), hidden_dims=(8, 8)).eval(), saved)
    second = load_predictor(saved, variant=INT8)(images)
    assert not torch.allclose(first, second, atol=1e-3)
    torch.testing.assert_close(second, load_model(saved)(images), atol=0.05, rtol=0)


def test_another_version_of_a_maker_makes_it_anew(saved, cache, monkeypatch):
    load_predictor(saved, variant=INT8)
    monkeypatch.setattr(variants, "_kept", type(variants._kept)())
    monkeypatch.setattr(variants, "version", lambda maker: "9.9")
    load_predictor(saved, variant=INT8)
    assert len(list(cache.glob("*.zip"))) == 2


def test_transformers_models_are_quantized_too(tiny_bert_dir, tiny_speech_dir, cache):
    told = []
    for folder, task in ((tiny_bert_dir, "sentiment"), (tiny_speech_dir, "speech")):
        loaded = load_pretrained(
            str(folder), task, lambda share, sentence: told.append((share, sentence)), INT8
        )
        dense = load_pretrained(str(folder), task)
        assert dense.compiled is None
        assert loaded.model is dense.model
        assert loaded.predict is loaded.compiled
        if task == "sentiment":
            one = loaded.processor("a good film", return_tensors="pt")
            inputs = (one["input_ids"], one["attention_mask"])
        else:
            inputs = (torch.randn(1, 8000),)
        logits = loaded.predict(*inputs)
        assert logits.shape == dense.predict(*inputs).shape
    assert any("Calibrating int8" in sentence for _, sentence in told)
    assert all(0 <= share <= 1 for share, _ in told)


def test_a_pruned_transformers_model_keeps_what_lies_with_the_dense_one(tiny_bert_dir, tmp_path):
    for name in ("model", "model-pruned"):
        shutil.copytree(tiny_bert_dir, tmp_path / name)
    loaded = load_pretrained(str(tmp_path / "model"), "sentiment", variant=PRUNED)
    assert loaded.folder == tmp_path / "model"
    assert loaded.model is not load_pretrained(str(tmp_path / "model"), "sentiment").model


def test_calibration_inputs_are_of_the_project_and_small():
    from foundry.models.calibration import CALIBRATION_DIR, digit_samples

    assert sum(file.stat().st_size for file in CALIBRATION_DIR.iterdir()) < 1_000_000
    assert all(sample[0].shape == (1, 1, 28, 28) for sample in digit_samples())
    assert (WEIGHTS_DIR / "lenet-pruned" / "README.md").exists()
    assert Variant() == DENSE
