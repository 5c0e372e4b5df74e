"""What the browser's console is told while a visitor goes through all tabs."""

import pytest
from gestures import ONE, draw, open_page, set_number, transcribe_example
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_console_stays_empty_on_every_tab_during_and_after_a_run(new_context, app_url):
    context = new_context(1280, 900)
    told = []
    context.on("weberror", lambda error: told.append(str(error.error)))
    context.on(
        "console",
        lambda message: told.append(message.text) if message.type in ("error", "warning") else None,
    )
    page = open_page(context, app_url)
    set_number(page, "Training images", 10_000)
    page.locator("#train-start").click()

    page.get_by_role("tab", name="Draw", exact=True).click()
    draw(page, ONE)
    expect(page.locator("#draw-answer .answer b")).to_have_text("1")
    page.get_by_role("tab", name="Photos", exact=True).click()
    page.get_by_role("button", name="A cat").click()
    expect(page.locator("#photos-answer")).to_contain_text("cat")
    page.get_by_role("tab", name="Speech", exact=True).click()
    transcribe_example(page)
    page.get_by_role("tab", name="Sentiment", exact=True).click()
    page.locator("#sentiment-text textarea").fill("A lovely film.")
    expect(page.locator("#sentiment-words")).to_contain_text("lovely")
    for tab in ("Search", "Compress", "About"):
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(1)

    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#train-headline")).to_contain_text("mistakes", timeout=180_000)
    page.set_viewport_size({"width": 375, "height": 800})
    page.locator("#train-watch .digits").scroll_into_view_if_needed()
    assert told == []
