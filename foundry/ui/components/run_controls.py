"""The buttons, the status line and the timer that every kind of run has on its tab."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from foundry.ui.components.run_panel import RunPanel
from foundry.ui.page.feedback import QUIET
from foundry.ui.page.visitor import build_browser_state

_REFRESH_S = 0.5


@dataclass(frozen=True)
class RunControls:
    """The components that every kind of run has.

    Attributes:
        run_id: The run on show; mostly kept in the browser.
        seen: What the page shows of it.
        timer: Looks at it again while it is active.
        finished: The run's id once it has a result, else empty.
        status: The status line; not yet on the page.
        start: Starts another one.
        stop: Stops it.
        others: Pause, Resume and Step, where they are offered.
    """

    run_id: Component
    seen: gr.State
    timer: gr.Timer
    finished: gr.State
    status: gr.HTML
    start: gr.Button
    stop: gr.Button
    others: Mapping[str, gr.Button]

    def outputs(self) -> list[Component]:
        """Return what `RunPanel.on_refresh()` updates first."""
        shown = [self.seen, self.timer, self.finished, self.status, self.start, self.stop]
        return [*shown, *self.others.values()]


def build_run_controls(
    panel: RunPanel[Any], name: str, kept: str | gr.State, start: str, stop: str = "Stop"
) -> RunControls:
    """Build the buttons, and the status line for the tab to put where it belongs.

    Args:
        panel: What they are for.
        name: The tab's; begins the components' ids.
        kept: What the browser keeps the run on show as. Or the state that has it, where this is
            built for a visitor who is known: then the run is looked at as soon as it is built.
        start: The label of the button that starts a run.
        stop: The label of the one that stops it.
    """
    small: dict[str, Any] = {"size": "sm", "min_width": 80}
    others = {}
    # Ready once the page knows its visitor, whose run this will be.
    start_button = gr.Button(start, variant="primary", interactive=False, elem_id=f"{name}-start")
    with gr.Row():
        if panel.can_pause:
            others["pause"] = gr.Button(
                "Pause", interactive=False, elem_id=f"{name}-pause", **small
            )
        if panel.can_resume:
            others["resume"] = gr.Button(
                "Resume", visible=False, variant="primary", elem_id=f"{name}-resume", **small
            )
        if panel.step:
            others["step"] = gr.Button("Step", visible=False, elem_id=f"{name}-step", **small)
        stop_button = gr.Button(stop, interactive=False, elem_id=f"{name}-stop", **small)
    status = gr.HTML(
        panel.status_html(None),
        elem_id=f"{name}-status",
        padding=False,
        elem_classes="flush",
        render=False,
    )
    return RunControls(
        run_id=build_browser_state(kept) if isinstance(kept, str) else kept,
        seen=gr.State(None),
        timer=gr.Timer(_REFRESH_S, active=not isinstance(kept, str)),
        finished=gr.State(""),
        status=status,
        start=start_button,
        stop=stop_button,
        others=others,
    )


def connect_buttons(
    panel: RunPanel[Any],
    controls: RunControls,
    visitor: gr.BrowserState,
    on_start: Callable[..., list[Any]],
    knobs: list[Component],
    shown: list[Component],
) -> None:
    """Wire the buttons and the timer.

    Args:
        panel: Answers them.
        controls: The buttons and the timer.
        visitor: Holds the visitor's token.
        on_start: Takes the token and the values of `knobs`; returns as `RunPanel.on_start()`.
        knobs: The form's inputs.
        shown: What `RunPanel.render()` updates.
    """
    own = [controls.run_id, visitor]
    outputs = [*controls.outputs(), *shown]
    controls.start.click(on_start, [visitor, *knobs], [controls.run_id, *outputs], **QUIET)
    controls.stop.click(panel.on_stop, own, None, **QUIET)
    if "pause" in controls.others:
        controls.others["pause"].click(panel.on_pause, own, None, **QUIET)
    if "resume" in controls.others:
        controls.others["resume"].click(panel.on_resume, own, outputs, **QUIET)
    if "step" in controls.others:
        controls.others["step"].click(panel.on_step, own, outputs, **QUIET)
    controls.timer.tick(panel.on_refresh, [*own, controls.seen], outputs, **QUIET)


def connect_run(
    panel: RunPanel[Any],
    controls: RunControls,
    visitor: gr.BrowserState,
    arrived: Dependency,
    on_start: Callable[..., list[Any]],
    knobs: list[Component],
    form: list[Component],
    shown: list[Component],
) -> Dependency:
    """Wire the buttons and the timer, and find the run again when the page is opened.

    Args:
        panel: Answers them.
        controls: The buttons and the timer.
        visitor: Holds the visitor's token.
        arrived: The event after which it does.
        on_start: Takes the token and the values of `knobs`; returns as `RunPanel.on_start()`.
        knobs: The form's inputs.
        form: What `RunPanel.fill()` fills.
        shown: What `RunPanel.render()` updates.

    Returns:
        The event that fills the form when the page is opened.
    """
    connect_buttons(panel, controls, visitor, on_start, knobs, shown)
    own = [controls.run_id, visitor]
    outputs = [*controls.outputs(), *shown]
    return arrived.then(panel.on_arrive, own, [controls.run_id, *form, *outputs], **QUIET)
