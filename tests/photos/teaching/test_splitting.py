"""Properties of the division into what is learned and what judges."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.splitting import split_examples

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(3, 40), min_size=1)


def make(sizes, first=0):
    return [
        Example(f"{label}{number:03}", label)
        for label, size in sizes.items()
        for number in range(first, first + size)
    ]


def count(examples):
    return Counter((one.label, one.is_held_out) for one in examples)


@given(counts, st.integers(0, 99))
def test_a_fifth_of_every_class_is_set_aside(sizes, seed):
    found = count(split_examples(make(sizes), seed))
    for label, size in sizes.items():
        assert found[label, True] == max(1, round(size / 5))
        assert found[label, False] == size - found[label, True] >= 2


@given(counts, counts, st.integers(0, 99))
def test_what_was_decided_stays(first, more, seed):
    before = split_examples(make(first), seed)
    after = split_examples([*before, *make(more, first=100)], seed)
    assert after[: len(before)] == before
    assert all(one.is_held_out is not None for one in after)


@given(counts, st.randoms(use_true_random=False))
def test_the_order_in_which_pictures_come_does_not_matter(sizes, random):
    examples = make(sizes)
    shuffled = random.sample(examples, len(examples))
    assert set(split_examples(shuffled, 0)) == set(split_examples(examples, 0))


@pytest.mark.parametrize("lost", [True, False])
def test_a_class_that_has_lost_one_side_is_divided_anew(lost):
    examples = split_examples(make({"a": 20}), 0)
    left = [one for one in examples if one.is_held_out is not lost]
    assert set(count(split_examples(left, 0))) == {("a", True), ("a", False)}
