"""Switching variants as a visitor does, in a real Chromium."""

import pytest
from gestures import SEVEN, draw, switch, transcribe_example
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def page(shared_page):
    """The page with both switches off."""
    shared_page.get_by_role("tab", name="Draw").click()
    for name in ("pruned", "quantized"):
        shared_page.locator(f"#variant-{name} input").uncheck()
    expect(shared_page.locator("#variant-note")).to_be_hidden()
    return shared_page


def test_time_and_label_follow_the_switches_without_a_reload(page):
    page.get_by_role("tab", name="Draw").click()
    page.locator("#draw-pad canvas").wait_for()
    page.evaluate("window.isSamePage = true")
    draw(page, SEVEN)
    answer, timing = page.locator("#draw-answer"), page.locator("#draw-timing")
    expect(answer.locator(".answer b")).to_have_text("7")
    expect(timing).to_contain_text("ink to probabilities")
    shares = []
    for name, variant in (
        ("quantized", "int8"),
        ("pruned", "pruned-int8"),
        ("quantized", "pruned"),
    ):
        switch(page, name)
        expect(timing).to_contain_text(f"The model: {variant} ")
        expect(timing).to_contain_text("same answer")
        expect(answer.locator(".answer b")).to_have_text("7")
        shares.append(answer.locator(".answer span").inner_text())
    switch(page, "pruned")
    expect(timing).not_to_contain_text("The model")
    expect(timing).to_contain_text("ink to probabilities")
    shares.append(answer.locator(".answer span").inner_text())
    # Pruned and dense networks are surely told apart; int8 may round to the same tenth.
    assert len(set(shares)) >= 2
    assert page.evaluate("window.isSamePage") is True


def test_the_switches_act_on_texts(page):
    page.get_by_role("tab", name="Sentiment").click()
    page.locator("#sentiment-text textarea").fill("A wonderful, moving film.")
    expect(page.locator("#sentiment-answer")).to_contain_text("positive")
    switch(page, "quantized")
    expect(page.get_by_text("The model: int8").filter(visible=True)).not_to_have_count(0)
    expect(page.locator("#sentiment-answer")).to_contain_text("positive")


def test_the_switches_act_on_speech(page):
    switch(page, "quantized")
    page.get_by_role("tab", name="Speech").click()
    transcribe_example(page)
    expect(page.locator("#speech-transcript")).to_contain_text("seven")
    expect(page.locator("#speech-status")).to_contain_text("int8")
    expect(page.get_by_text("The model: int8").filter(visible=True)).not_to_have_count(0)


def test_the_switches_fit_on_a_phone(new_context, app_url):
    context = new_context(375, 800)
    page = context.new_page()
    page.goto(f"{app_url}?tab=draw")
    page.locator("#variant-quantized").wait_for()
    switch(page, "quantized")
    expect(page.locator("#variant-note")).to_contain_text("8 bits")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
