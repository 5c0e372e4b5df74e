"""Ticking the first steps, with plain values."""

import pytest

from foundry.ui.page.guide import STEPS, guide_html, on_step, on_switch


def test_a_step_is_ticked_once_and_only_for_a_proof():
    assert on_step("train", "", "") == ""
    assert on_step("train", "20260101-120000-abcd", "") == "train"
    assert on_step("train", "20260101-120000-abcd", "train") == "train"
    assert on_step("compress", "x", "draw train") == "draw train compress"


def test_the_switches_tick_the_last_step():
    assert on_switch("dense", "draw") == "draw"
    assert on_switch("pruned-int8", "draw") == "draw compress"


@pytest.mark.parametrize("kept", ["", None, 7, "<b>x</b> nonsense", ["train"]])
def test_what_the_browser_kept_and_is_not_ours_is_passed_over(kept):
    assert guide_html(kept) == guide_html("")
    assert on_step("draw", "x", kept) == "draw"


def test_the_panel_shows_what_is_done():
    html = guide_html("draw train")
    assert html.count('class="done"') == 2
    assert html.count("Done") == 2
    assert "all-done" in guide_html("train draw compress")
    assert "all-done" not in guide_html("train draw")
    assert all(step.sentence in html and f'data-tab="{step.tab_id}"' in html for step in STEPS)
