"""The Search section of the Train tab: let many settings be tried, watch, keep one as a run."""

import time
from functools import partial
from typing import Any

import gradio as gr

from foundry.errors import counted
from foundry.runs.cluster import HOW_TO_INSTALL, is_ray_installed
from foundry.runs.data_sets import list_data_sets
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.search import SearchConfig
from foundry.search.runs import (
    SEARCHES,
    SearchRun,
    adopt_trial,
    create_search,
    read_own_search,
)
from foundry.ui.components.model_choice import list_choices
from foundry.ui.components.run_controls import build_run_controls, connect_run
from foundry.ui.components.run_panel import RunPanel, RunWords
from foundry.ui.components.run_status import format_duration
from foundry.ui.page.feedback import EVERY, QUIET, naming_fields, shows_errors
from foundry.ui.page.page import Page
from foundry.ui.search import plots as charts
from foundry.ui.search.api import build_search_api
from foundry.ui.search.form import LABELS, build_knobs, fill_form, read_form
from foundry.ui.search.preview import build_preview

_NUM_KNOBS = len(fill_form(SearchConfig()))
_IDLE = (
    "Nothing searched yet",
    "Press Search: settings are tried, a trial for every processor at a time, and what "
    "does not keep up is stopped early.",
)
_KEEP_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-trial]');
  if (button) trigger('select', {trial: button.dataset.trial});
});
"""


def build_panel(queue: RunQueue) -> RunPanel[SearchRun]:
    """Describe what the tab does with a search.

    Args:
        queue: Where runs wait their turn.
    """
    return RunPanel(
        queue,
        SEARCHES,
        RunWords(_IDLE, describe_search, {"running": "Searching"}),
        render_search,
        lambda run, num_seen: render_search(run),
        on_fill,
        can_resume=True,
    )


def on_fill(run: SearchRun | None, token: str) -> list[Any]:
    """Return a search's settings as `fill_form()` does, with the data sets there are to choose."""
    if run is None:
        data = list_choices(token) if list_data_sets(token) else gr.skip()
        return [*[gr.skip()] * (_NUM_KNOBS - 1), data]
    return [*fill_form(run.config)[:-1], list_choices(token, run.config.dataset)]


def on_visit(token: str, chosen: str) -> gr.Dropdown:
    """List the data sets again: some may have been brought, or deleted, meanwhile.

    Args:
        token: The visitor's token.
        chosen: The one in the list; MNIST takes its place if it is gone.
    """
    return list_choices(token, chosen)


@shows_errors
def on_start(panel: RunPanel[SearchRun], token: str, *knobs: Any) -> list[Any]:
    """Start a search.

    Args:
        panel: From `build_panel()`.
        token: The visitor's token.
        knobs: Values in the order of `build_knobs()`.

    Returns:
        As `RunPanel.on_start()`.
    """
    with naming_fields(LABELS):
        config = read_form(knobs)
    return panel.on_start(token, create_search, config, token)


@shows_errors
def on_keep(run_id: str, token: str, event: gr.EventData) -> tuple[tuple[str, float], str]:
    """Make a trial an ordinary run.

    Args:
        run_id: The search on show.
        token: The visitor's token.
        event: Carries the trial's id.

    Returns:
        The run's id with the time, and a sentence.
    """
    run = adopt_trial(read_own_search(run_id, token), str(event.trial), token)
    assert run.result is not None
    accuracy = f"{run.result['test_accuracy']:.2%}"
    made = run.run_id, time.time()
    return made, f"It is a run now, shown on the Train tab: {accuracy} on the test split."


def describe_search(run: SearchRun) -> str:
    """Return what the status line says of a search beside its state."""
    if run.status == "failed":
        return f"{run.reason}. Press Resume to go on."
    if run.status == "interrupted":
        return "The server went away. Press Resume to go on."
    if not run.trials:
        return "Starting Ray." if run.status in ACTIVE else "Nothing was tried."
    trials = counted(len(run.trials), "trial")
    if run.best:
        trials += f", the best {run.best.accuracy:.2%}"
    if run.status == "running":
        return f"{run.progress:.0%}, {format_duration(run.remaining_s or 0.0)} left: {trials}"
    return f"{trials}, in {format_duration(run.elapsed_s)}."


def render_search(run: SearchRun | None) -> list[Any]:
    """Return updates for the table, the Pareto plot and the parallel coordinates."""
    has_trials = run is not None and bool(run.trials)
    return [
        gr.HTML(draw(run) if run else "", visible=has_trials)
        for draw in (charts.table_html, charts.pareto_html, charts.parallel_html)
    ]


def build_search_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    panel = build_panel(page.queue)
    page.links.open_only("search")
    with gr.Tab("Search", id="search", elem_id="search") as tab:
        if not is_ray_installed():
            gr.Markdown(f"Search needs Ray, which is not installed: `{HOW_TO_INSTALL}`")
            return
        with gr.Row(elem_classes="one-and-two"):
            with gr.Column():
                controls = build_run_controls(panel, "search", "search", "Search")
            with gr.Column():
                controls.status.render()
        with gr.Row(elem_classes=["one-and-two", "second-first"]):
            with gr.Column():
                knobs = build_knobs()
            with gr.Column():
                pareto = _build_html("search-pareto", charts.PARETO_CSS)
                parallel = _build_html("search-parallel", charts.PARALLEL_CSS)
                build_preview(knobs)
        note = gr.Markdown(elem_id="search-note")
        table = _build_html("search-table", charts.TABLE_CSS, js_on_load=_KEEP_JS)

        tab.select(on_visit, [page.visitor, knobs[-1]], knobs[-1], **QUIET)
        own = [table, pareto, parallel]
        connect_run(
            panel, controls, page.visitor, page.arrived, partial(on_start, panel), knobs, knobs, own
        )
        table.select(
            on_keep,
            [controls.run_id, page.visitor],
            [page.made_run, note],
            **EVERY,
        )
        build_search_api(page.queue)


def _build_html(elem_id: str, css: str, **options: Any) -> gr.HTML:
    return gr.HTML(
        visible=False,
        elem_id=elem_id,
        css_template=css,
        apply_default_css=False,
        padding=False,
        **options,
    )
