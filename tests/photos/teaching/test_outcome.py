"""Figures of a teaching, against SciPy, scikit-learn and the issue's own example."""

import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.outcome import (
    Checked,
    Outcome,
    Remembered,
    Tuned,
    count_confusions,
    estimate_interval,
    tell_accuracy,
)


@pytest.mark.parametrize(("right", "all_"), [(0, 1), (1, 1), (8, 9), (50, 100), (199, 200)])
def test_the_interval_is_wilsons(right, all_):
    expected = binomtest(right, all_).proportion_ci(method="wilson")
    assert estimate_interval(right, all_) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_it_is_told_in_a_sentence():
    assert tell_accuracy(8, 9) == "8 of 9 right: between 57% and 98%."


def test_confusions_are_scikit_learns():
    labels = ("a", "b", "c")
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "a"), ("c", "c"), ("c", "c")]
    checked = tuple(Checked(str(i), one, said, "a") for i, (one, said) in enumerate(pairs))
    outcome = Outcome(labels, checked, 9, Remembered(3, 3, 1), False, 1.0, 2.0)
    expected = confusion_matrix(*zip(*pairs, strict=True), labels=labels)
    assert count_confusions(outcome) == expected.tolist()
    assert (outcome.num_right, outcome.num_right_from_scratch) == (4, 2)
    assert Outcome.from_values(outcome.as_values()) == outcome


@pytest.mark.parametrize("spoilt", [{"num_right": -1}, {"num_right_of_head": 5}, {"answers": []}])
def test_what_no_fine_tuning_can_give_is_refused(spoilt):
    values = {"answers": [["x", "a"]] * 4, "num_right": 3, "num_right_of_head": 4}
    values |= {"epochs": 1, "elapsed_s": 1.0}
    assert Tuned.from_values(values).num_right == 3
    with pytest.raises(ValueError, match="right than there are answers"):
        Tuned.from_values(values | spoilt)


def test_names_in_a_file_are_texts_and_what_is_told_of_an_example_is_yes_or_no():
    checked = {"digest": "x", "label": "a", "answer": "a", "scratch_answer": "a"}
    values = {"labels": ["a", "b"], "checked": [checked], "remembered": None, "num_learned": 1}
    values |= {"has_replayed": True, "elapsed_s": 1.0, "scratch_s": 1.0}
    assert Outcome.from_values(values).accuracy == 1
    for spoilt in ({"labels": ["a", 5]}, {"checked": [checked | {"digest": []}]}):
        with pytest.raises(ValueError, match="no texts"):
            Outcome.from_values(values | spoilt)
    for told in ({"is_held_out": []}, {"is_held_out": 1}, {"is_new": None}, {"label": 5}):
        with pytest.raises(TypeError):
            Example(**{"digest": "x", "label": "a"} | told)
