"""Accuracy over the strength of an attack, a curve for each model, drawn while it is measured."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.data import load_test_split
from foundry.digits.attack import measure_robustness
from foundry.errors import InputError
from foundry.models import DENSE, available_models
from foundry.models.loading import available_variants
from foundry.ui.components.line_chart import Curve, build_line_chart, render_lines
from foundry.ui.components.model_choice import (
    DEFAULT_MODEL,
    list_own_digit_models,
    load_digit_model,
    load_digit_predictor,
)
from foundry.ui.components.plots import status_line
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.palette import SERIES
from foundry.ui.server.queues import ATTACKS, OWN_QUEUE

NUM_DIGITS = 1_000
EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
_MAX_MODELS = 4


def list_attacked(owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs: every variant of the shipped models, then the visitor's runs.

    Args:
        owner: The visitor's token.
    """
    shipped = [
        (f"{spec.title}, {variant}", f"{spec.name} {variant}")
        for spec in available_models("digits")
        for variant in available_variants(spec.name)
    ]
    own = [(title, f"{name} {DENSE.name}") for title, name in list_own_digit_models(owner)]
    return shipped + own


def on_open(token: str, chosen: Sequence[str]) -> Any:
    """List the models; training may have added some.

    Args:
        token: The visitor's token.
        chosen: The models chosen so far; kept if they still exist.
    """
    choices = list_attacked(token)
    names = [name for _, name in choices]
    return gr.Dropdown(choices=choices, value=[name for name in chosen if name in names])


@shows_errors
def on_measure(device: str, token: str, chosen: Sequence[str], method: str) -> Iterator[list[Any]]:
    """Attack test digits with more and more strength.

    Args:
        device: Where models run.
        token: The visitor's token.
        chosen: The models, from `list_attacked()`.
        method: One of the attack's methods.

    Yields:
        How far it is, and the curves.
    """
    titles = {name: title for title, name in list_attacked(token)}
    if not chosen or len(chosen) > _MAX_MODELS:
        raise InputError(f"Choose one to {_MAX_MODELS} models to attack.")
    if unknown := [name for name in chosen if name not in titles]:
        raise InputError(f"There is no model “{unknown[0]}” to attack; choose one of the list.")
    digits = load_test_split().head(NUM_DIGITS)
    curves = [Curve(titles[name], colour, []) for name, colour in zip(chosen, SERIES, strict=False)]
    with ATTACKS.join() as ticket:
        while not ticket.wait(1.0):
            facts = f"{ticket.num_ahead} measurements are before yours; only one runs at a time."
            yield [status_line("Waiting", facts), gr.skip()]
        for index, (name, curve) in enumerate(zip(chosen, curves, strict=True)):
            model, _, variant = name.partition(" ")
            network = load_digit_model(model, token, device, variant)
            predictor = load_digit_predictor(model, token, device, variant)
            facts = f"{index + 1} of {len(chosen)} models"
            for event in measure_robustness(network, digits, method, EPSILONS, predictor):
                reached = [
                    (epsilon, 100 * accuracy)
                    for epsilon, accuracy in zip(EPSILONS, event.accuracies, strict=False)
                ]
                is_new = len(reached) > len(curves[index].points)
                curves[index] = replace(curve, points=reached)
                share = (index + event.share) / len(chosen)
                yield [
                    status_line("Attacking", facts, share),
                    _show(curves) if is_new else gr.skip(),
                ]
    done = status_line("Done", f"{NUM_DIGITS:,} test digits a point.", style="done")
    yield [done, _show(curves)]


def on_stop() -> list[Any]:
    """Say that the measurement, which the same event cancels, has ended; its curves stay.

    Returns:
        The status, and both buttons.
    """
    return [status_line("Stopped"), *show_measuring(False)]


def show_measuring(is_measuring: bool) -> list[Any]:
    """Return updates of the button that measures and of the one that stops it."""
    return [gr.Button(interactive=not is_measuring), gr.Button(visible=is_measuring)]


def _show(curves: Sequence[Curve]) -> Any:
    axes = [0, EPSILONS[-1]], [0, 100]
    lines = render_lines(curves, *axes, "%", x_title="Strength (epsilon)", x_is_whole=False)
    return gr.HTML(lines, visible=True)


def build_fool_curve(device: str, row: gr.Accordion, visitor: Component, method: gr.Radio) -> None:
    """Build the curve, and the button that measures it.

    Args:
        device: Where models run.
        row: What it stands in.
        visitor: Holds the visitor's token.
        method: The attack's.
    """
    with gr.Row():
        models = gr.Dropdown(
            list_attacked(""),
            value=[f"{DEFAULT_MODEL} {DENSE.name}"],
            label="Models to attack",
            info="Each by its own gradients; of an int8 one by those of its float32 network.",
            multiselect=True,
            max_choices=_MAX_MODELS,
            scale=3,
            elem_id="draw-attacked",
        )
        with gr.Column(min_width=160):
            measure = gr.Button("Attack 1,000 test digits", elem_id="draw-measure")
            stop = gr.Button("Stop", visible=False, elem_id="draw-measure-stop")
    status = gr.HTML(elem_classes="flush", elem_id="draw-measured")
    # There is nothing to see before something is measured.
    curve = build_line_chart("Accuracy over strength (%)", visible=False, elem_id="draw-curve")
    row.expand(on_open, [visitor, models], models, **QUIET)
    buttons = [measure, stop]
    started = measure.click(partial(show_measuring, True), None, buttons, **QUIET)
    run = started.then(
        partial(on_measure, device),
        [visitor, models, method],
        [status, curve],
        **OWN_QUEUE,
        **QUIET,
    )
    run.then(partial(show_measuring, False), None, buttons, **QUIET)
    # Twice, because progress that is on its way to the page may arrive after the first.
    stop.click(on_stop, None, [status, *buttons], cancels=[run], **QUIET).then(
        on_stop, None, [status, *buttons], **QUIET
    )
