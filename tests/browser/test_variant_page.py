"""Choosing variants as a visitor does, in a real Chromium."""

import pytest
from gestures import SEVEN, choose_variant, draw, find_variant, transcribe_example
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def page(shared_page):
    """The page with the dense model chosen."""
    shared_page.get_by_role("tab", name="Draw").click()
    choose_variant(shared_page, "draw", "dense")
    return shared_page


def test_size_time_and_answer_follow_what_is_chosen_and_drawn(page):
    page.locator("#draw-pad canvas").wait_for()
    draw(page, SEVEN)
    answer = page.locator("#draw-answer")
    expect(answer.locator(".answer b")).to_have_text("7")
    expect(find_variant(page, "draw", "dense")).to_contain_text("246.8 kB")
    expect(find_variant(page, "draw", "int8")).not_to_contain_text("kB")
    shares = [answer.locator(".answer span").inner_text()]
    for variant in ("int8", "pruned"):
        choose_variant(page, "draw", variant)
        chosen = find_variant(page, "draw", variant)
        expect(chosen).to_contain_text("kB")
        expect(chosen).to_contain_text(" ms")
        expect(chosen.locator(".said")).to_have_text("7")
        shares.append(answer.locator(".answer span").inner_text())
    # Pruned and dense networks are surely told apart; int8 may round to the same tenth.
    assert len(set(shares)) >= 2


def test_all_four_are_compared_and_chosen_by_keyboard(page):
    draw(page, SEVEN)
    expect(find_variant(page, "draw", "dense").locator(".said")).to_have_text("7")
    page.locator("#draw-variants-compare").click()
    for variant in ("dense", "pruned", "int8", "pruned-int8"):
        expect(find_variant(page, "draw", variant).locator(".said")).to_have_text("7")
    find_variant(page, "draw", "dense").focus()
    page.keyboard.press("ArrowDown")
    expect(find_variant(page, "draw", "pruned")).to_be_checked()
    # The keyboard stays where it was when the answer of the variant has come.
    expect(page.locator("#draw-variants .hint")).to_contain_text("matters least")
    expect(find_variant(page, "draw", "pruned")).to_be_focused()
    expect(find_variant(page, "draw", "int8").locator(".said")).to_have_text("7")


def test_of_choices_in_a_hurry_the_last_holds_for_texts(page):
    page.locator("#draw-variants").evaluate(
        """bars => ['pruned', 'pruned-int8', 'dense', 'int8'].forEach(
             name => bars.querySelector(`[data-variant="${name}"]`).click())"""
    )
    expect(find_variant(page, "draw", "int8")).to_be_checked()
    page.get_by_role("tab", name="Sentiment").click()
    expect(find_variant(page, "sentiment", "int8")).to_be_checked()
    page.locator("#sentiment-text textarea").fill("A wonderful, moving film.")
    expect(find_variant(page, "sentiment", "int8").locator(".said")).to_have_text("positive")
    expect(page.locator("#sentiment-answer")).to_contain_text("positive")


def test_the_choice_holds_for_speech(page):
    choose_variant(page, "draw", "int8")
    page.get_by_role("tab", name="Speech").click()
    transcribe_example(page)
    expect(page.locator("#speech-status")).to_contain_text("int8")
    expect(find_variant(page, "speech", "int8").locator(".said")).to_contain_text("seven")


def test_the_bars_fit_on_a_phone(new_context, app_url):
    context = new_context(375, 800)
    page = context.new_page()
    page.goto(f"{app_url}?tab=draw")
    find_variant(page, "draw", "int8").wait_for()
    choose_variant(page, "draw", "int8")
    expect(page.locator("#draw-variants .hint")).to_contain_text("8 bits")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
