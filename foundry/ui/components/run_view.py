"""What the page says about one run: a status line, two curves and its buttons."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import pandas as pd

from foundry.runs.folders import ACTIVE, RESUMABLE, AnyRun
from foundry.runs.queue import RunQueue
from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.components import plots
from foundry.ui.page.palette import BLUE, GREY, ORANGE, VERMILION

CURVE_COLORS = {
    plots.TRAIN: BLUE,
    plots.VALIDATION: ORANGE,
    plots.KEPT: GREY,
    plots.STOPPED_EARLY: VERMILION,
}

_IDLE = (
    '<div class="run-status"><div class="line"><span class="state">Nothing trained yet</span>'
    '<span class="facts">Press Start: the default reaches about 99% in seconds.</span></div></div>'
)
STATES = {
    "queued": "Waiting",
    "running": "Training",
    "paused": "Paused",
    "stopped": "Stopped",
    "done": "Done",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


def is_known(run: AnyRun, seen: tuple[str, int] | None) -> bool:
    """Return whether a page shows a run as it is.

    Args:
        run: The run.
        seen: Status and number of events that the page shows.
    """
    # While it waits nothing is written, but those before it end.
    return run.status != "queued" and seen == (run.status, len(run.events))


def status_html(run: Run | None, runs_ahead: int = 0) -> str:
    """Return the status line with its progress bar.

    Args:
        run: The run, or None before the first one.
        runs_ahead: Its place in the queue: how many runs go first.
    """
    if run is None:
        return _IDLE
    facts = _facts(run, runs_ahead)
    return plots.status_line(STATES[run.status], facts, run.progress, run.status)


def _facts(run: Run, runs_ahead: int) -> str:
    if run.status == "queued" and runs_ahead:
        return place_in_line(runs_ahead)
    if not run.events:
        return {
            "queued": "Starting the worker.",
            "running": "Loading MNIST.",
            "failed": f"{run.reason}.",
        }.get(run.status, "Nothing was trained.")
    last = run.events[-1]
    done = f"{run.progress:.0%}, epoch {last.epoch} of {run.config.epochs}"
    if run.status == "running":
        remaining = format_duration(run.remaining_s or 0.0)
        return f"{done}, {remaining} left, {plots.round_thousands(last.images_per_s)} images/s"
    if run.status in ("paused", "interrupted"):
        return f"at {done}. Press Resume to go on from the last checkpoint."
    if run.status == "failed":
        return f"at {done}: {run.reason}. Press Resume to go on from the last checkpoint."
    if run.stopped_early:
        return (
            f"{last.epoch} of {run.config.epochs} epochs in {format_duration(last.elapsed_s)}: "
            "validation stopped improving."
        )
    if run.status == "done":
        return f"{last.epoch} epochs in {format_duration(last.elapsed_s)}."
    return f"at {done}, after {format_duration(last.elapsed_s)}."


def place_in_line(runs_ahead: int) -> str:
    """Return what somebody is told whose run waits."""
    runs = "run" if runs_ahead == 1 else "runs"
    return f"{runs_ahead} {runs} before this one; it starts by itself."


def format_duration(seconds: float) -> str:
    """Return a time in words: 12 s, 3 min 20 s."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def build_curves() -> tuple[gr.LinePlot, gr.LinePlot]:
    """Build the loss and the accuracy plot, empty."""
    loss_title, accuracy_title = "Loss (cross-entropy, nats)", "Validation accuracy (%)"
    hidden: dict[str, Any] = {"height": 260, "visible": False}
    with gr.Row():
        loss = build_curve(plots.loss_frame(None), "loss", loss_title, **hidden)
        accuracy = build_curve(plots.accuracy_frame(None), "accuracy", accuracy_title, **hidden)
    return loss, accuracy


def build_curve(frame: pd.DataFrame, y: str, title: str, **options: Any) -> gr.LinePlot:
    """Build a plot over epochs.

    Args:
        frame: Columns `epoch`, `series` and `y`.
        y: What is drawn.
        title: What it says above.
        options: Further ones, as `gr.LinePlot` takes them.
    """
    return gr.LinePlot(
        frame,
        x="epoch",
        y=y,
        color="series",
        color_map=CURVE_COLORS,
        color_title=" ",
        title=title,
        x_title="Epoch",
        y_title=y.capitalize(),
        min_width=280,
        show_label=False,
        buttons=["fullscreen"],
        **options,
    )


def render_run(run: Run | None, queue: RunQueue) -> list[Any]:
    """Return updates for: status, loss plot, accuracy plot, Start, Pause, Resume, Stop."""
    status = run.status if run else "idle"
    active = status in ACTIVE
    has_events = run is not None and len(run.events) > 0
    epochs = run.config.epochs if run else 1
    x_range = [0, run.events[-1].epoch if run and run.stopped_early else epochs]
    frames = (plots.loss_frame(run), plots.accuracy_frame(run))
    axes = _axes(run.events if run else [])
    return [
        status_html(run, queue.position(run.run_id) if run else 0),
        *(
            gr.LinePlot(frame, x_lim=x_range, y_lim=axis, visible=has_events)
            for frame, axis in zip(frames, axes, strict=True)
        ),
        gr.Button(interactive=not active),
        gr.Button(visible=status not in RESUMABLE, interactive=active),
        gr.Button(visible=status in RESUMABLE),
        gr.Button(interactive=active),
    ]


def render_progress(run: Run, queue: RunQueue, num_seen: int) -> list[Any]:
    """Return what `render_run()` does where only points were added.

    Args:
        run: The run.
        queue: Knows its place in line.
        num_seen: Events that the page shows.
    """
    frames = (plots.loss_frame(run), plots.accuracy_frame(run))
    return [
        status_html(run, queue.position(run.run_id)),
        *map(add_points, frames, _axes(run.events[:num_seen]), _axes(run.events)),
        *[gr.skip()] * 4,
    ]


def add_points(frame: pd.DataFrame, seen: list[float], axis: list[float]) -> Any:
    """Return the update of a plot over epochs.

    A plot that gets a data frame alone adds the points; one that gets its settings too is built
    anew, ten times the work for the browser.

    Args:
        frame: All its points.
        seen: The ends of its vertical axis as the page shows it.
        axis: And as they are to be.
    """
    return frame if axis == seen else gr.LinePlot(frame, y_lim=axis)


def _axes(events: Sequence[TrainEvent]) -> tuple[list[float], list[float]]:
    losses = (loss for event in events for loss in (event.train_loss, event.val_loss))
    return plots.loss_axis(losses), plots.accuracy_axis(event.val_accuracy for event in events)
