"""The Compress tab: choose a model and what to do to it, watch, compare every variant of it."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr

from foundry.compression.config import MAX_RECOVERY_EPOCHS, CompressConfig, list_models
from foundry.compression.pruning import MAX_RATIO, PRUNED_ARCHITECTURES, SCOPES
from foundry.compression.runs import COMPRESSIONS, CompressRun, create_compression
from foundry.compression.state import PRUNED
from foundry.models import available_models, available_variants
from foundry.runs.folders import is_run_id
from foundry.runs.queue import RunQueue
from foundry.training.runs import read_own_run
from foundry.ui.components.model_choice import (
    DEFAULT_MODEL,
    list_digit_models,
    list_own_data_models,
)
from foundry.ui.components.run_controls import build_run_controls, connect_run
from foundry.ui.components.run_panel import RunPanel
from foundry.ui.compress.api import build_compress_api
from foundry.ui.compress.link import SPARSITY, read_settings
from foundry.ui.compress.preview import build_preview
from foundry.ui.compress.view import (
    WORDS,
    ResultView,
    build_progress_view,
    build_result_view,
    build_scatter,
    render_progress,
    render_result,
)
from foundry.ui.page.feedback import LATEST, QUIET, shows_errors
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page

_FIELDS = [field.name for field in fields(CompressConfig)]
_BITS = [("int8: 8-bit weights and activations", 8), ("float32: leave them", 32)]


def build_panel(queue: RunQueue) -> RunPanel[CompressRun]:
    """Describe what the tab does with a compression.

    Args:
        queue: Where runs wait their turn.
    """
    return RunPanel(queue, COMPRESSIONS, WORDS, render, render_added, on_fill)


def render(run: CompressRun | None) -> list[Any]:
    """Return updates for the components of `ProgressView` and of `ResultView`."""
    return [*render_progress(run), *render_result(run)]


def render_added(run: CompressRun, num_seen: int) -> list[Any]:
    """Return what `render()` does where only events were added."""
    return [*render_progress(run), *[gr.skip()] * len(ResultView._fields)]


def on_fill(run: CompressRun | None, token: str) -> list[Any]:
    """Return a compression's settings in the order of `CompressConfig`'s fields."""
    if run is None:
        # The form stays: a quick visitor may be choosing already.
        return [gr.Dropdown(choices=_list_choices(token)), *[gr.skip()] * (len(_FIELDS) - 1)]
    values = [getattr(run.config, name) for name in _FIELDS[1:]]
    choices = _list_choices(token)
    known = run.config.model in (name for _, name in choices)
    model = run.config.model if known else DEFAULT_MODEL
    return [gr.Dropdown(choices=choices, value=model), *values]


@shows_errors
def on_start(panel: RunPanel[CompressRun], token: str, *knobs: Any) -> list[Any]:
    """Start a compression.

    Args:
        panel: From `build_panel()`.
        token: The visitor's token.
        knobs: Values in the order of `CompressConfig`'s fields.

    Returns:
        As `RunPanel.on_start()`.
    """
    return panel.on_start(token, create_compression, CompressConfig(*knobs), token)


def on_visit(token: str, model: str) -> Any:
    """List the models again: a run may have finished meanwhile, or be gone. Returns the choice."""
    choices = _list_choices(token)
    is_there = model in (name for _, name in choices)
    return gr.Dropdown(choices=choices, value=model if is_there else DEFAULT_MODEL)


@shows_errors
def on_model(
    token: str,
    model: str,
    ratio: float | None = CompressConfig.pruning_ratio,
    sparsity: float | None = SPARSITY,
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
    is_digits = CompressConfig(model, pruning_ratio=0.0).task == "digits"
    architecture = _find_architecture(token, model) if is_digits else ""
    can_prune, can_mask = architecture in PRUNED_ARCHITECTURES, architecture == "lenet"
    if is_digits:
        note = "Only LeNet and CNN lose channels and neurons; this one is quantized and measured."
    else:
        note = "Recovering from pruning takes this model hours; here it is quantized and measured."
    if not can_prune and PRUNED in available_variants(model):
        note += " A recipe has spent those hours: its pruned variant is in the table."
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


def _find_architecture(token: str, model: str) -> str:
    return read_own_run(model, token).config.model if is_run_id(model) else DEFAULT_MODEL


def _list_choices(token: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs: digit models and the visitor's runs, then the other tasks."""
    others = [spec for spec in list_models() if spec not in available_models("digits")]
    return [
        *list_digit_models(token),
        *list_own_data_models(token),
        *((spec.title, spec.name) for spec in others),
    ]


def build_compress_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    panel = build_panel(page.queue)
    defaults = CompressConfig()
    with gr.Tab("Compress", id="compress") as tab:
        with gr.Row(elem_classes="one-and-two"):
            with gr.Column():
                controls = build_run_controls(
                    panel, "compress", "compression", "Compress", "Cancel"
                )
            with gr.Column():
                controls.status.render()
        with gr.Row(elem_classes=["one-and-two", "second-first"]):
            with gr.Column():
                model = gr.Dropdown(
                    [(spec.title, spec.name) for spec in list_models()],
                    value=DEFAULT_MODEL,
                    label="Model",
                    elem_id="compress-model",
                    elem_classes=OUR_CHOICES,
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
                    SPARSITY,
                    step=0.05,
                    label="Mask sparsity",
                    info="Share of weights set to zero in a further copy; LeNet only.",
                )
                scope = gr.Radio(
                    list(SCOPES),
                    value=defaults.scope,
                    label="The mask ranks weights",
                    min_width=120,
                )
            with gr.Column():
                progress = build_progress_view()
                scatter = build_scatter()
                build_preview(page.visitor, model, ratio)
        result = build_result_view(scatter, controls.run_id, page.visitor, controls.finished)

        knobs = [model, ratio, bits, sparsity, scope, epochs]
        offered = [ratio, epochs, sparsity, scope, note]
        model.input(on_model, [page.visitor, model], offered, **LATEST)
        # The rest of the form stays, but for what cannot be done to the model.
        tab.select(on_visit, [page.visitor, model], model, **QUIET).then(
            lambda token, name: on_model(token, name, None, None),
            [page.visitor, model],
            offered,
            **QUIET,
        )
        returned = connect_run(
            panel,
            controls,
            page.visitor,
            page.arrived,
            partial(on_start, panel),
            knobs,
            knobs,
            [*progress, *result],
        )
        linked = LinkedTab(read_settings, dict(zip(_FIELDS, knobs, strict=True)), knobs, on_link)
        page.links.offer("compress", linked, after=returned).then(
            # What the visitor has set meanwhile stays.
            lambda token, name: on_model(token, name, None, None),
            [page.visitor, model],
            offered,
            **QUIET,
        )
        page.guide.follow("compress", controls.finished)
        build_compress_api(page.queue)
