"""Slots in texts, against combinations that itertools writes out, and changes between texts."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.errors import InputError
from foundry.sentiment.what_if import (
    MAX_CHARACTERS,
    MAX_TEXTS,
    FilledText,
    fill_template,
    find_change,
)

PLAIN = st.text(st.characters(exclude_characters="{}|"), max_size=12)
SLOT = st.lists(PLAIN, min_size=2, max_size=3)
WORDS = st.lists(st.sampled_from("abc"), max_size=6)


def test_a_slot_is_filled_with_each_of_its_words():
    assert fill_template("The {waiter|chef} was {not |}kind.") == [
        FilledText(("waiter", "not "), "The waiter was not kind."),
        FilledText(("waiter", ""), "The waiter was kind."),
        FilledText(("chef", "not "), "The chef was not kind."),
        FilledText(("chef", ""), "The chef was kind."),
    ]


@given(parts=st.lists(PLAIN, min_size=1, max_size=4), data=st.data())
def test_every_combination_is_written_out_once(parts, data):
    slots = [data.draw(SLOT) for _ in parts[1:]]
    template = parts[0] + "".join(
        f"{{{'|'.join(slot)}}}{part}" for slot, part in zip(slots, parts[1:], strict=True)
    )
    filled = fill_template(template)
    assert [one.words for one in filled] == list(product(*slots))
    for one in filled:
        expected = parts[0] + "".join(
            word + part for word, part in zip(one.words, parts[1:], strict=True)
        )
        assert one.text == expected


@given(text=st.text(st.sampled_from("ab {}|\n"), max_size=30))
def test_whatever_is_typed_is_written_out_or_refused_in_a_sentence(text):
    try:
        filled = fill_template(text)
    except InputError as error:
        assert str(error).endswith(".")
    else:
        assert filled
        # Nothing but bars, braces and the words of other choices is lost.
        if not any(one.words for one in filled):
            assert [one.text for one in filled] == [text]


@pytest.mark.parametrize(
    "text", ["", "a|b", "{name}", "{}", "}{", "{a} {b", "{{a}}", "if (a || b) { return; }"]
)
def test_braces_without_a_bar_between_them_and_bars_outside_are_text(text):
    assert fill_template(text) == [FilledText((), text)]


@pytest.mark.parametrize("text", ["The {waiter|chef", "{a|b {c|d}", "{a|{b|c}}", "{a|{b}"])
def test_an_open_slot_is_named(text):
    with pytest.raises(InputError, match=r"is not closed: put a closing brace after its last word"):
        fill_template(text)


def test_a_long_slot_is_named_by_its_beginning():
    with pytest.raises(InputError, match=r"“abcdefghij\|abcdefghi…”"):
        fill_template("{abcdefghij|abcdefghij")


def test_limits_are_told_with_what_was_asked_for():
    slot = "{" + "|".join("ab") + "}"
    assert len(fill_template(slot * 5)) == 32 <= MAX_TEXTS
    # 2 to the power of 6.
    with pytest.raises(InputError, match=f"64 texts and at most {MAX_TEXTS}"):
        fill_template(slot * 6)
    # Counted before anything is written out.
    with pytest.raises(InputError, match=f"{2**150:,} texts"):
        fill_template(slot * 150)
    with pytest.raises(InputError, match="1,001 characters"):
        fill_template(slot + "x" * (MAX_CHARACTERS + 1 - len(slot)))
    assert fill_template("x" * (2 * MAX_CHARACTERS))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("The film was good.", "The film was bad.", ("good.", "bad.")),
        ("The film was good.", "The film was not good.", ("", "not")),
        ("It was not so good.", "It was good.", ("not so", "")),
        ("a a", "a a a", ("", "a")),
        ("good", "bad", ("good", "bad")),
        ("so  good", "so good ", ("", "")),
        ("", "good", ("", "good")),
    ],
)
def test_the_words_that_were_changed_are_found(before, after, expected):
    change = find_change(before, after)
    assert (change.before, change.after) == expected


@given(head=WORDS, old=WORDS, new=WORDS, tail=WORDS)
def test_a_change_is_no_longer_than_what_was_typed_over_and_makes_one_text_of_the_other(
    head, old, new, tail
):
    before, after = [*head, *old, *tail], [*head, *new, *tail]
    change = find_change(" ".join(before), " ".join(after))
    removed, added = change.before.split(), change.after.split()
    assert len(removed) <= len(old) and len(added) <= len(new)
    assert len(before) - len(removed) == len(after) - len(added)
    assert any(
        before[:start] + added + before[start + len(removed) :] == after
        and before[start : start + len(removed)] == removed
        for start in range(len(before) + 1)
    )
