"""Past runs: all of them in a list, and some of them over one another."""

import itertools
from dataclasses import asdict
from typing import Any

import gradio as gr
import pandas as pd
from gradio.components import Component

from foundry.training.runs import Run, list_own_runs, read_own_run
from foundry.ui.components.curves import accuracy_axis, loss_axis, to_percent
from foundry.ui.components.line_chart import Curve, build_line_chart, render_lines
from foundry.ui.components.plots import run_title
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.palette import SERIES
from foundry.ui.train.form import LABELS, fill_form
from foundry.ui.train.own_runs import build_own_runs, on_list

_MAX_RUNS = 20


def on_open(token: str) -> Any:
    """List the visitor's runs that have something to compare.

    Args:
        token: The visitor's token.

    Returns:
        The list of choices, the newest three chosen.
    """
    runs = [run for run in list_own_runs(token) if run.has_weights][:_MAX_RUNS]
    choices = [(f"{run_title(run)}{_outcome(run)}", run.run_id) for run in runs]
    return gr.CheckboxGroup(choices=choices, value=[run_id for _, run_id in choices[:3]])


@shows_errors
def on_choose(run_ids: list[str], measure: str, over: str, token: str) -> tuple[Any, Any]:
    """Draw the chosen runs.

    Args:
        run_ids: Ids of the visitor's runs.
        measure: `Accuracy` or `Loss`, on validation.
        over: `Epochs` or `Seconds`.
        token: The visitor's token.

    Returns:
        The chart of their validations and the table of their settings.
    """
    runs = [read_own_run(run_id, token) for run_id in run_ids]
    chart = _render_comparison(runs, measure == "Loss", over == "Seconds")
    return (
        gr.HTML(chart, visible=len(runs) > 0),
        gr.Dataframe(_settings_table(runs), visible=len(runs) > 0),
    )


def _render_comparison(runs: list[Run], by_loss: bool, by_time: bool) -> str:
    colors = itertools.cycle(SERIES)
    curves = []
    for run, color in zip(runs, colors, strict=False):
        points = [
            (
                event.elapsed_s if by_time else float(event.epoch),
                event.val_loss if by_loss else to_percent(event.val_accuracy),
            )
            for event in run.events
            if event.val_accuracy is not None
        ]
        curves.append(Curve(run_title(run), color, points, is_own=bool(run.name)))
    last = max((x for curve in curves for x, _ in curve.points), default=1.0)
    values = [y for curve in curves for _, y in curve.points if y is not None]
    axis = loss_axis(values) if by_loss else accuracy_axis(value / 100 for value in values)
    return render_lines(
        curves,
        [0, last],
        axis,
        "" if by_loss else "%",
        "Training time (s)" if by_time else "Epoch",
        x_is_whole=not by_time,
    )


def _outcome(run: Run) -> str:
    return f": {run.result['test_accuracy']:.2%} test" if run.result else f": {run.status}"


def _settings_table(runs: list[Run]) -> pd.DataFrame:
    """Return what came out of each run, a column each, and the settings in which they differ."""
    columns = {}
    for run in runs:
        result = run.result or {}
        columns[run_title(run)] = {
            "Test accuracy": f"{result['test_accuracy']:.2%}" if result else run.status,
            "Validation accuracy": f"{result['val_accuracy']:.2%}" if result else "",
            "Training time": f"{result['elapsed_s']:.1f} s" if result else "",
            "Preset": fill_form(run.config)[0] or "Your own settings",
        } | {LABELS[name]: f"{value}" for name, value in asdict(run.config).items()}
    table = pd.DataFrame(columns)
    if len(runs) > 1:
        is_setting = table.index.isin(LABELS.values())
        table = table[~is_setting | (table.nunique(axis=1) > 1)]
    table.insert(0, "Setting", table.index)
    return table


def build_runs_view(visitor: gr.BrowserState, shown: Component) -> gr.State:
    """Build the part, folded.

    Args:
        visitor: Holds the visitor's token.
        shown: The run on show.

    Returns:
        What holds the run that was asked for in the list.
    """
    with gr.Accordion("Your runs", open=False, elem_id="train-runs") as accordion:
        listed, asked_for, acted = build_own_runs(visitor, shown)
        chosen = gr.CheckboxGroup(
            [], label="Runs", info="Train twice with different settings, then compare here."
        )
        with gr.Row():
            measure = gr.Radio(["Accuracy", "Loss"], value="Accuracy", label="On validation")
            over = gr.Radio(["Epochs", "Seconds"], value="Epochs", label="Over")
        chart = build_line_chart("Runs compared on validation", visible=False)
        table = gr.Dataframe(interactive=False, show_label=False, max_height=900, visible=False)
    opened = accordion.expand(on_list, [visitor, shown], listed, **QUIET)
    # A name, or a run that is gone, changes the choice too.
    for done in (opened, acted):
        done.then(on_open, visitor, chosen, **QUIET)
    compared = [chosen, measure, over, visitor]
    gr.on([chosen.change, measure.input, over.input], on_choose, compared, [chart, table], **QUIET)
    return asked_for
