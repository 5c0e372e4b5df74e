"""Opening a link to a view, and copying one, in a real Chromium."""

import pytest
from gestures import choose_variant, find_variant, wait_for_sound
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def open_link(page, url):
    page.goto(url)
    page.locator("#train-start").wait_for(state="attached")


def copied_link(page):
    page.locator("#link-copy").click()
    expect(page.locator("#link-note")).to_contain_text("Link copied.")
    return page.evaluate("navigator.clipboard.readText()")


def test_a_link_opens_its_tab_with_variant_and_text(context, app_url):
    page = context.new_page()
    open_link(page, f"{app_url}?tab=sentiment&variant=int8&text=A+warm+and+funny+film.")
    expect(page.get_by_role("tab", name="Sentiment")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#sentiment-text textarea")).to_have_value("A warm and funny film.")
    expect(find_variant(page, "sentiment", "int8")).to_be_checked()
    expect(find_variant(page, "sentiment", "dense")).not_to_be_checked()
    expect(page.locator("#sentiment-answer")).to_contain_text("positive")


def test_a_link_brings_the_example_clip(context, app_url):
    page = context.new_page()
    open_link(page, f"{app_url}?tab=speech&clip=digits&decoding=greedy")
    expect(page.get_by_role("tab", name="Speech")).to_have_attribute("aria-selected", "true")
    wait_for_sound(page)
    expect(page.locator("#speech-status")).to_contain_text("Done")


def test_what_a_link_may_not_say_is_named_and_the_rest_is_done(context, app_url):
    page = context.new_page()
    open_link(page, f"{app_url}?tab=train&epochs=7&learning_rate=many")
    expect(page.locator("#link-note")).to_contain_text("Ignored in this link: learning_rate.")
    expect(page.get_by_label("number input for Epochs")).to_have_value("7")
    expect(page.get_by_label("Learning rate")).to_have_value("0.014")


def test_a_copied_link_opens_the_same_view_for_somebody_else(page, context, new_context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("tab", name="Draw").click()
    choose_variant(page, "draw", "pruned")
    page.get_by_role("tab", name="Compress").click()
    page.locator("#compress-start").wait_for()
    slider = page.get_by_label("number input for Pruning ratio")
    slider.fill("0.25")
    slider.press("Tab")
    link = copied_link(page)
    assert "tab=compress&variant=pruned&pruning_ratio=0.25" in link
    theirs = new_context().new_page()
    open_link(theirs, link)
    expect(theirs.get_by_label("number input for Pruning ratio")).to_have_value("0.25")
    theirs.get_by_role("tab", name="Draw").click()
    expect(find_variant(theirs, "draw", "pruned")).to_be_checked()


def test_without_a_clipboard_the_link_is_shown(context, app_url):
    page = context.new_page()
    # As on a page that came over plain HTTP.
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    open_link(page, f"{app_url}?tab=draw")
    expect(page.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    page.locator("#link-copy").click()
    expect(page.get_by_label("Link to this view")).to_have_value(f"{app_url}?tab=draw")


def test_a_chosen_text_model_has_no_pruning_to_offer(context, app_url):
    page = context.new_page()
    open_link(page, f"{app_url}?tab=compress&model=bert-sentiment")
    expect(page.get_by_label("number input for Pruning ratio")).to_be_disabled()


def test_back_forward_and_reload_go_through_the_tabs(page):
    def expect_open(name):
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")

    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("tab", name="Speech").click()
    page.go_back()
    expect_open("Draw")
    page.go_back()
    expect_open("Train")
    page.go_forward()
    expect_open("Draw")
    page.reload()
    expect_open("Draw")
