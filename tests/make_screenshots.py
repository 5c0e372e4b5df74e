"""Make the pictures of the tabs in `.pictures/`: `python tests/make_screenshots.py`.

With `--tour FOLDER`, to look the page over: every tab on a desk and on a telephone, light and dark,
English and Chinese, before, while and after a network is trained. It fails if the browser's console
was told of an error or a warning.
"""

import argparse
import io
import itertools
import os
import re
import sys
import tempfile
from pathlib import Path

from gestures import SEVEN, draw, launch_chromium, open_search, set_number, transcribe_example
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

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


def shoot_tabs(browser: Browser, url: str) -> None:
    """Use every tab as a visitor would, and take a picture of it."""
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


def tour(browser: Browser, url: str, folder: Path) -> list[str]:
    """Take a picture of every tab on every kind of screen.

    Returns:
        What the browser's console was told of errors and warnings.
    """
    told: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            told.append(message.text)

    for width, scheme, language in itertools.product((1280, 375), ("light", "dark"), ("en", "zh")):
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 375 else 800},
            color_scheme=scheme,
            locale="zh-CN" if language == "zh" else "en-US",
        )
        context.set_default_timeout(120_000)
        context.on("console", note)
        context.on("weberror", lambda error: told.append(str(error.error)))
        page = context.new_page()
        page.goto(url)
        page.locator("#train-watch .digits li").first.wait_for()
        kind = f"{width}-{scheme}-{language}"
        tabs = page.get_by_role("tab")
        for place in range(tabs.count()):
            tabs.nth(place).click()
            page.wait_for_timeout(1500)
            page.screenshot(path=folder / f"{kind}-{place}.png", full_page=True)
        tabs.first.click()
        page.locator("#train-start").click()
        page.locator("#train-curves figure").first.wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"{kind}-during.png", full_page=True)
        page.locator("#train-headline").wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{kind}-after.png", full_page=True)
        context.close()
    return told


def main() -> None:
    """Serve the page, and take the pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of the tabs.")
    parser.add_argument("--tour", type=Path, metavar="FOLDER", help="look the page over instead")
    folder = parser.parse_args().tour
    from foundry.runs.folders import RUNS_DIR_VARIABLE
    from foundry.ui import build_app, launch

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as runs, sync_playwright() as playwright:
        os.environ[RUNS_DIR_VARIABLE] = runs
        app = build_app("cpu")
        _, url, _ = launch(app, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        browser = launch_chromium(playwright)
        told: list[str] = []
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            told = tour(browser, url, folder)
        else:
            shoot_tabs(browser, url)
        browser.close()
        app.close()
    if told:
        sys.exit("\n".join(["The console was told:", *told]))


if __name__ == "__main__":
    main()
