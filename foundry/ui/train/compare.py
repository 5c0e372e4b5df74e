"""Past runs: all of them in a list, and some of them over one another."""

import itertools
from dataclasses import asdict
from typing import Any

import gradio as gr
import pandas as pd

from foundry.training.runs import Run, list_own_runs, read_own_run
from foundry.ui.components import plots
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.palette import SERIES
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
    choices = [(f"{plots.run_title(run)}{_outcome(run)}", run.run_id) for run in runs]
    return gr.CheckboxGroup(choices=choices, value=[run_id for _, run_id in choices[:3]])


@shows_errors
def on_choose(run_ids: list[str], token: str) -> tuple[Any, Any]:
    """Draw the chosen runs.

    Args:
        run_ids: Ids of the visitor's runs.
        token: The visitor's token.

    Returns:
        The plot of their validation accuracies and the table of their settings.
    """
    runs = [read_own_run(run_id, token) for run_id in run_ids]
    plot = gr.LinePlot(
        plots.comparison_frame(runs),
        color_map={
            plots.run_title(run): color
            for run, color in zip(runs, itertools.cycle(SERIES), strict=False)
        },
        visible=len(runs) > 0,
    )
    return plot, gr.Dataframe(_settings_table(runs), visible=len(runs) > 0)


def _outcome(run: Run) -> str:
    return f": {run.result['test_accuracy']:.2%} test" if run.result else f": {run.status}"


def _settings_table(runs: list[Run]) -> pd.DataFrame:
    columns = {}
    for run in runs:
        result = run.result or {}
        columns[plots.run_title(run)] = {
            "test accuracy": f"{result['test_accuracy']:.2%}" if result else run.status,
            "validation accuracy": f"{result['val_accuracy']:.2%}" if result else "",
            "training time": f"{result['elapsed_s']:.1f} s" if result else "",
        } | {name: f"{value}" for name, value in asdict(run.config).items()}
    table = pd.DataFrame(columns)
    table.insert(0, "setting", table.index)
    return table


def build_runs_view(visitor: gr.BrowserState, shown: gr.BrowserState) -> gr.State:
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
        plot = gr.LinePlot(
            plots.comparison_frame([]),
            x="epoch",
            y="accuracy",
            color="run",
            title="Validation accuracy (%)",
            x_title="Epoch",
            y_title="Accuracy (%)",
            height=280,
            show_label=False,
            color_title=" ",
            visible=False,
        )
        table = gr.Dataframe(interactive=False, show_label=False, max_height=900, visible=False)
    opened = accordion.expand(on_list, [visitor, shown], listed, **QUIET)
    # A name, or a run that is gone, changes the choice too.
    for done in (opened, acted):
        done.then(on_open, visitor, chosen, **QUIET)
    chosen.change(
        on_choose,
        [chosen, visitor],
        [plot, table],
        **QUIET,
    )
    return asked_for
