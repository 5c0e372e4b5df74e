"""What the page says about one compression: a status line, the recovery's curves, the result."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from foundry.compression.config import CompressEvent
from foundry.compression.runs import CompressRun
from foundry.runs.folders import ACTIVE
from foundry.ui.components import plots
from foundry.ui.components.curves import add_points, build_curve
from foundry.ui.components.run_panel import RunWords
from foundry.ui.components.run_status import format_duration
from foundry.ui.compress import charts
from foundry.ui.compress import plots as compress_plots
from foundry.ui.compress.downloads import build_downloads, list_downloads
from foundry.ui.compress.one_input import build_one_input, render_one_input


class ProgressView(NamedTuple):
    """Components that show what goes on."""

    curves: gr.Row
    loss: gr.LinePlot
    accuracy: gr.LinePlot


class ResultView(NamedTuple):
    """Components that show what came out."""

    scatter: gr.HTML
    group: gr.Column
    table: gr.HTML
    sensitivity: gr.HTML
    histograms: gr.HTML
    changes: gr.HTML
    variant: gr.Dropdown
    digits: gr.Row
    index: gr.Number
    text: gr.Textbox
    clip: gr.Audio
    answers: gr.HTML


def describe_compression(run: CompressRun) -> str:
    """Return what the status line says of a compression beside its state."""
    if run.status == "failed":
        return f"{run.reason}. Press Compress to try again."
    if run.status == "interrupted":
        return "The server went away. Press Compress to start again."
    if not run.events:
        return "Starting the worker." if run.status in ACTIVE else "Nothing was compressed."
    last = run.events[-1]
    if run.status == "running":
        return f"{run.progress:.0%}. {last.sentence}."
    after = format_duration(last.elapsed_s)
    return f"in {after}." if run.status == "done" else f"after {after}, at: {last.sentence}."


WORDS = RunWords(
    idle=(
        "Nothing compressed yet",
        "Press Compress: LeNet loses 40% of its channels, recovers, becomes int8, and every "
        "variant of it is measured. It takes about a minute on an idle machine.",
    ),
    describe=describe_compression,
    states={"running": "Compressing", "paused": "Stopped", "stopped": "Cancelled"},
)


def build_progress_view() -> ProgressView:
    """Build the curves, which hide until a network recovers."""
    loss_frame, accuracy_frame = compress_plots.recovery_frames([])
    with gr.Row(visible=False, elem_id="compress-curves") as curves:
        loss = build_curve(loss_frame, "loss", "Recovery: training loss (nats)", height=240)
        accuracy = build_curve(
            accuracy_frame, "accuracy", "Recovery: validation accuracy (%)", height=240
        )
    return ProgressView(curves, loss, accuracy)


def render_progress(run: CompressRun | None, num_seen: int = 0) -> list[Any]:
    """Return updates for the components of `ProgressView`.

    Args:
        run: The compression, or None before the first one.
        num_seen: Events that the page shows; 0 builds the plots anew.
    """
    events = run.events if run else []
    frames = compress_plots.recovery_frames(events)
    seen = _axes(events[:num_seen]) if num_seen else ([], [])
    curves = map(add_points, frames, seen, _axes(events))
    has_curves = run is not None and any(event.epoch is not None for event in run.events)
    return [gr.Row(visible=has_curves), *curves]


def _axes(events: Sequence[CompressEvent]) -> tuple[list[float], list[float]]:
    return (
        plots.loss_axis(event.train_loss for event in events),
        plots.accuracy_axis(event.val_accuracy for event in events),
    )


def build_scatter() -> gr.HTML:
    """Build the scatter plot, hidden until a compression has ended."""
    return gr.HTML(
        visible=False, elem_id="compress-scatter", css_template=charts.SCATTER_CSS, padding=False
    )


def build_result_view(
    scatter: gr.HTML, run_id: gr.BrowserState, visitor: gr.BrowserState, finished: gr.State
) -> ResultView:
    """Build the table and what goes with it, hidden until a compression has ended.

    Args:
        scatter: From `build_scatter()`.
        run_id: The compression on show.
        visitor: Holds the visitor's token.
        finished: The same compression's id once it has a result, else empty.
    """
    with gr.Column(visible=False) as group:
        gr.Markdown("### All variants compared")
        table = gr.HTML(
            elem_id="compress-table",
            css_template=compress_plots.TABLE_CSS,
            apply_default_css=False,
            padding=False,
        )
        one_input = build_one_input(run_id, visitor, finished)
        with gr.Accordion("What each layer bears: one changed at a time"):
            sensitivity = gr.HTML(
                elem_id="compress-sensitivity", css_template=charts.BARS_CSS, padding=False
            )
        with gr.Accordion("Weights before and after"):
            histograms = gr.HTML(
                elem_id="compress-histograms", css_template=charts.HISTOGRAMS_CSS, padding=False
            )
        with gr.Accordion("Which layers were changed, and why others were not", open=False):
            changes = gr.HTML(
                elem_id="compress-changes",
                css_template=compress_plots.CHANGES_CSS,
                apply_default_css=False,
                padding=False,
            )
        variant = build_downloads(run_id, visitor)
    return ResultView(scatter, group, table, sensitivity, histograms, changes, variant, *one_input)


def render_result(run: CompressRun | None) -> list[Any]:
    """Return updates for the components of `ResultView`."""
    report = run.result if run else None
    if report is None:
        hidden = [gr.HTML("", visible=False), gr.Column(visible=False), *[""] * 4]
        return [*hidden, gr.Dropdown([], value=None), *render_one_input(None)]
    variants = list_downloads(run)
    return [
        gr.HTML(charts.scatter_html(report), visible=True),
        gr.Column(visible=True),
        compress_plots.table_html(report),
        charts.sensitivity_html(report) or "Only networks that are trained here are taken apart.",
        charts.histograms_html(report),
        compress_plots.changes_html(report["changes"]),
        gr.Dropdown(variants, value=variants[-1]),
        *render_one_input(run),
    ]
