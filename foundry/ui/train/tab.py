"""The Train tab: choose settings, press Start, watch, stop, look at what came out."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr

from foundry.runs.data_sets import list_data_sets
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import STEP, TRAININGS, Run, create_run
from foundry.ui.components.model_choice import list_choices
from foundry.ui.components.run_controls import build_run_controls, connect_run
from foundry.ui.components.run_panel import RunPanel
from foundry.ui.page.feedback import EVERY, LATEST, QUIET, naming_fields, shows_errors
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page
from foundry.ui.train.api import build_train_api
from foundry.ui.train.compare import build_runs_view
from foundry.ui.train.data import build_data
from foundry.ui.train.form import LABELS, build_knobs, build_presets, fill_form, on_preset
from foundry.ui.train.headline import build_headline, render_headline
from foundry.ui.train.inspection.replay import build_replay, warm_up
from foundry.ui.train.inspection.watch import build_watch, render_watch, render_watch_added
from foundry.ui.train.link import read_settings
from foundry.ui.train.results import build_results_view, render_results
from foundry.ui.train.updates import build_updates, on_data, on_settings
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
        lambda run: [*render_curves(run), render_watch(run)],
        on_added,
        on_fill,
        can_pause=True,
        can_resume=True,
        step=STEP,
    )


def on_added(run: Run, num_seen: int) -> list[Any]:
    """Return updates for a run to which events were added, so many of which the page shows."""
    curves = render_added(run) if num_seen else render_curves(run)
    return [*curves, render_watch_added(run, num_seen)]


def on_fill(run: Run | None, token: str) -> list[Any]:
    """Return a run's settings as `fill_form()` does, with the data sets there are to choose."""
    if run is None or run.start:
        # Without a run the form stays: a quick visitor may be typing already. The settings of one
        # that went on from another network would not train that from random weights.
        data = list_choices(token) if list_data_sets(token) else gr.skip()
        return [*[gr.skip()] * (1 + len(_FIELDS)), data]
    return [*fill_form(run.config)[:-1], list_choices(token, run.config.dataset)]


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
    with naming_fields(LABELS):
        config = TrainConfig(**dict(zip(_FIELDS, knobs, strict=True)))
    return panel.on_start(token, create_run, config, token, device)


def on_first_look(token: str) -> Any:
    """Show a visitor without runs the network that Start would train; others see their run's."""
    return gr.skip() if TRAININGS.list_own(token) else render_watch(None)


def on_ask(panel: RunPanel[Run], asked_for: tuple[str, float], token: str) -> list[Any]:
    """Show the run that was asked for in the list, with its settings; else the newest one."""
    return panel.on_return(asked_for[0], token)


def on_finish(run_id: str, token: str) -> list[Any]:
    """Show what came out of a finished run, or nothing while `run_id` is empty."""
    run = TRAININGS.find_own(run_id, token)
    return [*render_headline(run), *render_results(run)]


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
        with gr.Row(elem_classes="one-and-two"):
            with gr.Column():
                controls = build_run_controls(panel, "train", "run", "Start")
            with gr.Column():
                preset, note = build_presets()
                updates = build_updates()
        with gr.Row(elem_classes=["one-and-two", "second-first"]):
            with gr.Column():
                knobs = build_knobs()
                added = build_data(page.visitor, knobs[-1])
            with gr.Column():
                controls.status.render()
                headline = build_headline(controls.finished, page.chosen_run)
                watched = build_watch()
                build_replay(page.visitor)
                shown = [*build_curves(), watched]
                results = build_results_view(controls.run_id, page.visitor)
                asked_for = build_runs_view(page.visitor, controls.run_id)

        preset.input(on_preset, preset, [note, *knobs[:-1]], **LATEST)
        form = [preset, note, *knobs]
        suiting = {"inputs": [knobs[-1], preset, page.visitor], "outputs": form[:-1]}
        knobs[-1].input(on_data, **suiting, **LATEST)
        added.then(on_data, **suiting, **QUIET)
        named = dict(zip(_FIELDS, knobs, strict=True))
        amounts = [named[one] for one in ("epochs", "batch_size", "num_train_images", "dataset")]
        asked = {"inputs": [*amounts, page.visitor], "outputs": updates}
        gr.on([knob.change for knob in amounts[:-1]], on_settings, **asked, **QUIET)
        # The part below listens to the data set as well, and is to hear of every change.
        amounts[-1].change(on_settings, **asked, **EVERY)
        returned = connect_run(
            panel,
            controls,
            page.visitor,
            page.arrived,
            partial(on_start, panel, page.device),
            knobs,
            form,
            shown,
        )
        # A page that is just opened is told only what it does not show yet, and this is empty.
        page.arrived.then(on_first_look, page.visitor, watched, **QUIET)
        controls.finished.change(
            on_finish,
            [controls.finished, page.visitor],
            [*headline, *results.outputs()],
            **QUIET,
        )
        returns = [controls.run_id, *form, *controls.outputs(), *shown]
        # A trial that was made a run is the one on show, and so is what the list was asked for.
        page.made_run.change(
            lambda made, token: panel.on_return(made[0], token),
            [page.made_run, page.visitor],
            returns,
            **QUIET,
        )
        asked_for.change(partial(on_ask, panel), [asked_for, page.visitor], returns, **QUIET)
        linked = {name: knob for name, knob in named.items() if name != "dataset"}
        page.links.offer("train", LinkedTab(read_settings, linked, form, on_link), after=returned)
        page.guide.follow("train", controls.finished)
        page.warm_ups.append(partial(page.queue.stand_by, Run.worker))
        page.warm_ups.append(warm_up)
        build_train_api(page.queue, page.device)
