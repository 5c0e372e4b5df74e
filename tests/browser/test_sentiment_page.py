"""Scoring a text as a visitor does, in a real Chromium."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def box(page):
    page.get_by_role("tab", name="Sentiment").click()
    return page.locator("#sentiment-text textarea")


def test_the_label_follows_what_is_typed(page, box):
    answer = page.locator("#sentiment-answer .answer b")
    box.fill("A wonderful, moving film.")
    expect(answer).to_have_text("positive")
    box.fill("A boring, pointless film.")
    expect(answer).to_have_text("negative")
    box.fill("")
    expect(page.locator("#sentiment-answer")).to_contain_text("as you type")


def test_the_words_show_their_pull(page, box):
    box.fill("The film was awful.")
    expect(page.locator("#sentiment-answer .answer b")).to_have_text("negative")
    page.locator("#explain").click()
    expect(page.locator("#sentiment-words mark")).to_have_text(["The", "film", "was", "awful", "."])
    expect(page.locator("#sentiment-words")).to_contain_text("pulls towards “negative”")
