"""What a visitor does in the browser, for the tests that drive one."""

import os
import re
import shutil

from playwright.sync_api import expect

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SEVEN = [[(0.3, 0.2), (0.7, 0.2), (0.6, 0.45), (0.5, 0.85)]]
ONE = [[(0.5, 0.15), (0.5, 0.85)]]
FOUR = [[(0.35, 0.15), (0.3, 0.5), (0.7, 0.5)], [(0.65, 0.15), (0.65, 0.85)]]


def launch_chromium(playwright, *options):
    named = os.environ.get("FOUNDRY_CHROMIUM")
    path = named or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "The browser tests need Chromium; `.ci/run` installs it."
    return playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_OPTIONS, *options])


def open_page(context, url):
    """Open the app in a new page, and wait until it can be used."""
    page = context.new_page()
    page.goto(url)
    page.locator("#train-start:enabled").wait_for()
    return page


def wait_for_sound(page):
    """Wait until the Speech tab has a sound: then it can be played."""
    page.locator("#speech-audio .play-pause-button").wait_for()


def bring_sound(page, path):
    """Upload a file to the Speech tab."""
    page.locator("#speech-audio input[type=file]").first.set_input_files(path)
    wait_for_sound(page)


def set_number(page, label, value):
    box = page.get_by_role("spinbutton", name=re.compile(f"^(number input for )?{label}"))
    box.first.fill(str(value))
    box.first.press("Enter")


def draw(page, strokes, pad="#draw-pad"):
    box = page.locator(f"{pad} canvas").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()


def find_variant(page, tab, variant):
    return page.locator(f"#{tab}-variants [data-variant={variant}]")


def choose_variant(page, tab, variant):
    find_variant(page, tab, variant).click()
    expect(find_variant(page, tab, variant)).to_be_checked()


def transcribe_example(page, name="Digits"):
    page.get_by_role("button", name=name, exact=True).click()
    wait_for_sound(page)
    expect(page.locator("#speech-status")).to_contain_text("Done")


def open_search(page):
    page.get_by_role("tab", name="Search", exact=True).click()
    page.locator("#search-start").wait_for()
