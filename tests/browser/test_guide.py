"""The first steps and the terms behind the knobs, in a real Chromium."""

import pytest
from gestures import SEVEN, choose_variant, draw, open_page
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_the_steps_are_closed_for_good_and_opened_again_from_about(page):
    guide = page.locator("#guide")
    expect(guide).to_be_visible()
    guide.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(guide).to_be_hidden()
    expect(page.get_by_role("tab", name="Train", exact=True)).to_be_focused()
    page.reload()
    page.locator("#train-start:enabled").wait_for()
    expect(guide).to_be_hidden()
    open_tab(page, "About")
    page.locator("#about-steps").click()
    expect(guide).to_be_visible()
    expect(guide.get_by_role("button").first).to_be_focused()
    page.reload()
    expect(guide).to_be_visible()


def test_nothing_moves_while_the_page_arrives(page):
    top = page.locator("[role=tablist]").first.bounding_box()["y"]
    page.locator("#guide").get_by_role("button", name="Close").click()
    closed = page.locator("[role=tablist]").first.bounding_box()["y"]
    assert closed < top
    page.reload(wait_until="commit")
    page.locator("[role=tablist]").first.wait_for()
    tops = [page.locator("[role=tablist]").first.bounding_box()["y"] for _ in range(10)]
    page.locator("#train-start:enabled").wait_for()
    tops.append(page.locator("[role=tablist]").first.bounding_box()["y"])
    assert max(tops) <= closed + 1


@pytest.fixture
def unused(shared_page):
    """The page on its first tab; its visitor has done none of the steps and closed nothing."""
    open_tab(shared_page, "Train")
    return shared_page


@pytest.mark.parametrize("name", ["Train", "Draw", "Compress"])
def test_a_step_opens_its_tab_by_keyboard(unused, name):
    unused.locator("#guide").get_by_role("button", name=name).focus()
    unused.keyboard.press("Enter")
    tab = unused.get_by_role("tab", name=name, exact=True)
    expect(tab).to_have_attribute("aria-selected", "true")


def test_steps_are_ticked_when_they_were_done_and_stay_ticked(page):
    done = page.locator("#guide li.done")
    expect(done).to_have_count(0)
    open_tab(page, "Draw")
    page.locator("#draw-pad canvas").wait_for()
    expect(done).to_have_count(0)
    draw(page, SEVEN)
    expect(done).to_have_count(1)
    expect(done).to_contain_text("Draw")
    choose_variant(page, "draw", "pruned")
    expect(done).to_have_count(2)
    page.reload()
    expect(done).to_have_count(2)
    expect(page.locator("#guide li").first).to_have_class("open")


def test_a_run_that_has_ended_ticks_the_first_step(page):
    page.get_by_label("number input for Epochs").fill("1")
    page.get_by_label("number input for Training images").fill("500")
    page.keyboard.press("Tab")
    page.locator("#train-start").click()
    expect(page.locator("#guide li").first).to_have_class("done", timeout=120_000)
    page.reload()
    expect(page.locator("#guide li").first).to_have_class("done")


@pytest.fixture(scope="module")
def phone(new_shared_context, app_url):
    """A page on a phone; its visitor has done none of the steps."""
    return open_page(new_shared_context(375, 800), app_url)


@pytest.mark.parametrize(
    ("tab", "first"), [("Train", "#train-start"), ("Draw", "#draw-pad canvas")]
)
def test_a_phone_begins_with_what_the_tab_is_for(phone, tab, first):
    open_tab(phone, tab)
    assert 0 <= phone.locator(first).bounding_box()["y"] < 300


def test_the_panel_fits_a_phone(phone):
    open_tab(phone, "Train")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375
    assert phone.locator("#guide").bounding_box()["height"] < 60
    phone.locator("#guide").get_by_role("button", name="Compress").click()
    expect(phone.locator("#compress-start")).to_be_visible()


def test_a_term_opens_by_mouse_and_keyboard_and_leaves_the_knob_alone(unused):
    knob = unused.locator(".term-learning-rate")
    field = unused.get_by_label("Learning rate", exact=True)
    before = field.input_value()
    knob.locator("summary").click()
    expect(knob.get_by_text("How far the weights move")).to_be_visible()
    assert field.input_value() == before
    unused.keyboard.press("Enter")
    expect(knob.get_by_text("How far the weights move")).to_be_hidden()
    open_tab(unused, "Draw")
    bars = unused.locator(".term-variant:has(#draw-variants)")
    bars.locator("summary").click()
    expect(bars.get_by_text("smaller or faster")).to_be_visible()
    expect(bars.get_by_role("radio", name="Dense")).to_be_checked()
    unused.keyboard.press("Escape")
    expect(bars.get_by_text("smaller or faster")).to_be_hidden()


def test_terms_are_there_in_what_is_opened_later(unused):
    unused.get_by_role("button", name="Optimizer").click()
    expect(unused.locator(".term-seed summary")).to_be_visible()
    for tab, term in (("Draw", "model"), ("Speech", "beam-search"), ("Compress", "weight-bits")):
        open_tab(unused, tab)
        shown = unused.get_by_role("tabpanel").filter(visible=True)
        expect(shown.locator(f".term-{term} summary").first).to_be_visible()


# The last: whose steps are put away, so is what the tests before look at.
def test_the_steps_disappear_once_all_are_done(unused):
    unused.evaluate("document.documentElement.classList.remove('guide-shown')")
    unused.locator("#guide section").evaluate("section => section.classList.add('all-done')")
    expect(unused.locator("#guide")).to_be_hidden()
