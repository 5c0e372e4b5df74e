"""Learn my hand: built when it is first opened."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.runs.drawings import read_collection
from foundry.ui.components.examples.board import BOARD_CSS, BOARD_JS
from foundry.ui.components.line_chart import build_line_chart
from foundry.ui.components.plots import status_line
from foundry.ui.draw.hand.handlers import (
    READY,
    on_board,
    on_changed,
    on_delete,
    on_learn,
    on_use,
    show_collection,
)
from foundry.ui.draw.hand.view import RESULT_CSS, RESULT_JS
from foundry.ui.page.feedback import EVERY, QUIET, build_when_opened
from foundry.ui.server.queues import OWN_QUEUE, on_cancel

_WHY = (
    "The drawings that you put right under the answer. The chosen network learns them twice: with "
    "images of MNIST among them, which is called replay, and without. A fifth of each class is set "
    "aside to judge by. They stay on this machine and belong to you; they are deleted when you say "
    "so, and 30 days after the last change. The ZIP is a data set for the Train tab."
)


_SCROLL_JS = "() => { document.querySelector('#draw-pad').scrollIntoView({block: 'center'}); }"


def build_hand_section(
    device: str, model: gr.Dropdown, visitor: Component, correction: gr.HTML
) -> None:
    """Build the section, closed.

    Args:
        device: Where models run.
        model: The chosen model.
        visitor: Holds the visitor's token.
        correction: The row under the answer.
    """
    used = gr.JSON(visible=False)
    with gr.Accordion("Learn my hand", open=False, elem_id="draw-hand-row") as section:
        learn = partial(on_learn, device)
        build_when_opened(
            section,
            visitor,
            lambda token: _build(learn, token, model, visitor, correction, used),
        )
    used.change(None, None, None, js=_SCROLL_JS, **QUIET)


def _build(
    learn_it: Callable[..., Iterator[list[Any]]],
    token: str,
    model: gr.Dropdown,
    visitor: Component,
    correction: gr.HTML,
    used: gr.JSON,
) -> None:
    flush: dict[str, Any] = {"elem_classes": "flush", "apply_default_css": False}
    board_now, taken_now = show_collection(read_collection(token))
    job = gr.State("")
    gr.Markdown(_WHY, elem_classes="foundry-note")
    board = gr.HTML(
        board_now, css_template=BOARD_CSS, js_on_load=BOARD_JS, elem_id="hand-board", **flush
    )
    with gr.Row():
        learn = gr.Button("Learn my hand", variant="primary", elem_id="hand-learn")
        cancel = gr.Button("Cancel", interactive=False, elem_id="hand-cancel")
        take = gr.DownloadButton("Download the drawings", taken_now, elem_id="hand-take")
        delete = gr.Button("Delete all drawings", elem_id="hand-delete")
    status = gr.HTML(status_line("Ready", READY), elem_classes="flush", elem_id="hand-status")
    chart = build_line_chart(
        "MNIST’s validation digits read right while it learns (%)",
        visible=False,
        elem_id="hand-chart",
    )
    result = gr.HTML(
        "", css_template=RESULT_CSS, js_on_load=RESULT_JS, elem_id="hand-result", **flush
    )
    learn.click(
        learn_it,
        [model, visitor],
        [job, status, chart, board, result, learn, cancel],
        **OWN_QUEUE,
        **QUIET,
    )
    cancel.click(on_cancel, job, None, **QUIET)
    correction.change(on_changed, visitor, [board, take], **QUIET)
    board.select(on_board, visitor, correction, **EVERY)
    delete.click(on_delete, visitor, correction, **QUIET)
    result.select(on_use, visitor, [model, used], **EVERY)
