"""Training as a visitor sees it, in a real Chromium."""

import re

import pytest
from gestures import set_number
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DONE = re.compile(r"Done|Stopped|Failed|Interrupted")


def curve_length(page):
    """Characters of the path of the first curve; it grows as points are added."""
    paths = page.locator(".vega-embed svg .mark-line path")
    return len(paths.first.get_attribute("d") or "") if paths.count() else 0


def wait_for_growth(page, length):
    page.wait_for_function(
        """length => {
          const path = document.querySelector('.vega-embed svg .mark-line path');
          return path && (path.getAttribute('d') || '').length > length;
        }""",
        arg=length,
    )


LIST_CUT_LABELS = """() => [...document.querySelectorAll('svg.marks')].flatMap(plot =>
  [...plot.querySelectorAll('text')].filter(label => label.textContent
    && label.getBoundingClientRect().left < plot.getBoundingClientRect().left - 1)
  ).map(label => label.textContent)"""


def start_long_run(page):
    set_number(page, "Epochs", 60)
    page.locator("#train-start").click()
    expect(page.locator("#train-status")).to_contain_text("images/s", timeout=120_000)


def test_a_finished_run_shows_its_result(page):
    set_number(page, "Training images", 5000)
    page.locator("#train-start").click()
    expect(page.locator("#train-status")).to_contain_text("Done", timeout=180_000)
    expect(page.locator(".figures")).to_contain_text("test accuracy")
    # Labels that came while it trained have room too.
    expect(page.locator("svg.marks:visible")).to_have_count(2)
    assert page.evaluate(LIST_CUT_LABELS) == []
    # Every test image is in one cell of the matrix.
    counts = page.locator("#confusion-matrix button[data-cell]").all_inner_texts()
    assert sum(int(count) for count in counts) == 10_000
    page.locator('#confusion-matrix button[data-cell="0"]').click()
    expect(page.get_by_text("read as 0")).to_be_visible()


def test_a_run_is_watched_from_its_start_tried_renamed_and_deleted(page):
    watched, when = page.locator("#train-watch"), page.locator("#train-watch .when")
    expect(watched.locator(".digits li")).to_have_count(20)
    expect(when).to_contain_text("Untrained")
    set_number(page, "Epochs", 1)
    page.locator("#train-start").click()
    expect(page.locator("#train-headline")).to_contain_text("mistakes", timeout=180_000)
    # Nearly every digit came out right; at its start the slider shows what it was before.
    expect(when).to_contain_text("updates")
    at_end = watched.locator(".digits .right").count()
    slider = watched.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(when).to_contain_text("Untrained")
    assert watched.locator(".digits .right").count() < at_end
    watched.get_by_role("button", name="Play").click()
    expect(when).to_contain_text("updates")

    page.get_by_role("button", name="Draw one for it").click()
    expect(page.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#draw-model input")).to_have_value(re.compile("Your run LeNet, 1 epochs"))

    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Your runs").click()
    run = page.locator("#own-runs li")
    expect(run).to_contain_text("Done")
    run.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the run").fill("My first")
    page.keyboard.press("Enter")
    expect(run).to_contain_text("My first (")
    run.get_by_role("button", name="Delete").click()
    run.get_by_role("button", name="Delete it?").click()
    expect(run).to_have_count(0)
    expect(page.locator("#train-status")).to_contain_text("Nothing trained yet")
    expect(page.locator("#train-headline")).to_be_hidden()


def test_curves_move_reload_re_attaches_and_stop_keeps_the_weights(page):
    start_long_run(page)
    wait_for_growth(page, 0)
    wait_for_growth(page, curve_length(page))
    page.reload()
    expect(page.locator("#train-status")).to_contain_text("Training")
    # The form shows the settings of the run on show, not the default's.
    epochs = page.get_by_role("spinbutton", name=re.compile("Epochs"))
    expect(epochs.first).to_have_value("60")
    wait_for_growth(page, 0)
    page.locator("#train-stop").click()
    expect(page.locator("#train-status")).to_contain_text("Stopped", timeout=120_000)
    expect(page.locator(".figures")).to_contain_text("test accuracy")
    page.get_by_role("tab", name="Draw").click()
    page.locator("#draw-model input").click()
    expect(page.get_by_role("option", name=re.compile("Your run"))).to_be_visible()


def test_pause_frees_the_worker_and_resume_goes_on(page):
    start_long_run(page)
    page.locator("#train-pause").click()
    expect(page.locator("#train-status")).to_contain_text("Paused", timeout=120_000)
    page.locator("#train-resume").click()
    expect(page.locator("#train-status")).to_contain_text("images/s", timeout=120_000)
    page.locator("#train-stop").click()
    expect(page.locator("#train-status")).to_contain_text("Stopped", timeout=120_000)


def test_a_second_visitor_waits_in_line_and_sees_nothing_of_the_first(page, new_context, app_url):
    start_long_run(page)
    try:
        visitor = new_context().new_page()
        visitor.goto(app_url)
        expect(visitor.locator("#train-status")).to_contain_text("Nothing trained yet")
        visitor.locator("#train-start").click()
        expect(visitor.locator("#train-status")).to_contain_text("1 run before this one")
        visitor.locator("#train-stop").click()
        expect(visitor.locator("#train-status")).to_contain_text("Stopped")
        expect(page.locator("#train-status")).to_contain_text("Training")
    finally:
        page.locator("#train-stop").click()
        expect(page.locator("#train-status")).to_contain_text(DONE, timeout=120_000)


def test_a_wrong_setting_is_explained_and_nothing_is_lost(page):
    set_number(page, "Learning rate", 7)
    page.locator("#train-start").click()
    expect(page.get_by_text("learning_rate is 7")).to_be_visible()
    assert "Traceback" not in page.content()
    expect(page.locator("#train-status")).to_contain_text("Nothing trained yet")
