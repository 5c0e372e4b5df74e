"""What all measurements over a strength share: the models, the turn, and the two buttons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import gradio as gr
from gradio.components import Component

from foundry.errors import InputError
from foundry.models import DENSE, available_models
from foundry.models.loading import available_variants
from foundry.ui.components.line_chart import Curve
from foundry.ui.components.model_choice import DEFAULT_MODEL, list_own_digit_models
from foundry.ui.components.plots import status_line
from foundry.ui.page.feedback import QUIET
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.palette import SERIES
from foundry.ui.server.queues import ATTACKS, OWN_QUEUE

MAX_MODELS = 4


class Reading(Protocol):
    """How far the measurement of one model is."""

    @property
    def share(self) -> float:
        """Done, in [0, 1]."""


E = TypeVar("E", bound=Reading)


def list_measured(owner: str) -> list[tuple[str, str]]:
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
    choices = list_measured(token)
    names = [name for _, name in choices]
    return gr.Dropdown(choices=choices, value=[name for name in chosen if name in names])


def name_curves(token: str, chosen: Sequence[str]) -> list[Curve]:
    """Return a curve without points for each of the models.

    Args:
        token: The visitor's token.
        chosen: The models, from `list_measured()`.

    Raises:
        InputError: If there are too few or too many, or one is not the visitor's.
    """
    titles = {name: title for title, name in list_measured(token)}
    if not chosen or len(chosen) > MAX_MODELS:
        raise InputError(f"Choose one to {MAX_MODELS} models to measure.")
    if unknown := [name for name in chosen if name not in titles]:
        raise InputError(f"There is no model “{unknown[0]}” to measure; choose one of the list.")
    return [Curve(titles[name], colour, []) for name, colour in zip(chosen, SERIES, strict=False)]


def grow(
    curves: list[Curve], place: int, strengths: Sequence[float], accuracies: Sequence[float]
) -> bool:
    """Give a curve the points that it lacks; tell whether there were any.

    Args:
        curves: Those of a chart; changed.
        place: Which of them grows.
        strengths: Of all points, also of those that are not measured yet.
        accuracies: Of those that are, in their order, each in [0, 1].
    """
    if len(accuracies) == len(curves[place].points):
        return False
    measured = zip(strengths, accuracies, strict=False)
    points = [(strength, 100 * accuracy) for strength, accuracy in measured]
    curves[place] = replace(curves[place], points=points)
    return True


def measure_each(
    doing: str, chosen: Sequence[str], measure: Callable[[str, str], Iterator[E]]
) -> Iterator[tuple[str, int, E | None]]:
    """Wait for the turn, then measure one model after another.

    Args:
        doing: What the status line says meanwhile.
        chosen: The models, from `list_measured()`.
        measure: Takes the name of a model and that of its variant.

    Yields:
        The status line, and the place of a model with a reading, None while it waits.
    """
    with ATTACKS.join() as ticket:
        while not ticket.wait(1.0):
            yield status_line("Waiting", ticket.describe()), 0, None
        for place, name in enumerate(chosen):
            model, _, variant = name.partition(" ")
            facts = f"model {place + 1} of {len(chosen)}"
            for reading in measure(model, variant):
                share = (place + reading.share) / len(chosen)
                yield status_line(doing, facts, share), place, reading


def on_stop() -> list[Any]:
    """Say that the measurement, which the same event cancels, has ended; its curves stay.

    Returns:
        The status, and both buttons.
    """
    return [status_line("Stopped"), *show_measuring(False)]


def show_measuring(is_measuring: bool) -> list[Any]:
    """Return updates of the button that measures and of the one that stops it."""
    return [gr.Button(interactive=not is_measuring), gr.Button(visible=is_measuring)]


@dataclass(frozen=True)
class Measurement:
    """The part that starts a measurement.

    Attributes:
        models: The choice.
        start: The button.
        stop: The button that takes its place.
        status: How far it is.
    """

    models: gr.Dropdown
    start: gr.Button
    stop: gr.Button
    status: gr.HTML

    def connect(
        self, handler: Callable[..., Any], inputs: Sequence[Component], shown: Sequence[Component]
    ) -> None:
        """Measure when the button is pressed.

        Args:
            handler: Yields the status line and what is shown.
            inputs: What it takes.
            shown: Where that is shown.
        """
        buttons = [self.start, self.stop]
        started = self.start.click(lambda: show_measuring(True), None, buttons, **QUIET)
        run = started.then(handler, list(inputs), [self.status, *shown], **OWN_QUEUE, **QUIET)
        run.then(lambda: show_measuring(False), None, buttons, **QUIET)
        # Twice, because progress that is on its way to the page may arrive after the first.
        self.stop.click(on_stop, None, [self.status, *buttons], cancels=[run], **QUIET).then(
            on_stop, None, [self.status, *buttons], **QUIET
        )


def build_measurement(
    label: str, info: str, button: str, prefix: str, choices: list[tuple[str, str]]
) -> Measurement:
    """Build the part.

    Args:
        label: Of the choice of models.
        info: What is said of them.
        button: What it says.
        prefix: Of the ids on the page.
        choices: The models, from `list_measured()`.
    """
    with gr.Row():
        models = gr.Dropdown(
            choices,
            value=[f"{DEFAULT_MODEL} {DENSE.name}"],
            label=label,
            info=info,
            multiselect=True,
            max_choices=MAX_MODELS,
            interactive=True,
            scale=3,
            elem_id=f"{prefix}-models",
            elem_classes=OUR_CHOICES,
        )
        with gr.Column(min_width=160):
            start = gr.Button(button, elem_id=f"{prefix}-measure")
            stop = gr.Button("Stop", visible=False, elem_id=f"{prefix}-stop")
    status = gr.HTML(elem_classes="flush", elem_id=f"{prefix}-status")
    return Measurement(models, start, stop, status)
