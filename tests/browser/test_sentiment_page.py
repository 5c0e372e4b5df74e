"""Scoring a text as a visitor does, in a real Chromium."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def box(page):
    page.get_by_role("tab", name="Sentiment").click()
    return page.locator("#sentiment-text textarea")


def test_the_label_follows_what_is_typed(page, box):
    answer = page.locator("#sentiment-answer")
    box.fill("A wonderful, moving film.")
    expect(answer).to_contain_text("positive")
    box.fill("")
    expect(answer).to_contain_text("as you type")


def test_a_clicked_word_is_struck_out_and_the_answer_without_it_shown(page, box):
    box.fill("The film was awful.")
    page.locator("#sentiment-words").get_by_text("awful", exact=True).click()
    expect(page.locator("#sentiment-comparison")).to_contain_text("Without “awful”")
