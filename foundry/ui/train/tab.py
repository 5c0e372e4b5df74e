"""The Train tab: choose settings, press Start, watch, stop, look at what came out."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr

from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, Run, create_run
from foundry.ui.components.run_controls import build_run_controls, connect_run
from foundry.ui.components.run_panel import RunPanel
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page
from foundry.ui.search.api import build_search_api
from foundry.ui.search.tab import build_search_section
from foundry.ui.train.api import build_train_api
from foundry.ui.train.compare import build_compare_view
from foundry.ui.train.form import build_knobs, build_presets, fill_form, on_preset
from foundry.ui.train.link import read_settings
from foundry.ui.train.results import build_results_view, render_results
from foundry.ui.train.view import WORDS, build_curves, render_added, render_curves

_FIELDS = [field.name for field in fields(TrainConfig)]


def build_panel(queue: RunQueue) -> RunPanel[Run]:
    """Describe what the tab does with a run.

    Args:
        queue: Where runs wait their turn.
    """
    return RunPanel(
        queue,
        TRAININGS,
        WORDS,
        render_curves,
        render_added,
        on_fill,
        can_pause=True,
        can_resume=True,
    )


def on_fill(run: Run | None, token: str) -> list[Any]:
    """Return a run's settings as `fill_form()` does."""
    # Without a run the form stays: a quick visitor may be typing already.
    return fill_form(run.config) if run else [gr.skip()] * (2 + len(_FIELDS))


@shows_errors
def on_start(panel: RunPanel[Run], device: str, token: str, *knobs: Any) -> list[Any]:
    """Start a run.

    Args:
        panel: From `build_panel()`.
        device: Where it trains.
        token: The visitor's token.
        knobs: Values in the order of `TrainConfig`'s fields.

    Returns:
        As `RunPanel.on_start()`.
    """
    config = TrainConfig(**dict(zip(_FIELDS, knobs, strict=True)))
    return panel.on_start(token, create_run, config, token, device)


def on_finish(device: str, run_id: str, token: str) -> list[Any]:
    """Show what came out of a finished run, or nothing while `run_id` is empty."""
    return render_results(TRAININGS.find_own(run_id, token), device)


def on_link(settings: Mapping[str, Any]) -> list[Any]:
    """Fill the form as a link asks. Returns as `fill_form()`."""
    return fill_form(TrainConfig(**settings))


def build_train_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    panel = build_panel(page.queue)
    with gr.Tab("Train", id="train"):
        preset, note = build_presets()
        controls = build_run_controls(panel, "train", "run", "Start")
        with gr.Row(elem_classes=["one-and-two", "second-first"]):
            with gr.Column():
                knobs = build_knobs()
            with gr.Column():
                curves = build_curves()
                results = build_results_view(controls.run_id, page.visitor)
                build_compare_view(page.visitor)
        kept = build_search_section(page)

        preset.input(on_preset, preset, [note, *knobs], **QUIET)
        form = [preset, note, *knobs]
        returned = connect_run(
            panel,
            controls,
            page.visitor,
            page.arrived,
            partial(on_start, panel, page.device),
            knobs,
            form,
            [*curves],
        )
        controls.finished.change(
            partial(on_finish, page.device),
            [controls.finished, page.visitor],
            results.outputs(),
            api_visibility="private",
        )
        # A trial that was made a run is the one on show.
        kept.change(
            panel.on_return,
            [kept, page.visitor],
            [controls.run_id, *form, *controls.outputs(), *curves],
            **QUIET,
        )
        linked = dict(zip(_FIELDS, knobs, strict=True))
        page.links.offer("train", LinkedTab(read_settings, linked, form, on_link), after=returned)
        page.guide.follow("train", controls.finished)
        build_train_api(page.queue, page.device)
        build_search_api(page.queue)
