"""A real Chromium on the launched app."""

from contextlib import ExitStack, contextmanager

import pytest
from gestures import launch_chromium, open_page
from playwright.sync_api import expect, sync_playwright

# A first answer waits for libraries that a cold disk reads slowly, or until a model is quantized.
expect.set_options(timeout=120_000)


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


@contextmanager
def make_contexts(chromium):
    """Yield what makes another visitor's browser; all are closed at the end of the block."""
    with ExitStack() as stack:

        def make(width=1280, height=900, **options):
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            context.set_default_timeout(60_000)
            context.add_init_script(TELL_TOASTS)
            context.on("console", lambda message: print(f"{message.type}: {message.text}"))
            return context

        yield make


@pytest.fixture
def new_context(chromium):
    """Return what makes another visitor's browser; all are closed when the test ends."""
    with make_contexts(chromium) as make:
        yield make


@pytest.fixture
def context(new_context):
    """One visitor's browser: its own storage, kept over reloads."""
    return new_context()


@pytest.fixture
def page(context, app_url):
    return open_page(context, app_url)


@pytest.fixture(scope="module")
def new_shared_context(chromium):
    """Like `new_context`, for what several tests of a file use one after another."""
    with make_contexts(chromium) as make:
        yield make


@pytest.fixture(scope="module")
def shared_page(new_shared_context, app_url):
    """One page for the tests of a file that put away what they find, as a visitor would.

    A page takes seconds to load. Who needs one that nobody has used takes `page`.
    """
    return open_page(new_shared_context(), app_url)
