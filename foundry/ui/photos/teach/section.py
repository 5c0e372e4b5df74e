"""Teach it your own classes: built when it is first opened."""

from functools import partial
from typing import Any

import gradio as gr

from foundry.photos.teaching.projects import Project
from foundry.photos.teaching.tuning.runs import TuneRun
from foundry.runs.queue import RunQueue
from foundry.ui.components.examples.board import BOARD_CSS, BOARD_JS
from foundry.ui.components.line_chart import build_line_chart
from foundry.ui.components.pad import build_pad
from foundry.ui.components.plots import status_line
from foundry.ui.components.run_panel import RunPanel
from foundry.ui.page.feedback import EVERY, LATEST, QUIET, build_when_opened
from foundry.ui.photos import view
from foundry.ui.photos.input import build_photo_input
from foundry.ui.photos.teach.board import board_html
from foundry.ui.photos.teach.camera import build_camera
from foundry.ui.photos.teach.downloads import build_downloads, forget_file, on_load
from foundry.ui.photos.teach.handlers import (
    READY,
    TRY_HINT,
    find_project,
    on_add,
    on_board,
    on_cell,
    on_drawn,
    on_taken,
    on_train,
    on_try,
)
from foundry.ui.photos.teach.result import CELL_CSS, RESULT_CSS, RESULT_JS, result_html
from foundry.ui.photos.teach.tuning import (
    build_panel,
    build_tuning,
    connect_tuning,
    on_delete_all,
)
from foundry.ui.server.queues import OWN_QUEUE

_WHY = (
    "The network has seen a million photos. A layer on top of it learns your classes from a few "
    "pictures each. They stay on this machine and belong to you; they are deleted when you say so, "
    "and a week after the last change."
)


def build_teach_section(visitor: gr.BrowserState, queue: RunQueue) -> None:
    """Build the section, closed.

    Args:
        visitor: Holds the visitor's token.
        queue: Where runs wait their turn.
    """
    panel = build_panel(queue)
    with gr.Accordion("Teach it your own classes", open=False, elem_id="photos-teach") as section:
        build_when_opened(
            section, visitor, lambda token: _build(visitor, panel, find_project(token))
        )


def _build(visitor: gr.BrowserState, panel: RunPanel[TuneRun], project: Project | None) -> None:
    outcome = project.outcome if project else None
    flush: dict[str, Any] = {"elem_classes": "flush", "apply_default_css": False}
    gr.Markdown(_WHY, elem_classes="foundry-note")
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            name = gr.Dropdown(
                list(project.labels) if project else [],
                value=None,
                label="Class",
                info="Choose one, or type a new name and press Enter.",
                allow_custom_value=True,
                interactive=True,
                elem_id="teach-class",
            )
            files = gr.File(
                label="Pictures of it",
                file_count="multiple",
                height=130,
                interactive=True,
                elem_id="teach-files",
            )
            gr.Markdown("Or take them with the camera", elem_classes="foundry-note")
            camera = build_camera("teach-camera")
            with gr.Accordion("Or draw them", open=False, elem_id="teach-draw"):
                pad = build_pad("teach-pad", "Draw an example here", is_followed=False)
                drawn = gr.Button("Add the drawing", elem_id="teach-drawn")
            note = gr.Markdown(elem_classes="foundry-note", elem_id="teach-note")
        with gr.Column():
            board = gr.HTML(
                board_html(project),
                css_template=BOARD_CSS,
                js_on_load=BOARD_JS,
                elem_id="teach-board",
                **flush,
            )
    replay = gr.Checkbox(
        value=True,
        label="Learn the old examples again, too",
        info="Without them it learns what is new alone, and forgets.",
        visible=outcome is not None,
        interactive=True,
        elem_id="teach-replay",
    )
    with gr.Row():
        train = gr.Button("Train", variant="primary", elem_id="teach-train")
        delete = gr.Button("Delete all of it", elem_id="teach-delete")
    status = gr.HTML(status_line("Ready", READY), elem_classes="flush", elem_id="teach-status")
    chart = build_line_chart(
        "Right of the pictures set aside", visible=False, elem_id="teach-chart"
    )
    with gr.Column(visible=outcome is not None) as learned:
        with gr.Row(elem_classes="halves"):
            with gr.Column():
                result = gr.HTML(
                    result_html(outcome) if outcome else "",
                    css_template=RESULT_CSS,
                    js_on_load=RESULT_JS,
                    elem_id="teach-result",
                    **flush,
                )
                cell = gr.HTML(css_template=CELL_CSS, elem_id="teach-cell", **flush)
            with gr.Column():
                tried = build_photo_input(
                    label="Try it on a new picture", height=260, elem_id="teach-try"
                )
                said = gr.HTML(
                    view.hint(TRY_HINT), css_template=view.ANSWER_CSS, elem_id="teach-said", **flush
                )
        tuning = build_tuning(panel, project)
    load, taken = build_downloads(visitor)
    shown = [board, name]
    judged = [learned, result, cell, replay]
    files.upload(on_add, [files, name, visitor], [*shown, files, note], **EVERY)
    camera.submit(on_taken, [name, visitor], [*shown, note], **EVERY)
    drawn.click(on_drawn, [pad, name, visitor], [*shown, note], **EVERY)
    loaded = load.upload(on_load, [load, visitor], [*shown, *judged, note], **QUIET)
    board.select(on_board, visitor, shown, **EVERY)
    trained = train.click(
        on_train, [visitor, replay], [status, chart, board, *judged], **OWN_QUEUE, **QUIET
    )
    result.select(on_cell, visitor, cell, **EVERY)
    ask = on_try, [tried, visitor], said
    tried.change(*ask, **LATEST)
    deleted = delete.click(
        partial(on_delete_all, panel), visitor, [*shown, *judged, status, chart], **QUIET
    )
    renewals = [loaded, trained, deleted]
    for renewal in (*renewals, *connect_tuning(panel, tuning, visitor, renewals)):
        renewal.then(*ask, **QUIET)
    for change in (tuning.choice.change, result.change, board.change):
        change(forget_file, None, taken, **QUIET)
