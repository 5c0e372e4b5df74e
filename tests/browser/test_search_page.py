"""Searching as a visitor sees it, in a real Chromium, by trials on Ray."""

import re

import pytest
from gestures import open_search, set_number
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.cluster, pytest.mark.timeout(600)]

# Ray starts a dozen processes, which takes a while on a busy machine.
PATIENCE_MS = 240_000


def test_from_start_over_a_reload_to_a_run(page):
    open_search(page)
    expect(page.locator("#search-status")).to_contain_text("Press Search")
    page.locator("#search").get_by_text("What to try", exact=True).click()
    for label, value in (
        ("Minutes", 0),
        ("Trials", 2),
        ("Epochs of a trial", 1),
        ("Training images of a trial", 500),
        ("Batch size, highest", 128),
    ):
        set_number(page, label, value)
    preview = page.locator("#search-preview")
    expect(preview).to_contain_text("64 – 128")
    expect(preview).to_contain_text("1.5 epochs of training instead of 2.")
    page.locator("#search-start:enabled").click()
    expect(page.locator("#search-status")).to_contain_text("Ray", timeout=PATIENCE_MS)
    page.reload()
    open_search(page)
    # The form shows the settings of the search on show, not the defaults.
    trials = page.get_by_role("spinbutton", name=re.compile("Trials"))
    expect(trials.first).to_have_value("2")
    expect(preview).to_contain_text("64 – 128")
    expect(page.locator("#search-status")).to_contain_text("Done", timeout=PATIENCE_MS)
    expect(page.locator("#search-table tbody tr")).to_have_count(2)
    expect(page.locator("#search-pareto circle")).to_have_count(2)
    expect(page.locator("#search-parallel polyline")).to_have_count(2)
    page.locator("#search-table button[data-trial]").first.click()
    expect(page.locator("#search-note")).to_contain_text("on the test split")
    expect(page.locator("#train-status")).to_contain_text("Done")
    expect(page.locator(".figures").first).to_contain_text("test accuracy")
