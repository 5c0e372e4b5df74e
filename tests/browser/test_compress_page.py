"""Compressing as a visitor sees it, in a real Chromium."""

import re

import pytest
from gestures import set_number
from playwright.sync_api import expect

# A whole compression, also on a busy machine.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def open_tab(page):
    page.get_by_role("tab", name="Compress").click()
    page.locator("#compress-start:enabled").wait_for()
    return page


@pytest.fixture
def tab(page):
    return open_tab(page)


@pytest.fixture(scope="module")
def shared_tab(shared_page):
    """The tab of a visitor who takes no compression to its end."""
    return open_tab(shared_page)


def test_before_the_first_the_page_says_what_to_do(shared_tab):
    expect(shared_tab.locator("#compress-status")).to_contain_text("Press Compress")
    expect(shared_tab.locator("#compress-table")).not_to_be_visible()


def test_before_the_first_the_form_is_drawn_as_what_it_takes_out(shared_tab):
    preview = shared_tab.locator("#compress-preview")
    expect(preview).to_contain_text("of 61,706")
    set_number(shared_tab, "Pruning ratio", 0)
    expect(preview.locator("i.out")).to_have_count(1)
    expect(preview).to_contain_text("61,706 of 61,706")
    set_number(shared_tab, "Pruning ratio", 0.5)
    # Half of each layer, and the one in the legend.
    expect(preview.locator("i.out")).to_have_count(3 + 8 + 60 + 42 + 1)


def test_from_start_over_a_reload_to_the_table(tab):
    set_number(tab, "Recovery epochs", 1)
    tab.locator("#compress-start").click()
    expect(tab.locator("#compress-curves")).to_be_visible(timeout=120_000)
    tab.reload()
    tab.get_by_role("tab", name="Compress").click()
    expect(tab.locator("#compress-status")).to_contain_text("Compressing")
    # The form shows the settings of the compression on show, not the defaults.
    epochs = tab.get_by_role("spinbutton", name=re.compile("Recovery epochs"))
    expect(epochs.first).to_have_value("1")
    expect(tab.locator("#compress-status")).to_contain_text("Done", timeout=600_000)
    rows = tab.locator("#compress-table tbody tr")
    expect(rows).to_have_count(8)
    expect(tab.locator("#compress-table tr.asked th")).to_contain_text("pruned-int8")
    expect(tab.locator("#compress-curves")).to_be_visible()
    expect(tab.locator("#compress-scatter circle")).to_have_count(8)
    # An input that the forms differ on is there at once; its answers are those of the forms.
    expect(tab.locator("#compress-answers tbody tr")).to_have_count(8)
    tab.locator("#compress-write").click()
    expect(tab.locator("#compress-file")).to_contain_text("lenet-pruned-int8-openvino")
    # Whatever is chosen next, what the table is of stands above it.
    tab.locator("#compress-model input").click()
    tab.get_by_role("option", name=re.compile("BERT")).click()
    expect(tab.locator("#compress-status")).to_contain_text("LeNet (shipped), in ")


def test_cancel_ends_it_and_another_can_be_started(shared_tab):
    set_number(shared_tab, "Recovery epochs", 20)
    shared_tab.locator("#compress-start").click()
    expect(shared_tab.locator("#compress-status")).to_contain_text("Fine-tuning", timeout=120_000)
    shared_tab.locator("#compress-stop").click()
    expect(shared_tab.locator("#compress-status")).to_contain_text("Cancelled", timeout=120_000)
    expect(shared_tab.locator("#compress-start")).to_be_enabled()
    expect(shared_tab.locator("#compress-table")).not_to_be_visible()


def test_a_sentence_model_is_offered_what_it_can_bear(shared_tab):
    shared_tab.locator("#compress-model input").click()
    shared_tab.get_by_role("option", name=re.compile("BERT")).click()
    expect(shared_tab.get_by_text("takes this model hours")).to_be_visible()
    ratio = shared_tab.get_by_role("spinbutton", name=re.compile("Pruning ratio"))
    expect(ratio.first).to_be_disabled()
    expect(shared_tab.locator("#compress-model input")).to_have_value(re.compile("BERT"))
