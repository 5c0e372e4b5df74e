"""Make the pictures of the tabs in `.pictures/`: `python tests/make_screenshots.py`."""

import io
import os
import re
import sys
import tempfile
from pathlib import Path

from gestures import SEVEN, draw, launch_chromium, open_search, set_number, transcribe_example
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

PROJECT = Path(__file__).parent.parent
# The browser's conftest before the other.
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "browser"), str(PROJECT / "tests")]


PICTURES = PROJECT / ".pictures"
WIDTH = 1280


def shoot(page: Page, name: str, height: int) -> None:
    """Save what the page shows from its top."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(1500)
    save(page.screenshot(), name)


def save(picture: bytes, name: str) -> None:
    """Save a PNG with few colours, so that it stays small."""
    few = Image.open(io.BytesIO(picture)).convert("P", palette=Image.Palette.ADAPTIVE)
    few.save(PICTURES / f"{name}.png", optimize=True)


def shoot_search(page: Page) -> None:
    """Search for two minutes, and take a picture of the section."""
    open_search(page)
    set_number(page, "Minutes", 2)
    page.locator("#search-start").click()
    expect(page.locator("#search-status")).to_contain_text("Done", timeout=600_000)
    page.wait_for_timeout(1500)
    save(page.locator("#search").screenshot(), "search")


def shoot_photos(page: Page) -> None:
    """Have an example photo named, and take a picture."""
    page.get_by_role("tab", name="Photos").click()
    page.get_by_role("button", name="A cat").click(timeout=60_000)
    page.locator("#photos-answer").get_by_role("button", name="tiger cat").click()
    page.locator("#photos-looked img").wait_for()
    shoot(page, "photos", 880)


def shoot_sentiment(page: Page) -> None:
    """Score a text, strike its strongest word out, and take a picture."""
    page.get_by_role("tab", name="Sentiment").click()
    page.locator("#sentiment-text textarea").fill(
        "The plot is thin and the ending silly, but the songs are so lovely that I went twice."
    )
    page.locator("#sentiment-words").get_by_text("lovely", exact=True).click(timeout=60_000)
    expect(page.locator("#sentiment-comparison")).to_contain_text("Without “lovely”")
    shoot(page, "sentiment", 800)


def shoot_compress(page: Page) -> None:
    """Compress LeNet, wait for the table and an input that its forms differ on, take a picture."""
    page.get_by_role("tab", name="Compress").click()
    page.locator("#compress-start").click()
    expect(page.locator("#compress-status")).to_contain_text("Done", timeout=900_000)
    page.locator("#compress-answers table").wait_for()
    shoot(page, "compress", 1640)


def shoot_about(page: Page) -> None:
    """Time every model, and take a picture."""
    page.get_by_role("tab", name="About").click()
    page.locator("#about-measure").click()
    expect(page.locator("#about-status")).to_contain_text("Measured", timeout=240_000)
    shoot(page, "about", 960)


def main() -> None:
    """Use every tab as a visitor would, and take a picture of it."""
    from foundry.runs.folders import RUNS_DIR_VARIABLE
    from foundry.ui import build_app, launch

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ[RUNS_DIR_VARIABLE] = folder
        app = build_app("cpu")
        _, url, _ = launch(app, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        browser = launch_chromium(playwright)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(url)
        page.locator("#guide").get_by_role("button", name="Close").click()
        page.locator("#train-start").click()
        done = re.compile("Done")
        expect(page.locator("#train-status")).to_contain_text(done, timeout=600_000)
        page.locator("#confusion-matrix button[data-cell='49']").click()
        expect(page.get_by_text("read as 9")).to_be_visible(timeout=60_000)
        shoot(page, "train", 1460)
        shoot_search(page)
        page.get_by_role("tab", name="Draw").click()
        page.locator("#draw-pad canvas").wait_for()
        draw(page, SEVEN)
        expect(page.locator("#draw-answer .answer b")).to_have_text("7", timeout=60_000)
        shoot(page, "draw", 960)
        shoot_photos(page)
        shoot_sentiment(page)
        page.get_by_role("tab", name="Speech").click()
        transcribe_example(page, "Commands")
        page.locator("#speech-reference textarea").fill("yes stop go left right up and down")
        page.locator("#speech-compare").click()
        page.locator("#speech-score .figures").wait_for()
        shoot(page, "speech", 1500)
        shoot_compress(page)
        shoot_about(page)
        browser.close()
        app.close()


if __name__ == "__main__":
    main()
