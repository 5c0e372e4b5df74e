"""A real Chromium on the launched app."""

import pytest
from gestures import launch_chromium
from playwright.sync_api import expect, sync_playwright

# A model's first answer waits for its libraries, which a cold disk reads slowly.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


# What the page tells its visitor passes by; a test that fails is easier to understand with it.
TELL_TOASTS = """
  new MutationObserver(changes => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node.querySelector?.('.toast-body')) console.info('toast:', node.innerText);
  }).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture
def new_context(chromium):
    """Return what makes another visitor's browser; all are closed when the test ends."""
    contexts = []

    def make(width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(60_000)
        context.add_init_script(TELL_TOASTS)
        context.on("console", lambda message: print(f"{message.type}: {message.text}"))
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def context(new_context):
    """One visitor's browser: its own storage, kept over reloads."""
    return new_context()


@pytest.fixture
def page(context, app_url):
    page = context.new_page()
    page.goto(app_url)
    page.locator("#train-start:enabled").wait_for()
    return page
