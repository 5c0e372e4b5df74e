"""What a page asks of the server when nobody does anything."""

import pytest
from gestures import choose_variant

pytestmark = pytest.mark.browser

# A page that has settled is looked at for as long.
_LOOK_MS = 1500


def wait_for_rest(page, asked):
    """Wait until nothing has been asked for two whiles: on a busy machine one may be a gap."""
    num_quiet = 0
    for _ in range(20):
        before = len(asked)
        page.wait_for_timeout(_LOOK_MS)
        num_quiet = num_quiet + 1 if len(asked) == before else 0
        if num_quiet == 2:
            return
    pytest.fail(f"the page never comes to rest: {len(asked)} events")


def test_a_page_comes_to_rest_also_when_tabs_and_variants_are_pressed_in_haste(context, app_url):
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request) if "/join" in request.url else None)
    page.goto(app_url)
    page.locator("#train-start:enabled").wait_for()
    for tab in ("Train", "Search", "Sentiment", "Speech", "Compress", "About", "Draw"):
        page.get_by_role("tab", name=tab, exact=True).click()
    wait_for_rest(page, asked)
    for variant in ("pruned", "int8", "dense", "pruned-int8", "pruned"):
        choose_variant(page, "draw", variant)
    wait_for_rest(page, asked)
