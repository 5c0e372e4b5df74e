"""The second stage: "Fine-tune the last block", a run like any other."""

from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from foundry.errors import InputError
from foundry.photos.teaching.changes import choose_tuned
from foundry.photos.teaching.projects import Project
from foundry.photos.teaching.tuning.runs import TUNINGS, TuneRun, create_tuning, find_tuning
from foundry.runs.cleaning import remove_run
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.ui.components.line_chart import build_line_chart
from foundry.ui.components.run_controls import RunControls, build_run_controls, connect_buttons
from foundry.ui.components.run_panel import RunPanel
from foundry.ui.page.feedback import LATEST, QUIET, shows_errors
from foundry.ui.page.terms import explain
from foundry.ui.photos.teach.handlers import READY, find_project, on_delete
from foundry.ui.photos.teach.tuned import (
    TUNED_CSS,
    WORDS,
    accuracy_json,
    loss_json,
    tuned_html,
)

_WHY = (
    "A second stage: the last block of the network learns from your pictures, too, not the layer "
    "on top alone. It can help where they are unlike photos, and it can make things worse; what is "
    "set aside says which."
)
_EXIT_S = 30.0
_HEAD, _TUNED = "head", "tuned"


class TuningView(NamedTuple):
    """The components of the stage.

    Attributes:
        controls: Buttons, status line, timer.
        charts: The two charts.
        result: What came out, in a sentence.
        choice: Who answers.
    """

    controls: RunControls
    charts: list[gr.HTML]
    result: gr.HTML
    choice: gr.Radio

    def outputs(self) -> list[Component]:
        """Return what `show_tuning()` updates."""
        shown: list[Component] = [*self.controls.outputs(), *self.charts, self.result, self.choice]
        return [self.controls.run_id, *shown]


def build_panel(queue: RunQueue) -> RunPanel[TuneRun]:
    """Describe what the page does with a fine-tuning.

    Args:
        queue: Where runs wait their turn.
    """
    return RunPanel(
        queue,
        TUNINGS,
        WORDS,
        render,
        lambda run, num_seen: render(run),
        lambda run, token: [],
        can_pause=True,
        can_resume=True,
    )


def render(run: TuneRun | None) -> list[Any]:
    """Return updates for the two charts."""
    if run is None or run.head_accuracy is None:
        return [gr.HTML(visible=False)] * 2
    return [gr.HTML(loss_json(run), visible=True), gr.HTML(accuracy_json(run), visible=True)]


@shows_errors
def on_start(panel: RunPanel[TuneRun], token: str) -> list[Any]:
    """Start to fine-tune the visitor's classes. Returns as `RunPanel.on_start()`."""
    project = find_project(token)
    if project is None:
        raise InputError(READY)
    return panel.on_start(token, create_tuning, project.project_id, token)


@shows_errors
def on_choose(choice: str, token: str) -> None:
    """Let the fine-tuned network answer from now on, or the head alone."""
    project = find_project(token)
    if project is not None:
        choose_tuned(project, choice == _TUNED)


def on_finished(run_id: str, token: str) -> list[Any]:
    """Return what came out of a fine-tuning, and who answers.

    Args:
        run_id: The run on show once it has a result, else empty: what came before is taken away.
        token: The visitor's.
    """
    return show_tuned(find_project(token)) if run_id else ["", gr.skip()]


def on_renewed(panel: RunPanel[TuneRun], token: str) -> list[Any]:
    """Show the stage of the visitor's classes as they are now, and end what is of no use for them.

    Returns:
        As `show_tuning()`.
    """
    project = find_project(token)
    useful = find_tuning(project) if project else None
    for run in TUNINGS.list_own(token):
        if useful is None or run.run_id != useful.run_id:
            _stop(panel, run)
    return show_tuning(panel, project)


def on_delete_all(panel: RunPanel[TuneRun], token: str) -> list[Any]:
    """Delete everything that the visitor has taught, what fine-tunes it first.

    Returns:
        As `on_delete()`.
    """
    for run in TUNINGS.list_own(token):
        _stop(panel, run)
        panel.queue.wait(run.run_id, _EXIT_S)
        with suppress(InputError):
            remove_run(TUNINGS.find_own(run.run_id, token) or run)
    return on_delete(token)


def _stop(panel: RunPanel[TuneRun], run: TuneRun) -> None:
    if run.status in ACTIVE:
        # It may have ended just now.
        with suppress(InputError):
            panel.queue.stop(run.run_id)


def show_tuned(project: Project | None) -> list[Any]:
    """Return the sentence and the choice.

    Args:
        project: The visitor's, None if there is none.
    """
    tuned = project.tuned if project else None
    if project is None or tuned is None:
        return ["", gr.Radio(visible=False)]
    value = _TUNED if project.has_chosen_tuned else _HEAD
    return [tuned_html(tuned), gr.Radio(value=value, visible=True)]


def show_tuning(panel: RunPanel[TuneRun], project: Project | None) -> list[Any]:
    """Return all updates of the stage, in the order of `TuningView.outputs()`.

    Args:
        panel: From `build_panel()`.
        project: The visitor's, None if there is none.
    """
    run = find_tuning(project) if project else None
    return [run.run_id if run else "", *panel.show(run), *show_tuned(project)]


def build_tuning(panel: RunPanel[TuneRun], project: Project | None) -> TuningView:
    """Build the stage, as it stands for a project.

    Args:
        panel: From `build_panel()`.
        project: The visitor's, None if there is none.
    """
    run = find_tuning(project) if project else None
    said, chosen = show_tuned(project)
    with gr.Column(elem_id="teach-tuning"):
        with gr.Column(elem_classes=explain("Fine-tuning")):
            gr.Markdown(_WHY, elem_classes="foundry-note")
        with gr.Row(elem_classes="one-and-two"):
            with gr.Column():
                controls = build_run_controls(
                    panel,
                    "tune",
                    gr.State(run.run_id if run else ""),
                    "Fine-tune the last block",
                )
            with gr.Column():
                controls.status.render()
        with gr.Row(elem_classes="halves"):
            charts = [
                build_line_chart(
                    "Fine-tuning: loss (cross-entropy, nats)", visible=False, elem_id="tune-loss"
                ),
                build_line_chart(
                    "Fine-tuning: right of the pictures set aside",
                    visible=False,
                    elem_id="tune-accuracy",
                ),
            ]
        result = gr.HTML(
            said,
            css_template=TUNED_CSS,
            apply_default_css=False,
            padding=False,
            elem_classes="flush",
            elem_id="tune-result",
        )
        choice = gr.Radio(
            [("The head alone", _HEAD), ("Fine-tuned", _TUNED)],
            value=chosen.value,
            label="Who answers",
            info="When you try it, when programs ask, and in what you take home.",
            visible=chosen.visible,
            interactive=True,
            elem_id="tune-choice",
        )
    return TuningView(controls, charts, result, choice)


def connect_tuning(
    panel: RunPanel[TuneRun],
    view: TuningView,
    visitor: gr.BrowserState,
    renewals: list[Dependency],
) -> list[Dependency]:
    """Wire the stage.

    Args:
        panel: From `build_panel()`.
        view: From `build_tuning()`.
        visitor: Holds the visitor's token.
        renewals: Events after which there are other classes, or another head.

    Returns:
        Events after which another network may answer.
    """
    controls = view.controls
    connect_buttons(panel, controls, visitor, partial(on_start, panel), [], [*view.charts])
    finished = controls.finished.change(
        on_finished, [controls.finished, visitor], [view.result, view.choice], **QUIET
    )
    chosen = view.choice.input(on_choose, [view.choice, visitor], None, **LATEST)
    for renewal in renewals:
        renewal.then(partial(on_renewed, panel), visitor, view.outputs(), **QUIET)
    return [finished, chosen]
