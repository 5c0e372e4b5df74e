"""Accuracy over the strength of an attack, a curve for each model, drawn while it is measured."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.data import load_test_split
from foundry.digits.attack import RobustnessEvent, measure_robustness
from foundry.ui.components.line_chart import Curve, build_line_chart, render_lines
from foundry.ui.components.model_choice import load_digit_model, load_digit_predictor
from foundry.ui.components.plots import status_line
from foundry.ui.draw.curves.measuring import (
    build_measurement,
    grow,
    list_measured,
    measure_each,
    name_curves,
    on_open,
)
from foundry.ui.page.feedback import QUIET, shows_errors

NUM_DIGITS = 1_000
EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


@shows_errors
def on_measure(device: str, token: str, chosen: Sequence[str], method: str) -> Iterator[list[Any]]:
    """Attack test digits with more and more strength.

    Args:
        device: Where models run.
        token: The visitor's token.
        chosen: The models, from `list_measured()`.
        method: One of the attack's methods.

    Yields:
        How far it is, and the curves.
    """
    curves = name_curves(token, chosen)
    digits = load_test_split().head(NUM_DIGITS)

    def measure(model: str, variant: str) -> Iterator[RobustnessEvent]:
        network = load_digit_model(model, token, device, variant)
        predictor = load_digit_predictor(model, token, device, variant)
        return measure_robustness(network, digits, method, EPSILONS, predictor)

    for line, place, event in measure_each("Attacking", chosen, measure):
        is_new = event and grow(curves, place, EPSILONS, event.accuracies)
        yield [line, _show(curves) if is_new else gr.skip()]
    done = status_line("Done", f"{NUM_DIGITS:,} test digits a point.", style="done")
    yield [done, _show(curves)]


def _show(curves: Sequence[Curve]) -> Any:
    axes = [0, EPSILONS[-1]], [0, 100]
    lines = render_lines(curves, *axes, "%", x_title="Strength (epsilon)", x_is_whole=False)
    return gr.HTML(lines, visible=True)


def build_attack_curve(
    device: str, row: gr.Accordion, visitor: Component, method: gr.Radio
) -> None:
    """Build the curve, and the button that measures it.

    Args:
        device: Where models run.
        row: What it stands in.
        visitor: Holds the visitor's token.
        method: The attack's.
    """
    measurement = build_measurement(
        "Models to attack",
        "Each by its own gradients; of an int8 one by those of its float32 network.",
        "Attack 1,000 test digits",
        "draw-attack",
        list_measured(""),
    )
    # There is nothing to see before something is measured.
    curve = build_line_chart("Accuracy over strength (%)", visible=False, elem_id="draw-curve")
    row.expand(on_open, [visitor, measurement.models], measurement.models, **QUIET)
    inputs = [visitor, measurement.models, method]
    measurement.connect(partial(on_measure, device), inputs, [curve])
