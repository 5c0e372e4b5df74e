"""All runs of a visitor, with where each stands: shown again, renamed, deleted."""

import time
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from foundry.runs.cleaning import remove_run
from foundry.runs.folders import rename_run
from foundry.training.runs import Run, list_own_runs, read_own_run
from foundry.ui.components import plots
from foundry.ui.components.run_status import STATES
from foundry.ui.page.feedback import EVERY, shows_errors
from foundry.ui.train.results import forget_files
from foundry.ui.train.view import WORDS

_MAX_RUNS = 50
_CSS = """
.empty { margin: 0; color: var(--body-text-color-subdued); font-size: 0.9rem; }
ul { list-style: none; margin: 0; padding: 0; }
li { display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 0.8rem; margin: 0;
  padding: 0.35rem 0; border-bottom: 1px solid var(--border-color-primary); }
li[aria-current] { font-weight: 650; }
.name { flex: 1 1 14rem; overflow-wrap: anywhere; }
.name input { width: 100%; font: inherit; padding: 0.2rem 0.4rem; color: var(--body-text-color);
  background: var(--input-background-fill); border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-sm); }
.stands { flex: 0 1 auto; color: var(--body-text-color-subdued); font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
.actions { display: flex; gap: 0.3rem; }
button { margin: 0; min-height: 32px; padding: 0 0.6rem; font: inherit; font-size: 0.8125rem;
  font-weight: 500; cursor: pointer; border: 1px solid var(--border-color-primary);
  border-radius: var(--button-small-radius); color: var(--button-secondary-text-color);
  background: var(--button-secondary-background-fill); }
button:hover { background: var(--button-secondary-background-fill-hover); }
button.sure { color: white; background: var(--foundry-vermilion); }
"""
# A name is typed where it stands; what cannot be undone is asked for twice.
_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  const item = button.closest('li'), run = item.dataset.run, action = button.dataset.action;
  if (action === 'rename') {
    const name = item.querySelector('.name'), input = document.createElement('input');
    const before = name.textContent;
    input.value = item.dataset.name;
    input.maxLength = 60;
    input.setAttribute('aria-label', button.dataset.label);
    name.replaceChildren(input);
    input.focus();
    input.addEventListener('keydown', (key) => {
      // A list that comes back unchanged is not drawn anew.
      if (key.key === 'Enter' || key.key === 'Escape') name.textContent = before;
      if (key.key === 'Enter') trigger('select', {action, run, name: input.value});
    });
  } else if (action === 'delete' && !button.classList.contains('sure')) {
    button.classList.add('sure');
    button.textContent = button.dataset.label;
  } else trigger('select', {action, run, name: ''});
});
"""


def own_runs_html(runs: list[Run], shown: str) -> str:
    """Return HTML: a line for each run.

    Args:
        runs: Newest first.
        shown: The id of the one on show.
    """
    if not runs:
        return '<p class="empty">None yet: press Start.</p>'
    items = []
    for run in runs[:_MAX_RUNS]:
        current = ' aria-current="true"' if run.run_id == shown else ""
        state = {**STATES, **WORDS.states}[run.status]
        accuracy = f", {run.result['test_accuracy']:.2%}" if run.result else ""
        items.append(
            f'<li data-run="{run.run_id}" data-name="{escape(run.name)}"{current}>'
            f'<span class="name" translate="no">{escape(plots.run_title(run))}</span>'
            f'<span class="stands">{escape(state)}{accuracy}</span><span class="actions">'
            '<button type="button" data-action="show">Show</button>'
            '<button type="button" data-action="rename" data-label="Name of the run">Rename'
            '</button><button type="button" data-action="delete" data-label="Delete it?">Delete'
            "</button></span></li>"
        )
    return f"<ul>{''.join(items)}</ul>"


def on_list(token: str, shown: str) -> str:
    """List the visitor's runs.

    Args:
        token: The visitor's token.
        shown: The id of the run on show.
    """
    return own_runs_html(list_own_runs(token), shown)


@shows_errors
def on_action(token: str, shown: str, event: gr.EventData) -> tuple[str, Any]:
    """Do what a button of the list asks for.

    Args:
        token: The visitor's token.
        shown: The id of the run on show.
        event: Carries the action, the run's id and a name.

    Returns:
        The list; and the run to be shown, empty for the newest, with the time, so that asking for
        the same one again is a change.
    """
    run = read_own_run(event.run, token)
    if event.action == "rename":
        rename_run(run, event.name)
    if event.action == "delete":
        remove_run(run)
        forget_files(run.run_id)
        if run.run_id == shown:
            return on_list(token, ""), ("", time.time())
    if event.action == "show":
        return on_list(token, run.run_id), (run.run_id, time.time())
    return on_list(token, shown), gr.skip()


def build_own_runs(
    visitor: gr.BrowserState, shown: Component
) -> tuple[gr.HTML, gr.State, Dependency]:
    """Build the list.

    Args:
        visitor: Holds the visitor's token.
        shown: The run on show.

    Returns:
        The list, to be filled by `on_list()`; what holds the run to be shown, and since when; and
        the event after which a button's work is done.
    """
    chosen = gr.State(("", 0.0))
    listed = gr.HTML(
        own_runs_html([], ""),
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id="own-runs",
    )
    acted = listed.select(on_action, [visitor, shown], [listed, chosen], **EVERY)
    return listed, chosen, acted
