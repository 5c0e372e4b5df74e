"""Drift: accuracy on digits that are changed more and more, a chart for each kind of change."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from foundry.data import load_test_split
from foundry.digits.drift.corruptions import (
    BLURRED,
    INVERTED,
    KINDS,
    NOISY,
    NUM_STRENGTHS,
    ROTATED,
    THICK,
    corrupt,
)
from foundry.digits.drift.measuring import DriftEvent, measure_drift
from foundry.ui.components.line_chart import Curve, build_line_chart, render_lines
from foundry.ui.components.model_choice import load_digit_predictor
from foundry.ui.components.plots import png_url, status_line
from foundry.ui.draw.curves.measuring import (
    build_measurement,
    grow,
    list_measured,
    measure_each,
    name_curves,
    on_open,
)
from foundry.ui.page.feedback import QUIET, build_when_opened, shows_errors

NUM_DIGITS = 1_000
_STRENGTHS = range(NUM_STRENGTHS + 1)
_TITLES = {
    ROTATED: "Rotated (%)",
    BLURRED: "Blurred (%)",
    NOISY: "Noisy (%)",
    THICK: "Thick (%)",
    INVERTED: "Inverted (%)",
}
# Of the test split, one that all changes can be seen on: a 7.
_EXAMPLE = 0
_WHY = (
    "Digits in the world drift away from those that a network has learned. Here the test digits "
    "are changed in five ways, as the benchmarks MNIST-C and Morpho-MNIST do, each at five "
    "strengths. A run with augmentation, or with the Robust preset of the Train tab, shows what "
    "that buys, and what it does not."
)
_HOW_STRONG = (
    "Strength 0 is the digit as it is, 5 the most: turned by 57 degrees to either side, blurred "
    "over 6 pixels, noise of 0.38 of full ink, a pen of 3 pixels over every stroke, or its "
    "negative. Halfway to the negative there is no contrast left, so that nothing can be read."
)
_CSS = """
img { width: 100%; image-rendering: pixelated; display: block; margin: 0 0 0.3rem;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-md); }
"""


@shows_errors
def on_measure(device: str, token: str, chosen: Sequence[str]) -> Iterator[list[Any]]:
    """Read test digits that are changed more and more.

    Args:
        device: Where models run.
        token: The visitor's token.
        chosen: The models, from `list_measured()`.

    Yields:
        How far it is, and the chart of each kind of change.
    """
    empty = name_curves(token, chosen)
    curves = {kind: list(empty) for kind in KINDS}
    digits = load_test_split().head(NUM_DIGITS)

    def measure(model: str, variant: str) -> Iterator[DriftEvent]:
        return measure_drift(load_digit_predictor(model, token, device, variant), digits)

    for line, place, event in measure_each("Measuring", chosen, measure):
        shown = [gr.skip()] * len(KINDS)
        if event:
            shown = [
                _show(own) if grow(own, place, _STRENGTHS, event.accuracies[kind]) else gr.skip()
                for kind, own in curves.items()
            ]
        yield [line, *shown]
    done = status_line("Done", f"{NUM_DIGITS:,} test digits a point.", style="done")
    yield [done, *map(_show, curves.values())]


def _show(curves: Sequence[Curve]) -> str:
    return render_lines(curves, [0, NUM_STRENGTHS], [0, 100], "%", x_title="Strength")


def strip_html(kind: str) -> str:
    """Return HTML: a digit as it is, then at each strength of a change.

    Args:
        kind: One of `KINDS`.
    """
    images = load_test_split().images[_EXAMPLE : _EXAMPLE + 1].numpy()
    changed = [corrupt(images, kind, strength)[0] for strength in _STRENGTHS]
    return f'<img alt="" src="{png_url(Image.fromarray(255 - np.concatenate(changed, axis=1)))}">'


def build_drift(device: str, visitor: Component) -> None:
    """Build the row, closed; what is in it comes when it is first opened.

    Args:
        device: Where models run.
        visitor: Holds the visitor's token.
    """
    with gr.Accordion("When digits drift", open=False, elem_id="draw-drift-row") as row:
        build_when_opened(
            row, visitor, lambda token: _build(device, row, visitor, list_measured(token))
        )


def _build(
    device: str, row: gr.Accordion, visitor: Component, choices: list[tuple[str, str]]
) -> None:
    gr.Markdown(_WHY, elem_classes="foundry-note")
    measurement = build_measurement(
        "Models to measure",
        "All of them read the same changed digits.",
        "Measure 1,000 test digits",
        "draw-drift",
        choices,
    )
    charts = []
    with gr.Row():
        for kind in KINDS:
            with gr.Column(min_width=320):
                gr.HTML(strip_html(kind), css_template=_CSS, elem_classes="flush", padding=False)
                charts.append(build_line_chart(_TITLES[kind], elem_id=f"draw-drift-{kind}"))
        with gr.Column(min_width=320):
            gr.Markdown(_HOW_STRONG, elem_classes="foundry-note")
    inputs = [visitor, measurement.models]
    row.expand(on_open, inputs, measurement.models, **QUIET)
    measurement.connect(partial(on_measure, device), inputs, charts)
