from types import SimpleNamespace

import gradio as gr
import pytest

from foundry.errors import InputError
from foundry.models import VARIANTS
from foundry.ui.components.variants.answers import (
    Answered,
    Candidate,
    VariantAnswer,
    measure_answers,
)
from foundry.ui.components.variants.bars import compare_all, on_choose, variant_bars_html

FOUR = {
    "dense": VariantAnswer("7", 2.0, 248_000),
    "pruned": VariantAnswer("7", 1.0, 90_000),
    "int8": VariantAnswer("1", 0.5, 66_000),
    "pruned-int8": VariantAnswer("7", 0.25, None),
}


def test_the_largest_and_the_slowest_fill_their_bars_and_the_others_their_share():
    html = variant_bars_html(FOUR, "int8")
    widths = [part.split('"')[0] for part in html.split('style="width:')[1:]]
    assert widths == ["100.0%", "100.0%", "36.3%", "50.0%", "26.6%", "25.0%", "12.5%"]
    assert "248.0 kB" in html
    assert "0.25 ms" in html


@pytest.mark.parametrize("chosen", VARIANTS)
def test_one_row_is_chosen_and_in_the_way_of_the_keyboard(chosen):
    html = variant_bars_html({}, chosen)
    assert html.count('role="radio"') == 4
    assert html.count('aria-checked="true"') == html.count('tabindex="0"') == 1
    assert f'data-variant="{chosen}" aria-checked="true" tabindex="0"' in html


def test_an_answer_other_than_the_dense_models_is_marked():
    html = variant_bars_html(FOUR, "dense")
    assert html.count('class="other"') == 1
    assert '<span class="other" title="1">1</span>' in html


def test_answers_are_text_and_what_a_model_lacks_cannot_be_pressed():
    html = variant_bars_html({"dense": VariantAnswer("<b>&", 1, 1)}, "dense", ["dense", "int8"])
    assert 'title="&lt;b&gt;&amp;">&lt;b&gt;&amp;</span>' in html
    assert html.count(" disabled") == 2


def test_answers_to_one_input_come_together_and_another_input_starts_anew():
    answered = Answered().add("a text", {"dense": FOUR["dense"]})
    answered.add("a text", {"int8": FOUR["int8"]})
    assert list(answered.answers) == ["dense", "int8"]
    assert list(answered.add("another", {"int8": FOUR["int8"]}).answers) == ["int8"]
    assert answered.clear() == Answered()


def test_what_ends_late_loses_nothing_that_was_told_meanwhile():
    answered = Answered()

    def load(name, on_progress):
        return Candidate(lambda: "7", 1)

    list(compare_all(answered, "x", ["dense", "int8"], "dense", load, 1))
    # An event that began before has the same object, and ends after.
    answered.add("x", {"dense": FOUR["dense"]})
    assert set(answered.answers) == {"dense", "int8"}


def test_what_is_said_late_of_an_input_before_costs_nothing():
    answered = Answered().add("all of it", FOUR)
    # A part of the drawing was asked before, and is answered after; then what ends it is answered.
    assert list(answered.add("a part of it", {"dense": FOUR["dense"]}).answers) == ["dense"]
    assert answered.add("all of it", {"dense": FOUR["dense"]}).answers == FOUR
    for text in "abcd":
        answered.add(text, {"dense": FOUR["dense"]})
    assert len(answered.before) == 3
    assert list(answered.add("all of it", {"int8": FOUR["int8"]}).answers) == ["int8"]


def test_variants_take_turns_after_a_first_answer_of_each():
    asked = []

    def candidate(name):
        return Candidate(lambda: asked.append(name) or name.upper(), len(name))

    measured = measure_answers({name: candidate(name) for name in ("a", "bc")}, num_rounds=2)
    assert asked == ["a", "bc"] * 3
    assert measured["bc"].text == "BC"
    assert measured["bc"].num_bytes == 2
    assert all(one.elapsed_ms >= 0 for one in measured.values())


def test_all_are_loaded_before_any_is_timed_and_what_fails_is_said():
    events = []

    def load(name, on_progress):
        events.append(f"load {name}")
        return Candidate(lambda: events.append("ask") or "7", 1)

    *_, (answered, bars, progress) = compare_all(
        Answered(), "x", ["dense", "int8"], "int8", load, 1
    )
    assert events == ["load dense", "load int8", "ask", "ask", "ask", "ask"]
    assert set(answered.answers) == {"dense", "int8"}
    assert bars.count(" disabled") == 2
    assert progress == ""

    def refuse(name, on_progress):
        raise InputError("There is no such model.")

    with pytest.raises(InputError, match="no such model"):
        list(compare_all(Answered(), "x", ["dense"], "dense", refuse))


@pytest.mark.parametrize(
    ("name", "at"), [(None, 5.0), ("int4", 5.0), (7, 5.0), ("int8", "5"), ("int8", float("nan"))]
)
def test_what_is_no_variant_changes_nothing(name, at):
    assert on_choose(1.0, SimpleNamespace(variant=name, at=at)) == [gr.skip(), gr.skip()]


def test_the_row_that_was_pressed_last_is_the_variant_whatever_arrives_last():
    assert on_choose(0.0, SimpleNamespace(variant="int8", at=10.5)) == ["int8", 10.5]
    assert on_choose(10.5, SimpleNamespace(variant="pruned", at=10.5)) == ["pruned", 10.5]
    earlier = SimpleNamespace(variant="dense", at=10)
    assert on_choose(10.5, earlier) == [gr.skip(), gr.skip()]
