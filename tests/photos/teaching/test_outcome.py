"""Figures of a teaching, against SciPy, scikit-learn and the issue's own example."""

import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from foundry.photos.teaching.outcome import (
    Checked,
    Outcome,
    Remembered,
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
