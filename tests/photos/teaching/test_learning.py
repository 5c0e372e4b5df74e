"""Heads against scikit-learn's logistic regression; teaching from the first picture to the last."""

import numpy as np
import pytest
import torch
from patterns import draw_pattern
from sklearn.linear_model import LogisticRegression

from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.head import NUM_STEPS, train_head
from foundry.photos.teaching.learning import Learned, LearnEvent, compute_features, learn
from foundry.photos.teaching.lessons import Taught, ask, load_frozen
from foundry.photos.teaching.novelty import describe, learn_novelty
from foundry.photos.teaching.outcome import Remembered
from foundry.photos.teaching.splitting import split_examples
from foundry.ui.photos.examples import open_example

KINDS = ("stripes", "squares", "spots")


@pytest.fixture(scope="module")
def features():
    """What the frozen network makes of the pictures; all tests share it."""
    return {}


def examples_of(kinds, num_each=10):
    return [Example(f"{kind}{seed}", kind) for kind in kinds for seed in range(num_each)]


def run(examples, labels, features, **options):
    pictures = [draw_pattern(one.label, int(one.digest[-1])) for one in examples]
    *events, learned = learn(load_frozen(), examples, labels, pictures, features, **options)
    assert isinstance(learned, Learned)
    return events, learned


@pytest.fixture(scope="module")
def lesson(features):
    examples = split_examples(examples_of(KINDS), 0)
    return examples, *run(examples, KINDS, features)


def test_a_head_says_what_logistic_regression_says(lesson, features):
    examples, _, _ = lesson
    known = torch.stack([features[one.digest] for one in examples])
    targets = torch.tensor([KINDS.index(one.label) for one in examples])
    *_, last = train_head(known, targets, KINDS)
    assert last.step == NUM_STEPS
    fresh = [draw_pattern(kind, seed) for kind in KINDS for seed in range(20, 30)]
    inputs = torch.stack([compute_features(load_frozen(), picture) for picture in fresh])
    reference = LogisticRegression(max_iter=500).fit(known.numpy(), targets.numpy())
    said = last.head(inputs).argmax(1).numpy()
    assert (said == reference.predict(inputs.numpy())).mean() >= 0.9
    assert (said == np.repeat([0, 1, 2], 10)).mean() >= 0.8


def test_each_picture_is_looked_at_once_and_both_learn(lesson, features):
    examples, events, _ = lesson
    assert [event.stage for event in events if event.stage == "features"] == ["features"] * 30
    assert set(features) == {one.digest for one in examples}
    for stage in ("head", "scratch"):
        losses = [event.train_loss for event in events if event.stage == stage]
        assert losses[-1] < losses[0]
    again, _ = run(examples, KINDS, features)
    assert not any(event.stage == "features" for event in again)


def test_what_came_out_is_counted_on_what_was_set_aside(lesson):
    examples, events, learned = lesson
    outcome = learned.outcome
    held = [one for one in examples if one.is_held_out]
    assert [one.digest for one in outcome.checked] == [one.digest for one in held]
    assert len(held) == 6 and outcome.num_learned == 24
    assert events[-1] == LearnEvent("scratch", 1.0, events[-1].train_loss, outcome.scratch_accuracy)
    heads = [event for event in events if event.stage == "head"]
    assert heads[-1].val_accuracy == outcome.accuracy >= 5 / 6
    assert outcome.remembered is None


def test_numbers_do_not_depend_on_the_number_of_threads(lesson, features):
    examples, _, learned = lesson
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        _, again = run(examples, KINDS, {})
    finally:
        torch.set_num_threads(before)
    assert torch.equal(again.head.weight, learned.head.weight)
    assert again.novelty.threshold == learned.novelty.threshold
    assert again.outcome.checked == learned.outcome.checked


def test_what_is_still_known_is_counted_with_replay_and_without(lesson, features):
    examples, _, learned = lesson
    old = [Example(one.digest, one.label, one.is_held_out, is_new=False) for one in examples]
    labels = (*KINDS, "waves")
    grown = split_examples([*old, *examples_of(["waves"])], 0)
    _, with_old = run(grown, labels, features, previous=learned.head)
    _, without = run(grown, labels, features, previous=learned.head, has_replay=False)
    for outcome in (with_old.outcome, without.outcome):
        right = [one.answer == one.label for one in outcome.checked if one.label in KINDS]
        assert outcome.remembered == Remembered(6, learned.outcome.num_right, sum(right))
    assert with_old.outcome.has_replayed and not without.outcome.has_replayed
    assert without.outcome.num_learned == 8 and with_old.outcome.num_learned == 32
    assert {one.answer for one in without.outcome.checked if one.label == "waves"} == {"waves"}


def test_a_picture_like_the_examples_fits_and_another_does_not(lesson):
    taught = Taught(load_frozen(), lesson[2].head, lesson[2].novelty)
    said = ask(taught, draw_pattern("spots", 77))
    assert said.label == "spots" == next(iter(said.probs))
    assert sum(said.probs.values()) == pytest.approx(1, abs=1e-5)
    other = ask(taught, open_example("A cat"))
    assert other.label == "none of these" and other.closeness < other.threshold


def test_closeness_is_the_mean_of_the_two_largest_cosines():
    rng = np.random.default_rng(0)
    learned, held = (torch.from_numpy(rng.normal(size=(n, 1000))).float() for n in (7, 3))
    novelty = learn_novelty(learned, held)
    cosines = np.corrcoef(held.numpy(), learned.numpy())[:3, 3:]
    expected = np.sort(cosines, axis=1)[:, -2:].mean(1)
    assert novelty.measure(held).numpy() == pytest.approx(expected, abs=1e-5)
    assert describe(learned).norm(dim=1).numpy() == pytest.approx(np.ones(7), abs=1e-5)


def test_of_two_examples_each_is_compared_with_the_other():
    """As many are left where all others of two classes are set aside or were removed."""
    learned = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1000))).float() + 3
    learned[1] += learned[0]
    cosine = np.corrcoef(learned.numpy())[0, 1]
    assert learn_novelty(learned, learned[:1]).threshold == pytest.approx(cosine, abs=1e-5)
