"""What the page says about one training run: its facts in words, and two charts."""

from typing import Any

import gradio as gr

from foundry.errors import counted
from foundry.training.runs import Run
from foundry.ui.components import plots
from foundry.ui.components.curves import (
    accuracy_axis,
    accuracy_curves,
    loss_axis,
    loss_curves,
)
from foundry.ui.components.line_chart import build_line_chart, render_lines
from foundry.ui.components.run_panel import RunWords
from foundry.ui.components.run_status import format_duration


def describe_run(run: Run) -> str:
    """Return what the status line says of a run beside its state."""
    if not run.events:
        return {
            "queued": "Starting the worker.",
            "running": "Loading MNIST." if run.is_on_mnist else "Loading your data.",
            "failed": f"{run.reason}.",
        }.get(run.status, "Nothing was trained.")
    last = run.events[-1]
    done = f"{run.progress:.0%}, epoch {last.epoch} of {run.config.epochs}"
    if run.status == "running":
        remaining = format_duration(run.remaining_s or 0.0)
        return f"{done}, {remaining} left, {plots.round_thousands(last.images_per_s)} images/s"
    if run.status in ("paused", "interrupted"):
        return f"at {done}. Press Resume to go on from the last checkpoint, or Step for one update."
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
        return f"{counted(last.epoch, 'epoch')} in {format_duration(last.elapsed_s)}."
    return f"at {done}, after {format_duration(last.elapsed_s)}."


WORDS = RunWords(
    idle=(
        "Nothing trained yet",
        "Press Start: the default reaches about 99% in seconds.",
    ),
    describe=describe_run,
    states={"running": "Training"},
)


def build_curves() -> tuple[gr.HTML, gr.HTML]:
    """Build the loss and the accuracy chart, hidden until there is a point."""
    with gr.Row(elem_id="train-curves", elem_classes="halves"):
        loss = build_line_chart("Loss (cross-entropy, nats)", visible=False)
        accuracy = build_line_chart("Validation accuracy (%)", visible=False)
    return loss, accuracy


def render_curves(run: Run | None) -> list[Any]:
    """Return updates for the loss chart and the accuracy chart."""
    if run is None or not run.events:
        return [gr.HTML(visible=False)] * 2
    return [gr.HTML(chart, visible=True) for chart in render_added(run)]


def render_added(run: Run) -> list[Any]:
    """Return what `render_curves()` does of a run whose charts are in sight."""
    x_range = [0, run.events[-1].epoch if run.stopped_early else run.config.epochs]
    losses = (loss for event in run.events for loss in (event.train_loss, event.val_loss))
    accuracies = (
        accuracy for event in run.events for accuracy in (event.sample_accuracy, event.val_accuracy)
    )
    return [
        render_lines(loss_curves(run), x_range, loss_axis(losses)),
        render_lines(accuracy_curves(run), x_range, accuracy_axis(accuracies), "%"),
    ]
