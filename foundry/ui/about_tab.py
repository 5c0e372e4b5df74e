"""The About tab: what this is, how fast this machine is, model cards, licences, the glossary."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.machine import look_at_machine
from foundry.model_card import list_cards, read_card
from foundry.models import WEIGHTS_DIR
from foundry.speeds import measure_speeds
from foundry.ui import about_view
from foundry.ui.feedback import QUIET, shows_errors
from foundry.ui.guide import open_guide_on
from foundry.ui.lines import LINES, MEASUREMENTS
from foundry.ui.plots import status_line
from foundry.ui.terms import glossary_html

_WAIT_S = 0.3
_FIRST_CARD = "lenet"


def on_measure() -> Iterator[list[Any]]:
    """Time every shipped model, one visitor after another.

    Yields:
        The button, the status, the table, the machine.
    """
    idle = gr.Button(interactive=True)
    try:
        with MEASUREMENTS.join() as ticket:
            while not ticket.wait(_WAIT_S):
                facts = f"{ticket.num_ahead} measurements are before yours."
                yield _show(gr.Button(interactive=False), status_line("Waiting", facts, 0.0))
            load = look_at_machine()
            steps = measure_speeds()
            while True:
                share, sentence = next(steps)
                status = status_line("Measuring", f"{sentence}.", share)
                yield _show(gr.Button(interactive=False), status, gr.skip(), gr.skip())
    except StopIteration as end:
        pass
