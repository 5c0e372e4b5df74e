"""Naming photos as a visitor does, in a real Chromium."""

import pytest
from gestures import open_page
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_photos_are_named_in_the_pages_language(context, app_url):
    page = open_page(context, app_url)
    # Nothing of the tab is there before it is opened.
    expect(page.locator("#photos-photo")).to_have_count(0)
    page.get_by_role("tab", name="Photos", exact=True).click()
    tabs = [tab.inner_text() for tab in page.get_by_role("tab").all()]
    assert tabs[2:5] == ["Draw", "Photos", "Sentiment"]
    page.get_by_role("button", name="A cup").click()
    answer = page.locator("#photos-answer")
    expect(answer.locator(".headline b")).to_contain_text("espresso")
    expect(answer.locator(".track")).to_have_count(5)
    answer.get_by_role("button", name="espresso").click()
    expect(page.locator("#photos-looked img")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(answer.locator(".headline b .zh")).to_be_visible()
    expect(answer.locator(".headline b .en")).to_be_hidden()
    # What was found stays when the tab is left.
    page.get_by_role("tab", name="手写", exact=True).click()
    page.get_by_role("tab", name="照片", exact=True).click()
    expect(answer.locator(".headline b")).to_contain_text("浓缩咖啡")
