"""A real Chromium on the launched app."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A model's first answer waits for its libraries, which a cold disk reads slowly.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


def launch_chromium(playwright, *options):
    path = os.environ.get("FOUNDRY_CHROMIUM") or shutil.which("chromium")
    assert path, "The browser tests need Chromium; `.ci/run` installs it."
    return playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_OPTIONS, *options])


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


@pytest.fixture
def context(chromium):
    """One visitor's browser: its own storage, kept over reloads."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context, app_url):
    page = context.new_page()
    page.goto(app_url)
    page.locator("#train-start:enabled").wait_for()
    return page
