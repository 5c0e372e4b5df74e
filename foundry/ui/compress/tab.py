"""The Compress tab: choose a model and what to do to it, watch, compare every form of it."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from foundry.compression.config import MAX_RECOVERY_EPOCHS, CompressConfig, list_models
from foundry.compression.pruning import MAX_RATIO, SCOPES
from foundry.compression.runs import (
    CompressRun,
    create_compression,
    list_own_compressions,
    read_own_compression,
)
from foundry.compression.state import PRUNED
from foundry.errors import InputError
from foundry.models import available_models, available_variants
from foundry.runs.folders import ACTIVE, is_run_id
from foundry.runs.queue import RunQueue
from foundry.training.runs import read_own_run
from foundry.ui.components.model_choice import DEFAULT_MODEL, list_digit_models
from foundry.ui.components.run_view import is_known
from foundry.ui.compress.view import (
    ProgressView,
    ResultView,
    build_progress_view,
    build_result_view,
    build_scatter,
    render_progress,
    render_result,
    status_html,
)
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.link_button import Links
from foundry.ui.page.visitor import build_browser_state
from foundry.ui.server.limits import TRAINING_STARTS

_REFRESH_S = 0.5
# Half of the weights: enough to see that zeros save nothing, not enough to ruin the answers.
_SPARSITY = 0.5
# Seen, timer, finished, Compress, Cancel, then the two views.
_NUM_SHOWN = 5 + len(ProgressView._fields) + len(ResultView._fields)
_FIELDS = [field.name for field in fields(CompressConfig)]
_BITS = [("int8: 8-bit weights and activations", 8), ("float32: leave them", 32)]


@shows_errors
def on_start(queue: RunQueue, token: str, *knobs: Any) -> list[Any]:
    """Start a compression.

    Args:
        queue: Where it waits its turn.
        token: The visitor's token.
        knobs: Values in the order of `CompressConfig`'s fields.

    Returns:
        Its id, then as `on_refresh()`.
    """
    config = CompressConfig(*knobs)
    TRAINING_STARTS.count(token)
    run = queue.start(create_compression, config, token)
    return [run.run_id, *_show(run, queue)]


@shows_errors
def on_cancel(queue: RunQueue, run_id: str, token: str) -> None:
    """Cancel the visitor's compression; the next refresh shows it."""
    queue.stop(read_own_compression(run_id, token).run_id)


def on_refresh(queue: RunQueue, run_id: str, token: str, seen: tuple[str, int] | None) -> list[Any]:
    """Look at the compression again.

    Args:
        queue: Knows its place in line.
        run_id: The compression on show.
        token: The visitor's token.
        seen: Status and number of events when last looked at.

    Returns:
        Seen, timer, finished compression's id, Compress, Cancel, then the updates of
        `render_progress()` and `render_result()`; skips where nothing has changed.
    """
    run = _find(run_id, token)
    if run and is_known(run, seen):
        return [gr.skip()] * _NUM_SHOWN
    shown = _show(run, queue, seen[1] if seen else 0)
    if run and seen and run.status == seen[0]:
        # Only the progress has moved.
        return [shown[0], *[gr.skip()] * 4, *shown[5:9], *[gr.skip()] * (_NUM_SHOWN - 9)]
    return shown


def on_return(queue: RunQueue, run_id: str, token: str) -> list[Any]:
    """Attach a page that was opened or reloaded to the compression it showed, or to the newest.

    Returns:
        Its id, its settings in the order of `CompressConfig`'s fields, then as `on_refresh()`.
    """
    run = _find(run_id, token) or next(iter(list_own_compressions(token)), None)
    if run is None:
        # The form stays: a quick visitor may be choosing already.
        settings = [on_visit(token), *[gr.skip()] * (len(_FIELDS) - 1)]
    else:
        values = [getattr(run.config, name) for name in _FIELDS[1:]]
        choices = _list_choices(token)
        known = run.config.model in (name for _, name in choices)
        model = run.config.model if known else DEFAULT_MODEL
        settings = [gr.Dropdown(choices=choices, value=model), *values]
    return [run.run_id if run else "", *settings, *_show(run, queue)]


def on_visit(token: str) -> Any:
    """List the models again: a run may have finished meanwhile. Returns the choice."""
    return gr.Dropdown(choices=_list_choices(token))


@shows_errors
def on_model(
    token: str,
    model: str,
    ratio: float | None = CompressConfig.pruning_ratio,
    sparsity: float | None = _SPARSITY,
) -> list[Any]:
    """Offer what can be done to a model.

    Args:
        token: The visitor's token.
        model: The one that was chosen.
        ratio: What to set where it can be pruned; None leaves it as it is.
        sparsity: What to set where it can be masked; None leaves it as it is.

    Returns:
        Updates for the pruning ratio, the recovery epochs, the sparsity, the scope and the note.
    """
    can_prune = CompressConfig(model, pruning_ratio=0.0).task == "digits"
    can_mask = can_prune and not _is_cnn(token, model)
    note = "Recovering from pruning takes this model hours; here it is quantized and measured."
    if PRUNED in available_variants(model):
        note += " A recipe has spent those hours: its pruned form is in the table."
    return [
        _offer(can_prune, ratio),
        gr.Slider(interactive=can_prune),
        _offer(can_mask, sparsity),
        gr.Radio(interactive=can_mask),
        gr.Markdown(note, visible=not can_prune),
    ]


def _offer(is_possible: bool, value: float | None) -> Any:
    if is_possible and value is None:
        return gr.Slider(interactive=True)
    return gr.Slider(interactive=is_possible, value=value if is_possible else 0.0)


def on_link(settings: Mapping[str, Any]) -> list[Any]:
    """Return the knobs as a link asks, in the order of `CompressConfig`'s fields."""
    return [settings[name] for name in _FIELDS]


def _is_cnn(token: str, model: str) -> bool:
    return is_run_id(model) and read_own_run(model, token).config.model == "cnn"


def _list_choices(token: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs: digit models and the visitor's runs, then the other tasks."""
    others = [spec for spec in list_models() if spec not in available_models("digits")]
    return [*list_digit_models(token), *((spec.title, spec.name) for spec in others)]


def _find(run_id: str, token: str) -> CompressRun | None:
    try:
        return read_own_compression(run_id, token)
    except InputError:
        return None


def _show(run: CompressRun | None, queue: RunQueue, num_seen: int = 0) -> list[Any]:
    active = run is not None and run.status in ACTIVE
    return [
        (run.status, len(run.events)) if run else None,
        gr.Timer(active=active),
        run.run_id if run and run.result else "",
        gr.Button(interactive=not active),
        gr.Button(interactive=active),
        *render_progress(run, queue, num_seen),
        *render_result(run),
    ]


def build_compress_tab(
    tab: gr.Tab, visitor: gr.BrowserState, arrived: Dependency, queue: RunQueue, links: Links
) -> gr.State:
    """Build the tab.

    Args:
        tab: The tab being built.
        visitor: Holds the visitor's token.
        arrived: The event after which it does.
        queue: Where compressions are started.
        links: Set the knobs.

    Returns:
        Holds the id of the compression on show once it has ended, else nothing.
    """
    run_id = build_browser_state("compression")
    seen = gr.State(None)
    finished = gr.State("")
    timer = gr.Timer(_REFRESH_S, active=False)
    defaults = CompressConfig()
    with gr.Row(elem_classes="one-and-two"):
        with gr.Column():
            start = gr.Button(
                "Compress", variant="primary", interactive=False, elem_id="compress-start"
            )
            cancel = gr.Button("Cancel", interactive=False, size="sm", elem_id="compress-cancel")
        with gr.Column():
            status = gr.HTML(status_html(None), elem_id="compress-status", padding=False)
    with gr.Row(elem_classes=["one-and-two", "second-first"]):
        with gr.Column():
            model = gr.Dropdown(
                [(spec.title, spec.name) for spec in list_models()],
                value=DEFAULT_MODEL,
                label="Model",
                elem_id="compress-model",
            )
            note = gr.Markdown(visible=False, elem_classes="foundry-note")
            ratio = gr.Slider(
                0,
                MAX_RATIO,
                defaults.pruning_ratio,
                step=0.05,
                label="Pruning ratio",
                info="Share of channels and neurons taken out of every layer; 0 for none.",
            )
            epochs = gr.Slider(
                0,
                MAX_RECOVERY_EPOCHS,
                defaults.recovery_epochs,
                step=1,
                label="Recovery epochs",
                info="Fine-tuning of what is left; 0 shows what pruning alone does.",
            )
            bits = gr.Radio(_BITS, value=defaults.weight_bits, label="Weight bits")
            sparsity = gr.Slider(
                0,
                1,
                _SPARSITY,
                step=0.05,
                label="Mask sparsity",
                info="Share of weights set to zero in a further copy; LeNet only.",
            )
            scope = gr.Radio(
                list(SCOPES), value=defaults.scope, label="The mask ranks weights", min_width=120
            )
        with gr.Column():
            progress = build_progress_view(status)
            scatter = build_scatter()
    result = build_result_view(scatter, run_id, visitor, finished)

    knobs = [model, ratio, bits, sparsity, scope, epochs]
    shown = [seen, timer, finished, start, cancel, *progress, *result]
    offered = [ratio, epochs, sparsity, scope, note]
    model.input(on_model, [visitor, model], offered, **QUIET)
    start.click(partial(on_start, queue), [visitor, *knobs], [run_id, *shown], **QUIET)
    cancel.click(partial(on_cancel, queue), [run_id, visitor], None, **QUIET)
    timer.tick(partial(on_refresh, queue), [run_id, visitor, seen], shown, **QUIET)
    tab.select(on_visit, visitor, model, **QUIET)
    returned = arrived.then(
        partial(on_return, queue), [run_id, visitor], [run_id, *knobs, *shown], **QUIET
    )
    linked = dict(zip(_FIELDS, knobs, strict=True))
    links.offer("compress", linked, knobs, on_link, after=returned).then(
        # What the visitor has set meanwhile stays.
        lambda token, name: on_model(token, name, None, None),
        [visitor, model],
        offered,
        **QUIET,
    )
    return finished
