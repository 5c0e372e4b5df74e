"""The Train tab: choose knobs, press Start, watch, stop, look at what came out."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from foundry.errors import InputError
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import Run, create_run, list_own_runs, read_own_run
from foundry.ui.components.run_view import (
    build_curves,
    is_known,
    render_progress,
    render_run,
    status_html,
)
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.link_button import Links
from foundry.ui.page.visitor import build_browser_state
from foundry.ui.search.tab import build_search_section
from foundry.ui.server.limits import TRAINING_STARTS
from foundry.ui.train.compare import build_compare_view
from foundry.ui.train.form import build_knobs, build_presets, fill_form, on_preset
from foundry.ui.train.results import build_results_view, render_results

_REFRESH_S = 0.5


@shows_errors
def on_start(queue: RunQueue, device: str, token: str, *knobs: Any) -> list[Any]:
    """Start a run.

    Args:
        queue: Where it waits its turn.
        device: Where it trains.
        token: The visitor's token.
        knobs: Values in the order of `TrainConfig`'s fields.

    Returns:
        The run's id, then as `on_refresh()`.
    """
    names = (field.name for field in fields(TrainConfig))
    config = TrainConfig(**dict(zip(names, knobs, strict=True)))
    TRAINING_STARTS.count(token)
    run = queue.start(create_run, config, token, device)
    return [run.run_id, *_show(run, queue)]


@shows_errors
def on_pause(queue: RunQueue, run_id: str, token: str) -> None:
    """Pause the visitor's run; the next refresh shows it."""
    queue.pause(read_own_run(run_id, token).run_id)


@shows_errors
def on_stop(queue: RunQueue, run_id: str, token: str) -> None:
    """Stop the visitor's run, keeping the best weights so far; the next refresh shows it."""
    queue.stop(read_own_run(run_id, token).run_id)


@shows_errors
def on_resume(queue: RunQueue, run_id: str, token: str) -> list[Any]:
    """Queue a paused, failed or interrupted run again. Returns as `on_refresh()`."""
    queue.submit(read_own_run(run_id, token))
    return _show(read_own_run(run_id, token), queue)


def on_refresh(queue: RunQueue, run_id: str, token: str, seen: tuple[str, int] | None) -> list[Any]:
    """Look at the run again.

    Args:
        queue: Knows the run's place in line.
        run_id: The run on show.
        token: The visitor's token.
        seen: Status and number of events when last looked at.

    Returns:
        Seen, timer, finished run's id, then the updates of `render_run()`; skips where nothing
        has changed.
    """
    run = _find(run_id, token)
    if run is None or not seen or not run.events or not seen[1] or run.status != seen[0]:
        return _show(run, queue)
    if is_known(run, seen):
        return [gr.skip()] * 10
    return [
        (run.status, len(run.events)),
        gr.skip(),
        gr.skip(),
        *render_progress(run, queue, seen[1]),
    ]


def on_return(queue: RunQueue, run_id: str, token: str) -> list[Any]:
    """Attach a page that was opened or reloaded to the run it showed, or to the newest one.

    Returns:
        The run's id, its settings as `fill_form()` gives them, then as `on_refresh()`.
    """
    run = _find(run_id, token) or next(iter(list_own_runs(token)), None)
    # Without a run the form stays: a quick visitor may be typing already.
    settings = fill_form(run.config) if run else [gr.skip()] * (2 + len(fields(TrainConfig)))
    return [run.run_id if run else "", *settings, *_show(run, queue)]


def on_finish(device: str, run_id: str, token: str) -> list[Any]:
    """Show what came out of a finished run, or nothing while `run_id` is empty."""
    return render_results(_find(run_id, token), device)


def on_link(settings: Mapping[str, Any]) -> list[Any]:
    """Fill the form as a link asks. Returns as `fill_form()`."""
    return fill_form(TrainConfig(**settings))


def _find(run_id: str, token: str) -> Run | None:
    try:
        return read_own_run(run_id, token) if token else None
    except InputError:
        return None


def _show(run: Run | None, queue: RunQueue) -> list[Any]:
    active = run is not None and run.status in ACTIVE
    finished = run.run_id if run and run.result else ""
    return [
        (run.status, len(run.events)) if run else None,
        gr.Timer(active=active),
        finished,
        *render_run(run, queue),
    ]


def build_train_tab(
    visitor: gr.BrowserState, arrived: Dependency, queue: RunQueue, device: str, links: Links
) -> gr.State:
    """Build the tab.

    Args:
        visitor: Holds the visitor's token.
        arrived: The event after which it does.
        queue: Where runs are started.
        device: Where they train and are looked at.
        links: Set the knobs.

    Returns:
        Holds the id of the run on show once it has ended, else nothing.
    """
    run_id = build_browser_state("run")
    seen = gr.State(None)
    finished = gr.State("")
    timer = gr.Timer(_REFRESH_S, active=False)

    preset, note = build_presets()
    with gr.Row(elem_classes="one-and-two"):
        with gr.Column():
            # Ready once the page knows its visitor, whose run this will be.
            start = gr.Button("Start", variant="primary", interactive=False, elem_id="train-start")
            with gr.Row():
                pause = gr.Button("Pause", interactive=False, size="sm", elem_id="train-pause")
                resume = gr.Button(
                    "Resume", visible=False, size="sm", variant="primary", elem_id="train-resume"
                )
                stop = gr.Button("Stop", interactive=False, size="sm", elem_id="train-stop")
        with gr.Column():
            status = gr.HTML(status_html(None), elem_id="train-status", padding=False)
    with gr.Row(elem_classes=["one-and-two", "second-first"]):
        with gr.Column():
            knobs = build_knobs()
        with gr.Column():
            loss, accuracy = build_curves()
            results = build_results_view(run_id, visitor)
            build_compare_view(visitor)
    kept = build_search_section(visitor, arrived, queue)

    shown = [seen, timer, finished, status, loss, accuracy, start, pause, resume, stop]
    preset.input(on_preset, preset, [note, *knobs], **QUIET)
    start.click(partial(on_start, queue, device), [visitor, *knobs], [run_id, *shown], **QUIET)
    pause.click(partial(on_pause, queue), [run_id, visitor], None, **QUIET)
    stop.click(partial(on_stop, queue), [run_id, visitor], None, **QUIET)
    resume.click(partial(on_resume, queue), [run_id, visitor], shown, **QUIET)
    timer.tick(partial(on_refresh, queue), [run_id, visitor, seen], shown, **QUIET)
    finished.change(
        partial(on_finish, device), [finished, visitor], results.outputs(), api_visibility="private"
    )
    returned = arrived.then(
        partial(on_return, queue),
        [run_id, visitor],
        [run_id, preset, note, *knobs, *shown],
        **QUIET,
    )
    # A trial that was made a run is the one on show.
    kept.change(
        partial(on_return, queue),
        [kept, visitor],
        [run_id, preset, note, *knobs, *shown],
        **QUIET,
    )
    names = [field.name for field in fields(TrainConfig)]
    linked = dict(zip(names, knobs, strict=True))
    links.offer("train", linked, [preset, note, *knobs], on_link, after=returned)
    return finished
