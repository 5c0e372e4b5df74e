import json
import os
import shutil
import time
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertForSequenceClassification,
    BertModel,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)
from waiting import call_at_once

from foundry.errors import ArtifactError, InputError
from foundry.models import VARIANTS, available_models, load_pretrained
from foundry.models import pretrained as pretrained_module


@pytest.fixture
def folder(tiny_bert_dir, tmp_path):
    """A copy of the tiny BERT that a test may spoil."""
    return shutil.copytree(tiny_bert_dir, tmp_path / "model")


@pytest.fixture(scope="module")
def speech_folder(tmp_path_factory):
    """A tiny random Wav2Vec2 whose file lacks what only training uses, as many files do."""
    folder = tmp_path_factory.mktemp("wav2vec2")
    vocabulary = {token: index for index, token in enumerate(["<pad>", "<unk>", "|", *"abc"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = Wav2Vec2CTCTokenizer(folder / "vocab.json", bos_token=None, eos_token=None)
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_stride=(5, 2),
        conv_kernel=(10, 3),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    del weights["wav2vec2.masked_spec_embed"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_a_folder_gives_its_weights_in_float32_ready_to_use(folder):
    weights = {key: value.half() for key, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    loaded = load_pretrained(str(folder), "sentiment")
    assert (loaded.name, loaded.folder) == (str(folder), folder)
    assert not loaded.model.training
    for name, parameter in loaded.model.named_parameters():
        assert parameter.dtype == torch.float32
        assert not parameter.requires_grad
        assert torch.equal(parameter, weights[name].float()), name
    assert loaded.processor("a good film")["input_ids"][0] == loaded.processor.cls_token_id


def test_what_only_training_uses_may_be_missing(speech_folder):
    loaded = load_pretrained(str(speech_folder), "speech")
    assert isinstance(loaded.processor, Wav2Vec2Processor)
    with torch.inference_mode():
        assert loaded.model(torch.zeros(1, 1600)).logits.shape[2] == 6


def test_a_model_without_its_head_is_refused(tiny_bert, folder):
    BertModel(tiny_bert.config).save_pretrained(folder)
    with pytest.raises(InputError, match=r"not trained for sentiment: its file lacks classifier"):
        load_pretrained(str(folder), "sentiment")


def test_a_model_for_another_task_is_refused(folder, speech_folder):
    with pytest.raises(InputError, match="for speech"):
        load_pretrained(str(folder), "speech")
    with pytest.raises(InputError, match="for sentiment"):
        load_pretrained(str(speech_folder), "sentiment")


def test_every_label_has_a_text_for_a_name(folder):
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"1": 7, "2": "good"}
    (folder / "config.json").write_text(json.dumps(config))
    names = load_pretrained(str(folder), "sentiment").model.config.id2label
    assert names == {0: "LABEL_0", 1: "7"}


def test_what_cannot_be_calibrated_is_a_sentence(speech_folder, tmp_path):
    folder = shutil.copytree(speech_folder, tmp_path / "model")
    for file in folder.glob("*processor_config.json"):
        file.write_text(file.read_text().replace("16000", "8000"))
    with pytest.raises(InputError, match=r"cannot be made int8: .*Choose another variant"):
        load_pretrained(str(folder), "speech", variant=VARIANTS["int8"])


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 1000, None])
def test_damaged_weights_are_named(folder, content):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    with pytest.raises(ArtifactError, match=r"model\.safetensors of “.*” is damaged"):
        load_pretrained(str(folder), "sentiment")


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"model_type": "no-such-network"}',
        '{"model_type": "bert", "hidden_size": "wide"}',
        '{"model_type": "bert", "num_attention_heads": 0}',
        '{"model_type": "bert", "hidden_size": 7, "num_attention_heads": 2}',
        '{"model_type": "x", "auto_map": {"AutoConfig": "evil.Config"}}',
    ],
)
def test_a_config_that_makes_no_sense_is_a_sentence(folder, config):
    (folder / "config.json").write_text(config)
    with pytest.raises(InputError, match="cannot be used for sentiment") as refused:
        load_pretrained(str(folder), "sentiment")
    assert len(str(refused.value)) < 400


def test_code_in_a_folder_is_not_run(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(folder / 'proof')!r}, 'w')\nclass Config: pass\n")
    with pytest.raises(InputError):
        load_pretrained(str(folder), "sentiment")
    assert not (folder / "proof").exists()


def test_a_folder_without_tokenizer_is_a_sentence(folder):
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(InputError, match="no tokenizer"):
        load_pretrained(str(folder), "sentiment")


def test_truncation_that_a_tokenizer_file_asks_for_is_off_for_every_thread(folder):
    file = folder / "tokenizer.json"
    asked = json.loads(file.read_text())
    truncation = {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    file.write_text(json.dumps(asked | {"truncation": truncation}))
    tokenizer = load_pretrained(str(folder), "sentiment").processor
    assert tokenizer.backend_tokenizer.truncation is None
    assert len(tokenizer("a good film and a bad film", verbose=False)["input_ids"]) == 9


@pytest.mark.parametrize("name", ["", "  ", None, 3, ["bert"], {}])
def test_what_is_no_name_is_refused_with_what_is_accepted(name):
    with pytest.raises(InputError, match=r"bert-sentiment, a folder on this machine or a Hub id"):
        load_pretrained(name, "sentiment")


def test_threads_that_load_at_once_share_one_model(folder):
    loaded = call_at_once(*[lambda: load_pretrained(str(folder), "sentiment")] * 8)
    assert len({id(one.model) for one in loaded}) == 1


def test_two_models_are_not_built_at_once(tiny_bert_dir, tmp_path, monkeypatch):
    """While transformers builds one it patches torch for all threads."""
    names = [str(shutil.copytree(tiny_bert_dir, tmp_path / str(number))) for number in range(3)]
    building, most = [], []
    read_folder = pretrained_module._read_folder

    def read_slowly(name, task, folder):
        building.append(name)
        most.append(len(building))
        time.sleep(0.05)
        building.remove(name)
        return read_folder(name, task, folder)

    monkeypatch.setattr(pretrained_module, "_read_folder", read_slowly)
    call_at_once(*(partial(load_pretrained, name, "sentiment") for name in names))
    assert most == [1, 1, 1]


def test_a_loaded_model_is_at_hand_while_another_is_loading(folder, tiny_bert_dir, monkeypatch):
    loaded = load_pretrained(str(tiny_bert_dir), "sentiment")
    with pretrained_module._load_lock:  # as during another's load
        assert load_pretrained(str(tiny_bert_dir), "sentiment") is loaded


def test_a_model_saved_again_in_place_is_loaded_anew(folder, tiny_bert):
    first = load_pretrained(str(folder), "sentiment").model
    torch.manual_seed(1)
    other = BertForSequenceClassification(tiny_bert.config)
    other.save_pretrained(folder)
    # Two saves within one tick of the file system's clock would look alike.
    file = folder / "model.safetensors"
    os.utime(file, ns=(file.stat().st_mtime_ns, file.stat().st_mtime_ns + 1_000_000_000))
    second = load_pretrained(str(folder), "sentiment").model
    assert torch.equal(second.classifier.weight, other.classifier.weight)
    assert not torch.equal(second.classifier.weight, first.classifier.weight)


def test_a_failed_load_is_tried_again_once_the_file_is_mended(folder):
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with pytest.raises(ArtifactError):
        load_pretrained(str(folder), "sentiment")
    file.write_bytes(whole)
    assert load_pretrained(str(folder), "sentiment").model.config.num_labels == 2


def test_only_the_last_few_models_are_kept(tiny_bert_dir, tmp_path):
    names = [str(shutil.copytree(tiny_bert_dir, tmp_path / str(number))) for number in range(6)]
    first = load_pretrained(names[0], "sentiment")
    for name in names[1:]:
        load_pretrained(name, "sentiment")
        # Used all the time, so never the one to go.
        assert load_pretrained(names[0], "sentiment") is first
    assert len(pretrained_module._kept) <= pretrained_module._NUM_KEPT


def test_the_shipped_sentiment_model_loads():
    spec = available_models("sentiment")[0]
    assert load_pretrained(f" {spec.name} ", "sentiment").model.config.num_labels == 3
