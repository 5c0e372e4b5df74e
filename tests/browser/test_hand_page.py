"""Putting drawings right, learning them and watching digits drift, in a real Chromium."""

import re
import zipfile

import pytest
from gestures import SEVEN, draw, open_page
from playwright.sync_api import expect

from foundry.training.hand import learning

pytestmark = pytest.mark.browser

HEART = [[(0.5, 0.9), (0.15, 0.4), (0.3, 0.2), (0.5, 0.35), (0.7, 0.2), (0.85, 0.4), (0.5, 0.9)]]


@pytest.fixture
def page(context, app_url):
    page = open_page(context, app_url)
    page.get_by_role("tab", name="Draw").click()
    page.locator("#draw-pad canvas").wait_for()
    return page


def bend(strokes, amount):
    """No two are alike: else they would be the same drawing."""
    return [[(x + amount * (y > 0.5), y) for x, y in stroke] for stroke in strokes]


def test_drawings_put_right_are_kept_learned_and_read(page, tmp_path, monkeypatch):
    # The app is in this process: a lesson of a fifth.
    monkeypatch.setattr(learning, "NUM_REPLAYED", 3_000)
    monkeypatch.setattr(learning, "NUM_VARIED", 120)
    said = page.locator("#draw-correction")
    expect(said).to_be_hidden()
    drawings = [(SEVEN, "7"), (SEVEN, "7"), (HEART, "heart"), (HEART, "heart"), (HEART, "heart")]
    for number, (strokes, label) in enumerate(drawings):
        page.get_by_role("button", name="Clear").click()
        draw(page, bend(strokes, 0.04 * number))
        expect(page.locator("#draw-answer .answer b")).to_be_visible()
        known = said.locator(f"[data-label='{label}']")
        if known.count():
            known.click()
        else:
            said.locator("input").fill(label)
            said.locator("input").press("Enter")
        told = f"you have {number + 1} drawings" if number else "the first of your drawings"
        expect(said).to_contain_text(told)
    # Nothing of it is there before it is opened.
    expect(page.locator("#hand-board")).to_have_count(0)
    page.locator("#draw-hand-row > button").click()
    board = page.locator("#hand-board")
    expect(board.locator("[data-remove]")).to_have_count(5)
    with page.expect_download() as download:
        page.locator("#hand-take").click()
    download.value.save_as(tmp_path / "drawings.zip")
    with zipfile.ZipFile(tmp_path / "drawings.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"7", "heart"}
    page.locator("#hand-learn").click()
    expect(page.locator("#hand-status")).to_contain_text("Learned")
    result = page.locator("#hand-result")
    expect(result).to_contain_text(
        re.compile(r"As it was.*With replay of MNIST.*Without", re.DOTALL)
    )
    expect(board.locator(".aside")).to_have_count(2)
    result.get_by_role("button", name="Draw with it").first.click()
    expect(page.locator("#draw-answer .answer b")).to_have_text("heart")
    page.get_by_role("button", name="中文").click()
    expect(result).to_contain_text("回放 MNIST")
    # Removed at once, one and then all.
    board.locator("[data-remove]").first.click()
    expect(board.locator("[data-remove]")).to_have_count(4)
    page.locator("#hand-delete").click()
    expect(board).to_contain_text("还没有")


def test_curves_of_digits_that_drift_are_drawn_while_they_are_measured(page):
    expect(page.locator("#draw-drift-models")).to_have_count(0)
    page.locator("#draw-drift-row > button").click()
    page.locator("#draw-drift-measure").click()
    expect(page.locator("#draw-drift-status")).to_contain_text("Done")
    for kind in ("rotated", "blurred", "noisy", "thick", "inverted"):
        expect(page.locator(f"#draw-drift-{kind} path.curve")).to_have_count(1)
