"""Plots over epochs that grow while a run goes on."""

from typing import Any

import gradio as gr
import pandas as pd

from foundry.ui.components import plots
from foundry.ui.page.palette import BLUE, GREY, ORANGE, VERMILION

CURVE_COLORS = {
    plots.TRAIN: BLUE,
    plots.VALIDATION: ORANGE,
    plots.KEPT: GREY,
    plots.STOPPED_EARLY: VERMILION,
}


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
