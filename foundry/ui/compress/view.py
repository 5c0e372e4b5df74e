"""What the page says about one compression: a status line, the recovery's charts, the result."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from foundry.compression.config import CompressEvent, list_models
from foundry.compression.runs import CompressRun
from foundry.errors import InputError
from foundry.runs.folders import ACTIVE
from foundry.training.runs import TRAININGS
from foundry.ui.components.curves import (
    accuracy_axis,
    loss_axis,
    to_percent,
    train_curve,
    validation_curve,
)
from foundry.ui.components.line_chart import build_line_chart, render_lines
from foundry.ui.components.model_choice import title_run
from foundry.ui.components.run_panel import RunWords
from foundry.ui.components.run_status import format_duration
from foundry.ui.compress import charts
from foundry.ui.compress import plots as compress_plots
from foundry.ui.compress.downloads import build_downloads, list_downloads
from foundry.ui.compress.one_input import build_one_input, render_one_input


class ProgressView(NamedTuple):
    """Components that show what goes on."""

    curves: gr.Row
    loss: gr.HTML
    accuracy: gr.HTML


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
    after, model = format_duration(last.elapsed_s), _title_model(run)
    if run.status == "done":
        return f"{model}, in {after}."
    return f"{model}, after {after}, at: {last.sentence}."


def _title_model(run: CompressRun) -> str:
    """Name what was compressed: by now another model may be chosen."""
    shipped = {spec.name: spec.title for spec in list_models()}
    if run.config.model in shipped:
        return shipped[run.config.model]
    try:
        return title_run(TRAININGS.read(run.config.model))
    except InputError:
        # It was deleted since.
        return run.config.model


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
    """Build the charts, which hide until a network recovers."""
    with gr.Row(visible=False, elem_id="compress-curves", elem_classes="halves") as curves:
        loss = build_line_chart("Recovery: training loss (nats)")
        accuracy = build_line_chart("Recovery: validation accuracy (%)")
    return ProgressView(curves, loss, accuracy)


def render_progress(run: CompressRun | None) -> list[Any]:
    """Return updates for the components of `ProgressView`."""
    events = [event for event in run.events if event.epoch is not None] if run else []
    num_epochs = run.config.recovery_epochs if run else 0
    return [gr.Row(visible=bool(events)), *_render_recovery(events, max(1, num_epochs))]


def _render_recovery(events: Sequence[CompressEvent], num_epochs: int) -> list[str]:
    epochs, x_range = [event.epoch or 0.0 for event in events], [0, num_epochs]
    losses = [event.train_loss for event in events]
    accuracies = [event.val_accuracy for event in events]
    percents = map(to_percent, accuracies)
    return [
        render_lines(
            [train_curve(list(zip(epochs, losses, strict=True)))], x_range, loss_axis(losses)
        ),
        render_lines(
            [validation_curve(list(zip(epochs, percents, strict=True)))],
            x_range,
            accuracy_axis(accuracies),
            "%",
        ),
    ]


def build_scatter() -> gr.HTML:
    """Build the scatter plot, hidden until a compression has ended."""
    return gr.HTML(
        visible=False, elem_id="compress-scatter", css_template=charts.SCATTER_CSS, padding=False
    )


def build_result_view(
    scatter: gr.HTML, run_id: Component, visitor: gr.BrowserState, finished: gr.State
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
        charts.sensitivity_html(report)
        or "Layers are changed one at a time only in networks that are trained here.",
        charts.histograms_html(report),
        compress_plots.changes_html(report["changes"]),
        gr.Dropdown(variants, value=variants[-1]),
        *render_one_input(run),
    ]
