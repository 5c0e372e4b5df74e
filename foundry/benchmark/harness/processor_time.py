"""What an answer costs the server: its processor time, which other programs hardly change."""

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from foundry.benchmark.harness.served_app import OpenPage, ServedApp, Visitor
from foundry.models import DENSE

_MODEL = "lenet"
_NUM_CALLS, _NUM_UNTIMED = 100, 10


def measure_processor_ms(app: ServedApp, drawing: Path) -> dict[str, float]:
    """Let a digit be read again and again, by several kinds of visitors, with nobody else there.

    Args:
        app: Idle.
        drawing: A PNG of the pad's size, with one digit.

    Returns:
        Milliseconds for each answer.
    """
    with (
        Visitor(app.url) as client,
        Visitor(app.url, keeps_session=False) as curl,
        OpenPage(app.url) as page,
    ):
        request = client.upload(drawing), _MODEL, DENSE.name
        ways: dict[str, Callable[[], Any]] = {
            "/classify_digit": lambda: client.call("classify_digit", *request),
            "/classify_digit without a session": lambda: curl.call("classify_digit", *request),
            "a stroke on the pad": partial(draw_stroke, page, drawing),
        }
        return {name: _measure(app, call) for name, call in ways.items()}


def draw_stroke(page: OpenPage, drawing: Path) -> None:
    """Let a page send what is on the pad, and wait for the answer.

    Args:
        page: Of the app.
        drawing: A PNG of the pad's size, with one digit.

    Raises:
        RuntimeError: If the event fails.
    """
    png = "data:image/png;base64," + base64.b64encode(drawing.read_bytes()).decode()
    # Beside the pad's value: the model, the visitor, and what the server keeps, the variant and
    # the answers so far.
    page.fire(page.find_event_of("draw-pad", "input"), png, _MODEL, "", DENSE.name, None)


def _measure(app: ServedApp, call: Callable[[], Any]) -> float:
    for _ in range(_NUM_UNTIMED):
        call()
    before_s = app.cpu_s
    for _ in range(_NUM_CALLS):
        call()
    return 1000 * (app.cpu_s - before_s) / _NUM_CALLS
