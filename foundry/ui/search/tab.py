"""The Search section of the Train tab: let many settings be tried, watch, keep one as a run."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from foundry.errors import InputError
from foundry.runs.folders import ACTIVE, RESUMABLE
from foundry.runs.queue import RunQueue
from foundry.search import SearchConfig
from foundry.search.runs import (
    SearchRun,
    adopt_trial,
    create_search,
    list_own_searches,
    read_own_search,
)
from foundry.training.cluster import HOW_TO_INSTALL, is_ray_installed
from foundry.ui.components.plots import status_line
from foundry.ui.components.run_view import STATES, format_duration, is_known, place_in_line
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.visitor import build_browser_state
from foundry.ui.search import plots as charts
from foundry.ui.search.form import build_knobs, fill_form, read_form
from foundry.ui.server.limits import TRAINING_STARTS

_REFRESH_S = 1.0
# Seen, timer, then the updates of `_render()`.
_NUM_SHOWN = 9
_NUM_KNOBS = len(fill_form(SearchConfig()))
_STATES = {**STATES, "running": "Searching"}
_KEEP_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-trial]');
  if (button) trigger('select', {trial: button.dataset.trial});
});
"""


@shows_errors
def on_start(queue: RunQueue, token: str, *knobs: Any) -> list[Any]:
    """Start a search.

    Args:
        queue: Where it waits its turn.
        token: The visitor's token.
        knobs: Values in the order of `build_knobs()`.

    Returns:
        Its id, then as `on_refresh()`.
    """
    config = read_form(knobs)
    TRAINING_STARTS.count(token)
    run = queue.start(create_search, config, token)
    return [run.run_id, *_show(run, queue)]


@shows_errors
def on_stop(queue: RunQueue, run_id: str, token: str) -> None:
    """Stop the visitor's search, keeping what there is; the next refresh shows it."""
    queue.stop(read_own_search(run_id, token).run_id)


@shows_errors
def on_resume(queue: RunQueue, run_id: str, token: str) -> list[Any]:
    """Queue a failed or interrupted search again. Returns as `on_refresh()`."""
    queue.submit(read_own_search(run_id, token))
    return _show(read_own_search(run_id, token), queue)


def on_refresh(queue: RunQueue, run_id: str, token: str, seen: tuple[str, int] | None) -> list[Any]:
    """Look at the search again.

    Args:
        queue: Knows its place in line.
        run_id: The search on show.
        token: The visitor's token.
        seen: Status and number of events when last looked at.

    Returns:
        Seen, timer, status, table, Pareto plot, parallel coordinates, Start, Stop, Resume; skips
        where nothing has changed.
    """
    run = _find(run_id, token)
    if run and is_known(run, seen):
        return [gr.skip()] * _NUM_SHOWN
    return _show(run, queue)


def on_return(queue: RunQueue, run_id: str, token: str) -> list[Any]:
    """Attach a page that was opened or reloaded to the search it showed, or to the newest one.

    Returns:
        Its id, its settings as `fill_form()` gives them, then as `on_refresh()`.
    """
    run = _find(run_id, token) or next(iter(list_own_searches(token)), None)
    settings = fill_form(run.config) if run else [gr.skip()] * _NUM_KNOBS
    return [run.run_id if run else "", *settings, *_show(run, queue)]


@shows_errors
def on_keep(run_id: str, token: str, event: gr.EventData) -> tuple[str, str]:
    """Make a trial an ordinary run.

    Args:
        run_id: The search on show.
        token: The visitor's token.
        event: Carries the trial's id.

    Returns:
        The run's id, and a sentence.
    """
    run = adopt_trial(read_own_search(run_id, token), str(event.trial), token)
    assert run.result is not None
    accuracy = f"{run.result['test_accuracy']:.2%}"
    return run.run_id, f"It is a run now, shown above: {accuracy} on the test split."


def status_html(run: SearchRun | None, runs_ahead: int = 0) -> str:
    """Return the status line with its progress bar.

    Args:
        run: The search, or None before the first one.
        runs_ahead: How many runs go first.
    """
    if run is None:
        return status_line(
            "Nothing searched yet",
            "Press Search: settings are tried, a trial for every processor at a time, and what "
            "does not keep up is stopped early.",
        )
    return status_line(_STATES[run.status], _facts(run, runs_ahead), run.progress, run.status)


def _facts(run: SearchRun, runs_ahead: int) -> str:
    if run.status == "queued" and runs_ahead:
        return place_in_line(runs_ahead)
    if run.status == "failed":
        return f"{run.reason}. Press Resume to go on."
    if run.status == "interrupted":
        return "The server went away. Press Resume to go on."
    if not run.trials:
        return "Starting Ray." if run.status in ACTIVE else "Nothing was tried."
    trials = f"{len(run.trials)} trials"
    if run.best:
        trials = f"{len(run.trials)} trials, the best {run.best.accuracy:.2%}"
    if run.status == "running":
        return f"{run.progress:.0%}, {format_duration(run.remaining_s or 0.0)} left: {trials}"
    return f"{trials}, in {format_duration(run.elapsed_s)}."


def _find(run_id: str, token: str) -> SearchRun | None:
    try:
        return read_own_search(run_id, token)
    except InputError:
        return None


def _show(run: SearchRun | None, queue: RunQueue) -> list[Any]:
    active = run is not None and run.status in ACTIVE
    resumable = run is not None and run.status in RESUMABLE
    has_trials = run is not None and bool(run.trials)
    drawn = [
        gr.HTML(draw(run) if run else "", visible=has_trials)
        for draw in (charts.table_html, charts.pareto_html, charts.parallel_html)
    ]
    return [
        (run.status, len(run.events)) if run else None,
        gr.Timer(active=active),
        status_html(run, queue.position(run.run_id) if run else 0),
        *drawn,
        gr.Button(interactive=not active),
        gr.Button(interactive=active),
        gr.Button(visible=resumable),
    ]


def build_search_section(
    visitor: gr.BrowserState, arrived: Dependency, queue: RunQueue
) -> gr.State:
    """Build the section, folded.

    Args:
        visitor: Holds the visitor's token.
        arrived: The event after which it does.
        queue: Where searches are started.

    Returns:
        Holds the id of the run that a trial was made last.
    """
    run_id = build_browser_state("search")
    seen = gr.State(None)
    kept = gr.State("")
    timer = gr.Timer(_REFRESH_S, active=False)
    with gr.Accordion("Search for settings", open=False, elem_id="search"):
        if not is_ray_installed():
            gr.Markdown(f"Search needs Ray, which is not installed: `{HOW_TO_INSTALL}`")
            return kept
        with gr.Row(elem_classes="one-and-two"):
            with gr.Column():
                start = gr.Button(
                    "Search", variant="primary", interactive=False, elem_id="search-start"
                )
                with gr.Row():
                    resume = gr.Button(
                        "Resume",
                        visible=False,
                        size="sm",
                        variant="primary",
                        elem_id="search-resume",
                    )
                    stop = gr.Button("Stop", interactive=False, size="sm", elem_id="search-stop")
            with gr.Column():
                status = gr.HTML(status_html(None), elem_id="search-status", padding=False)
        with gr.Row(elem_classes=["one-and-two", "second-first"]):
            with gr.Column():
                knobs = build_knobs()
            with gr.Column():
                pareto = _build_html("search-pareto", charts.PARETO_CSS)
                parallel = _build_html("search-parallel", charts.PARALLEL_CSS)
        note = gr.Markdown(elem_id="search-note")
        table = _build_html("search-table", charts.TABLE_CSS, js_on_load=_KEEP_JS)

    shown = [seen, timer, status, table, pareto, parallel, start, stop, resume]
    start.click(partial(on_start, queue), [visitor, *knobs], [run_id, *shown], **QUIET)
    stop.click(partial(on_stop, queue), [run_id, visitor], None, **QUIET)
    resume.click(partial(on_resume, queue), [run_id, visitor], shown, **QUIET)
    timer.tick(partial(on_refresh, queue), [run_id, visitor, seen], shown, **QUIET)
    table.select(on_keep, [run_id, visitor], [kept, note], api_visibility="private")
    arrived.then(partial(on_return, queue), [run_id, visitor], [run_id, *knobs, *shown], **QUIET)
    return kept


def _build_html(elem_id: str, css: str, **options: Any) -> gr.HTML:
    return gr.HTML(
        visible=False,
        elem_id=elem_id,
        css_template=css,
        apply_default_css=False,
        padding=False,
        **options,
    )
