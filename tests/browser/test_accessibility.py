"""Every tab is checked by axe-core, in light and dark; and used by keyboard alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TABS = ("Train", "Search", "Draw", "Photos", "Sentiment", "Speech", "Compress", "About")
# Gradio's own empty boxes name themselves with an attribute that their element may not have.
NOT_OURS = {"exclude": [[".empty[aria-label='Empty value']"]]}


@pytest.fixture
def page(shared_page):
    """The page on its first tab."""
    shared_page.get_by_role("tab", name="Train", exact=True).click()
    return shared_page


@pytest.fixture(params=["light", "dark"])
def theme(request, page):
    """The page as `?__theme=` shows it, without loading it anew."""
    switch = "is_dark => document.body.classList.toggle('dark', is_dark)"
    page.evaluate(switch, request.param == "dark")
    yield request.param
    page.evaluate(switch, False)


def test_axe_finds_nothing_serious(page, theme):
    assert [tab.inner_text() for tab in page.get_by_role("tab").all()] == list(TABS)
    found = []
    for tab in TABS:
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_role("tabpanel").filter(visible=True)).to_be_visible()
        for term in page.get_by_role("tabpanel").locator("details.term").all():
            if term.is_visible() and term.get_attribute("open") is None:
                term.locator("> summary").click()
        report = Axe().run(page, context=NOT_OURS).response
        found += [
            (tab, broken["id"], node["html"][:200])
            for broken in report["violations"]
            if broken["impact"] in ("serious", "critical")
            for node in broken["nodes"]
        ]
    assert found == []


def test_a_run_is_started_and_stopped_by_keyboard_alone(page):
    page.get_by_role("tab", name="Train", exact=True).focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "train-start":
            break
    expect(page.locator("#train-start")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#train-stop")).to_be_enabled()
    page.locator("#train-stop").focus()
    page.keyboard.press("Space")
    expect(page.locator("#train-status")).to_contain_text("Stopped")


def test_tabs_are_changed_by_keyboard(page):
    page.get_by_role("tab", name="Train", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    search = page.get_by_role("tab", name="Search", exact=True)
    expect(search).to_have_attribute("aria-selected", "true")
    expect(search).to_be_focused()
