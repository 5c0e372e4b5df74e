"""What the page says about one training run: its facts in words, and two curves."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.components import plots
from foundry.ui.components.curves import add_points, build_curve
from foundry.ui.components.run_panel import RunWords
from foundry.ui.components.run_status import format_duration


def describe_run(run: Run) -> str:
    """Return what the status line says of a run beside its state."""
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
    if run.status == "failed" and run.is_resumable:
        return f"at {done}: {run.reason}. Press Resume to go on from the last checkpoint."
    if run.status == "failed":
        return f"at {done}: {run.reason}."
    if run.stopped_early:
        return (
            f"{last.epoch} of {run.config.epochs} epochs in {format_duration(last.elapsed_s)}: "
            "validation stopped improving."
        )
    if run.status == "done":
        return f"{last.epoch} epochs in {format_duration(last.elapsed_s)}."
    return f"at {done}, after {format_duration(last.elapsed_s)}."


WORDS = RunWords(
    idle=(
        "Nothing trained yet",
        "Press Start: the default reaches about 99% in seconds.",
    ),
    describe=describe_run,
    states={"running": "Training"},
)


def build_curves() -> tuple[gr.LinePlot, gr.LinePlot]:
    """Build the loss and the accuracy plot, empty."""
    loss_title, accuracy_title = "Loss (cross-entropy, nats)", "Validation accuracy (%)"
    hidden: dict[str, Any] = {"height": 260, "visible": False}
    with gr.Row():
        loss = build_curve(plots.loss_frame(None), "loss", loss_title, **hidden)
        accuracy = build_curve(plots.accuracy_frame(None), "accuracy", accuracy_title, **hidden)
    return loss, accuracy


def render_curves(run: Run | None) -> list[Any]:
    """Return updates for the loss plot and the accuracy plot."""
    has_events = run is not None and len(run.events) > 0
    epochs = run.config.epochs if run else 1
    x_range = [0, run.events[-1].epoch if run and run.stopped_early else epochs]
    frames = (plots.loss_frame(run), plots.accuracy_frame(run))
    axes = _axes(run.events if run else [])
    return [
        gr.LinePlot(frame, x_lim=x_range, y_lim=axis, visible=has_events)
        for frame, axis in zip(frames, axes, strict=True)
    ]


def render_added(run: Run, num_seen: int) -> list[Any]:
    """Return what `render_curves()` does where only points were added.

    Args:
        run: The run.
        num_seen: Events that the page shows; 0 builds the plots anew.
    """
    if not num_seen:
        return render_curves(run)
    frames = (plots.loss_frame(run), plots.accuracy_frame(run))
    return [*map(add_points, frames, _axes(run.events[:num_seen]), _axes(run.events))]


def _axes(events: Sequence[TrainEvent]) -> tuple[list[float], list[float]]:
    losses = (loss for event in events for loss in (event.train_loss, event.val_loss))
    return plots.loss_axis(losses), plots.accuracy_axis(event.val_accuracy for event in events)
