"""The About tab: what this is, how fast this machine is, model cards, licences, the glossary."""

import time
from collections.abc import Generator, Iterator
from typing import Any

import gradio as gr

from foundry.compression.speeds import Progress, Speed, measure_speeds
from foundry.errors import ArtifactError, InputError
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.machine import look_at_machine
from foundry.models.model_card import list_cards, read_card
from foundry.ui.about import view as about_view
from foundry.ui.components.plots import status_line
from foundry.ui.page.feedback import LATEST, QUIET, shows_errors
from foundry.ui.page.guide import open_guide_on
from foundry.ui.page.page import Page
from foundry.ui.page.terms import glossary_html
from foundry.ui.server.queues import MEASUREMENTS, OWN_QUEUE

_REFRESH_S = 0.3
# Tables as they are, without the borders of running text.
_PLAIN: dict[str, Any] = {"elem_classes": "flush", "apply_default_css": False}
_FIRST_CARD = "lenet"
_READY = ("Ready", "Times the models of Draw, Sentiment and Speech in every variant, here and now.")


def on_measure() -> Iterator[list[Any]]:
    """Time the shipped models that are compared; visitors take turns.

    Yields:
        The button, the status, the table, the machine.
    """
    try:
        with MEASUREMENTS.join() as ticket:
            while not ticket.wait(_REFRESH_S):
                yield _busy("Waiting", ticket.describe(), 0.0)
            machine, started = look_at_machine(), time.perf_counter()
            speeds = yield from _watch(measure_speeds())
    except (InputError, ArtifactError) as error:
        status = status_line("Not measured", str(error), style="failed")
        yield [gr.Button(interactive=True), status, gr.skip(), gr.skip()]
        return
    facts = f"{len(speeds)} variants in {time.perf_counter() - started:.0f} s."
    if machine.load_average is not None:
        facts += f" Load average at the start: {machine.load_average:.2f}."
    yield [
        gr.Button(interactive=True),
        status_line("Measured", facts, 1.0, "done"),
        about_view.speeds_html(speeds),
        about_view.machine_html(machine),
    ]


def _watch(steps: Progress) -> Generator[list[Any], None, list[Speed]]:
    """Show steps, some a second: the rounds of a small model are many more."""
    told = 0.0
    while True:
        try:
            share, sentence = next(steps)
        except StopIteration as end:
            return end.value
        if time.perf_counter() - told > _REFRESH_S:
            yield _busy("Measuring", f"{sentence}.", share)
            told = time.perf_counter()


def _busy(state: str, facts: str, share: float) -> list[Any]:
    status = status_line(state, facts, share)
    return [gr.Button(interactive=False), status, gr.skip(), gr.skip()]


def on_visit() -> str:
    """Look at the machine anew."""
    return about_view.machine_html(look_at_machine())


@shows_errors
def on_card(name: str) -> str:
    """Return a model's card as Markdown.

    Args:
        name: A folder of shipped weights.

    Raises:
        InputError: If there is no such card; the message lists those there are.
    """
    names = list_cards(WEIGHTS_DIR)
    if name not in names:
        raise InputError(f"There is no card “{name}”; choose one of {', '.join(names)}.")
    return read_card(WEIGHTS_DIR / name)


def build_about_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    with gr.Tab("About", id="about") as tab:
        gr.Markdown(about_view.INTRO, elem_id="about-intro")
        with gr.Row():
            steps = gr.Button(
                "Show the first steps", size="sm", scale=0, min_width=220, elem_id="about-steps"
            )
        gr.Markdown("### Measured on this machine")
        with gr.Row(elem_classes="answer-second"):
            with gr.Column():
                start = gr.Button(
                    "Measure this machine", variant="primary", elem_id="about-measure"
                )
                status = gr.HTML(status_line(*_READY), elem_id="about-status", **_PLAIN)
            with gr.Column():
                table = gr.HTML(about_view.EMPTY, elem_id="about-speeds", **_PLAIN)
            with gr.Column():
                machine = gr.HTML(elem_id="about-machine", **_PLAIN)
        gr.Markdown("### Model cards")
        card = gr.Dropdown(
            list_cards(WEIGHTS_DIR), value=_FIRST_CARD, label="Model card", elem_id="about-card"
        )
        text = gr.Markdown(
            on_card(_FIRST_CARD),
            container=True,
            max_height=480,
            elem_classes=["model-card", "notranslate"],
            elem_id="about-card-text",
        )
        gr.Markdown("### Licences")
        gr.Markdown(about_view.LICENCES, elem_id="about-licences", elem_classes="notranslate")
        gr.Markdown("### Glossary")
        gr.HTML(glossary_html(), elem_id="about-glossary", **_PLAIN)

        open_guide_on(steps)
        start.click(on_measure, None, [start, status, table, machine], **OWN_QUEUE, **QUIET)
        card.input(on_card, card, text, **LATEST)
        tab.select(on_visit, None, machine, **QUIET)
        page.links.open_only("about")
