import re

import gradio as gr
import pytest

from foundry.search import SearchConfig
from foundry.ui.search.form import fill_form
from foundry.ui.search.preview import on_preview, preview_html


def test_each_range_is_drawn_within_what_is_accepted():
    # From a thousandth to a tenth of an axis of six orders of magnitude.
    html = preview_html(SearchConfig(learning_rate=(1e-3, 1e-1), width=(1, 1)))
    assert (
        '<b>Learning rate</b><div class="track"><i style="margin-left:50.0%;width:33.3%">' in html
    )
    assert "0.001 – 0.1" in html
    # What is fixed is not tried.
    assert "<b>Width</b>" not in html
    everything = preview_html(SearchConfig(weight_decay=(0, 1), dropout=(0.45, 0.9)))
    assert '<b>Weight decay</b><div class="track"><i style="margin-left:0.0%;width:100.0%">' in (
        everything
    )
    assert (
        '<b>Dropout</b><div class="track"><i style="margin-left:50.0%;width:50.0%">' in everything
    )


def test_choices_are_named():
    html = preview_html(SearchConfig(optimizer=("adam", "sgd")))
    assert re.findall(r"<em[^>]*>(\w+)", html)[:2] == ["adam", "sgd"]


@pytest.mark.parametrize(
    ("epochs", "counts", "sentence"),
    [
        (1, [2, 1], "1.5 epochs of training instead of 2."),
        # 8 to the half, 4 to the first, 2 to the second epoch, 1 to the third: 4 + 2 + 2 + 1.
        (3, [8, 4, 2, 1], "9 epochs of training instead of 24."),
    ],
)
def test_half_of_the_trials_go_on_at_each_rung(epochs, counts, sentence):
    html = preview_html(SearchConfig(epochs=epochs))
    assert [int(one) for one in re.findall(r"<span>(\d+) of \d+ trials", html)] == counts
    assert html.count("<i class=on>") == sum(counts)
    assert sentence in html


def test_at_random_every_trial_goes_to_its_end():
    html = preview_html(SearchConfig(sampler="random"))
    assert "to its end" in html and "trials</span>" not in html


def test_a_search_of_one_setting_says_so():
    fixed = {name: (0.01, 0.01) for name in ("learning_rate", "weight_decay", "label_smoothing")}
    config = SearchConfig(
        **fixed,
        batch_size=(64, 64),
        dropout=(0.0, 0.0),
        optimizer=("adam",),
        schedule=("constant",),
    )
    assert "There is only one setting to try" in preview_html(config)


def test_a_form_that_is_not_accepted_leaves_the_drawing():
    values = fill_form(SearchConfig())
    assert on_preview(*values) == preview_html(SearchConfig())
    values[values.index(3)] = 1_000
    assert on_preview(*values) == gr.skip()
