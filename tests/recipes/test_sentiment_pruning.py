"""Pruning and teaching a tiny classifier, end to end and part by part."""

import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from sentiment_corpus import write_corpus
from tiny_bert import write_tiny_bert
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
)

from foundry.errors import InputError
from foundry.recipes.sentiment.__main__ import PRUNED, main
from foundry.recipes.sentiment.data.batches import DrawConfig, draw_batches
from foundry.recipes.sentiment.data.corpus import Example
from foundry.recipes.sentiment.distill import (
    UNLABELLED,
    PruneConfig,
    build_loss,
    collect_texts,
    prune,
)
from foundry.recipes.sentiment.finetune import finetune

TINY = PruneConfig(num_layers=1, intermediate_dim=48, phrases_each=2, num_prompts=3)
FAST = replace(PRUNED, epochs=2, epoch_size=24, batch_size=8, peak_lr=3e-3, average_decay=0.5)
EXAMPLES = [
    Example(f"the film {index} is {'good' if index % 2 else 'bad'} .", index % 2)
    for index in range(24)
]


@pytest.fixture(scope="module")
def dense_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dense")
    return write_tiny_bert(folder, BertForSequenceClassification, num_labels=3)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"))


def load(folder: Path) -> tuple[BertForSequenceClassification, object]:
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def test_recipe_writes_a_smaller_model_that_loads_anywhere(
    dense_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    argv = ["--prune", "--data", str(data_dir), "--out", str(tmp_path), "--dense", str(dense_dir)]
    argv += ["--num-seeds", "2"]
    main(argv, pruned=FAST, pruning=TINY)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    dense, _ = load(dense_dir)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (1, 48)
    assert config["id2label"] == {"0": "negative", "1": "neutral", "2": "positive"}
    assert model.dtype == torch.float32
    # A layer: 4 matrices of 32 x 32, 2 of 32 x 64, their biases, and two norms.
    layer = 4 * (32 * 32 + 32) + 2 * 32 * 64 + 64 + 32 + 2 * (2 * 32)
    assert dense.num_parameters() - model.num_parameters() == layer + 16 * (32 + 1 + 32)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert file.get_tensor("classifier.weight").dtype == torch.float16
    # The token table is the teacher's.
    assert torch.equal(
        model.bert.embeddings.word_embeddings.weight,
        dense.bert.embeddings.word_embeddings.weight.half().float(),
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert model(**tokenizer("the film is good", return_tensors="pt")).logits.shape == (1, 3)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "average of seeds 0, 1" in card
    assert f"{model.num_parameters():,}" in card and f"{dense.num_parameters():,}" in card


def test_nothing_removed_is_the_dense_model(dense_dir: Path) -> None:
    dense, tokenizer = load(dense_dir)
    whole = replace(TINY, num_layers=2, intermediate_dim=64)
    same, kept = prune(dense, tokenizer, EXAMPLES, whole)
    assert kept == (0, 1)
    assert same.config.to_dict() == dense.config.to_dict()
    inputs = tokenizer([example.text for example in EXAMPLES], return_tensors="pt", padding=True)
    assert torch.equal(same(**inputs).logits, dense(**inputs).logits)
    # Then there is nothing to learn from the teacher either.
    loss = build_loss(same, dense, kept, replace(whole, label_weight=0))
    batch = draw_batches(tokenizer, EXAMPLES, DrawConfig(batch_size=99), random.Random(0))[0]
    assert loss(batch).item() == pytest.approx(0)


def test_teaching_brings_the_student_closer_and_leaves_the_teacher_alone(
    dense_dir: Path, tmp_path: Path
) -> None:
    dense, tokenizer = load(dense_dir)
    before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
    student, kept = prune(dense, tokenizer, EXAMPLES, TINY)
    train = [replace(example, label=UNLABELLED) for example in EXAMPLES]
    loss = build_loss(student, dense, kept, TINY)
    longer = replace(FAST, epochs=8, patience=8)
    events = list(finetune(student, tokenizer, train, EXAMPLES, longer, tmp_path, loss))
    assert events[-1].train_loss < 0.5 * events[0].train_loss
    for name, tensor in dense.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in dense.parameters())


def test_interrupted_teaching_ends_like_an_uninterrupted_one(
    dense_dir: Path, tmp_path: Path
) -> None:
    dense, tokenizer = load(dense_dir)

    def begin(folder: Path):
        student, kept = prune(dense, tokenizer, EXAMPLES, TINY)
        loss = build_loss(student, dense, kept, TINY)
        return student, finetune(student, tokenizer, EXAMPLES, EXAMPLES, FAST, folder, loss)

    whole, events = begin(tmp_path / "whole")
    list(events)
    _, events = begin(tmp_path / "parts")
    # In the second epoch: it is begun again.
    for event in events:
        if event.epoch == 1 and event.val_loss is None:
            break
    events.close()
    resumed, events = begin(tmp_path / "parts")
    assert next(events).epoch == 1
    list(events)
    torch.testing.assert_close(resumed.classifier.weight, whole.classifier.weight)


def test_texts_without_labels_come_from_sentences_and_prompts(data_dir: Path) -> None:
    texts = collect_texts(EXAMPLES, data_dir, TINY)
    assert texts[: len(EXAMPLES)] == EXAMPLES
    added = texts[len(EXAMPLES) :]
    assert len(added) == 3 + 2 * len(EXAMPLES)
    assert {example.label for example in added} == {UNLABELLED}
    for number, example in enumerate(added[3:]):
        sentence = EXAMPLES[number // 2].text
        assert f" {example.text} " in f" {sentence} " and example.text != sentence
    assert texts == collect_texts(EXAMPLES, data_dir, TINY)


def test_what_is_missing_is_named(
    dense_dir: Path, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="--data"):
        collect_texts(EXAMPLES, tmp_path, TINY)
    argv = ["--prune", "--data", str(data_dir), "--out", str(tmp_path), "--dense", str(tmp_path)]
    with pytest.raises(SystemExit):
        main(argv)
    assert "--dense" in capsys.readouterr().err
    write_tiny_bert(tmp_path, BertForSequenceClassification)
    with pytest.raises(SystemExit):
        main(argv)
    said = capsys.readouterr().err
    assert re.search(r"negative, positive; .* negative, neutral, positive", said)
