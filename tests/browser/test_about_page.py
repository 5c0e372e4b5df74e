"""The About tab as a visitor sees it, in a real Chromium."""

import re
from functools import partial
from importlib.metadata import version

import pytest
from playwright.sync_api import expect

from foundry.compression.speeds import measure_speeds

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def about(shared_page):
    shared_page.get_by_role("tab", name="About", exact=True).click()
    return shared_page


def test_versions_machine_licences_and_glossary_are_there(about):
    machine = about.locator("#about-machine")
    expect(machine).to_contain_text(version("torch"))
    expect(machine).to_contain_text("GB")
    expect(about.locator("#about-licences")).to_contain_text("CC BY-SA 3.0")
    expect(about.locator("#about-glossary dt").first).to_have_text("Accuracy")


def test_a_card_is_chosen_from_the_list(about):
    text = about.locator("#about-card-text")
    expect(text.get_by_role("heading", name="LeNet-5 on MNIST", exact=True)).to_be_visible()
    about.locator("#about-card input").click()
    about.get_by_role("option", name="wav2vec2-commands", exact=True).click()
    expect(text).to_contain_text("isolated words, Speech Commands")
    expect(text).not_to_contain_text("pipeline_tag")


def test_the_machine_is_measured(about, monkeypatch):
    # The app runs in this process. How exact the figures are is not looked at here.
    monkeypatch.setattr("foundry.ui.about.tab.measure_speeds", partial(measure_speeds, 0.5))
    table = about.locator("#about-speeds")
    expect(table).to_contain_text("Press “Measure this machine”")
    about.locator("#about-measure").click()
    expect(about.locator("#about-measure")).to_be_disabled()
    expect(about.locator("#about-status")).to_contain_text("Measured", timeout=240_000)
    expect(table.locator("tbody")).to_have_count(3)
    expect(table).to_contain_text(" ms")
    expect(table).to_contain_text(re.compile(" times|too busy"))
    expect(about.locator("#about-measure")).to_be_enabled()
