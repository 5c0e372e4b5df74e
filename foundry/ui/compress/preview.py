"""What the form will do to the chosen model, drawn before anything is compressed."""

import math
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import gradio as gr
from gradio.components import Component

from foundry.compression.config import list_models
from foundry.compression.preview import Part, PruningPreview, list_parts, preview_pruning
from foundry.compression.pruning import PRUNED_ARCHITECTURES, RankedLayer
from foundry.errors import ArtifactError, InputError
from foundry.models import load_model
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.runtime import on_narrow_thread
from foundry.runs.data_sets import MNIST, load_data
from foundry.training.runs import read_own_run
from foundry.ui.components.model_choice import DEFAULT_MODEL
from foundry.ui.components.plots import CARD_CSS
from foundry.ui.page.feedback import LATEST

# Of a layer with more, neighbours touch: what is between two of them would be wider than they are.
_FEW = 40
_CSS = (
    CARD_CSS
    + """
.layers { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 10px 12px;
  align-items: end; font-size: 0.875rem; }
.layers b { font-weight: 600; }
.layers span { color: var(--body-text-color-subdued); white-space: nowrap; }
.columns { display: flex; align-items: flex-end; gap: 2px; height: 52px;
  border-bottom: 1px solid var(--border-color-primary); }
.columns.many { gap: 0; }
.columns i { flex: 1; min-width: 0; background: var(--foundry-blue); border-radius: 2px 2px 0 0; }
.columns.many i { border-radius: 0; }
.columns i.out, .legend i.out { background: var(--foundry-orange); opacity: 0.55; }
.track { height: 14px; align-self: center; }
.track i { display: block; height: 100%; min-width: 1px; border-radius: 3px;
  background: var(--foundry-blue); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-top: 0.7rem;
  font-size: 0.8125rem; color: var(--body-text-color-subdued); }
.legend i { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin-right: 0.4em; vertical-align: -0.1em; background: var(--foundry-blue); }
dl { display: flex; flex-wrap: wrap; gap: 0.6rem 2.5rem; margin: 1rem 0 0; }
dt { color: var(--body-text-color-subdued); font-size: 0.8125rem; }
dd { margin: 0; font-size: 1.35rem; font-weight: 650; }
dd small { font-size: 0.9375rem; font-weight: 400; color: var(--body-text-color-subdued); }
@media (max-width: 500px) {
  .layers { grid-template-columns: auto minmax(0, 1fr); }
  .layers > span { grid-column: 2; margin-top: -6px; }
}
"""
)
# Drawn when it is first seen: most visits are of other tabs.
_JS = """
new IntersectionObserver((seen, observer) => {
  if (!seen.some((one) => one.isIntersecting)) return;
  observer.disconnect();
  trigger('select', {});
}).observe(element);
"""


def on_preview(token: str, model: str, ratio: float) -> str:
    """Draw what pruning will remove; of a model that is not pruned here, where its parameters are.

    Args:
        token: The visitor's token.
        model: A shipped model's name, or the id of one of the visitor's runs.
        ratio: The form's pruning ratio.

    Returns:
        HTML; empty if the model cannot be read, of which Compress says why.
    """
    try:
        if model in [spec.name for spec in list_models()]:
            folder, dataset, can_prune = WEIGHTS_DIR / model, MNIST, model == DEFAULT_MODEL
        else:
            run = read_own_run(model, token)
            folder, dataset = run.best_folder, run.config.dataset
            can_prune = run.config.model in PRUNED_ARCHITECTURES and (
                run.is_on_mnist or run.has_own_data
            )
        weights = folder / WEIGHTS_FILE
        if not weights.is_file():
            return ""
        if not can_prune:
            return parts_html(list_parts(weights))
        # A run that goes on writes better weights to the same folder.
        return preview_html(_preview(folder, weights.stat().st_mtime_ns, dataset, ratio))
    except (InputError, ArtifactError):
        return ""


@lru_cache(maxsize=128)
@on_narrow_thread
def _preview(folder: Path, written_ns: int, dataset: str, ratio: float) -> PruningPreview:
    return preview_pruning(load_model(folder), ratio, load_data(dataset))


def preview_html(preview: PruningPreview) -> str:
    """Return HTML: every channel and neuron by its score, those that are removed marked.

    Args:
        preview: What pruning does.
    """
    left = preview.parameters_left / preview.parameters
    return (
        "<figure><figcaption><b>What the pruning ratio takes out</b> "
        "<span>before anything recovers</span></figcaption>"
        f'<div class="layers">{"".join(map(_layer_html, preview.layers))}</div>'
        '<div class="legend"><span><i></i>kept</span><span><i class="out"></i>taken out</span>'
        "<span>height: how much the answers depend on it, within its layer (square root)</span>"
        "</div>"
        f"<dl><div><dt>Parameters</dt><dd>{preview.parameters_left:,} "
        f"<small>of {preview.parameters:,}, {left:.0%}</small></dd></div>"
        f"<div><dt>Right on {preview.num_images:,} validation images</dt>"
        f"<dd>{preview.accuracy_left:.1%} <small>before: {preview.accuracy:.1%}</small></dd></div>"
        "</dl></figure>"
    )


def _layer_html(layer: RankedLayer) -> str:
    total, removed = len(layer.scores), set(layer.removed)
    largest = max(layer.scores) or 1.0
    bars = "".join(
        f"<i{' class=out' if place in removed else ''} "
        f'style="height:{max(0.04, math.sqrt(score / largest)):.0%}"></i>'
        for place, score in enumerate(layer.scores)
    )
    noun = "channels" if layer.layer.startswith("conv") else "neurons"
    count = f"{total} → {total - len(removed)} {noun}"
    many = "" if total <= _FEW else " many"
    return (
        f'<b translate="no">{escape(layer.layer)}</b>'
        f'<div class="columns{many}" role="img" aria-label="{count}">{bars}</div>'
        f"<span>{count}</span>"
    )


def parts_html(parts: Sequence[Part]) -> str:
    """Return HTML: the parts of a model by their number of parameters.

    Args:
        parts: In the order of its layers.
    """
    largest, total = max(part.parameters for part in parts), sum(part.parameters for part in parts)
    rows = "".join(
        f'<b translate="no">{escape(part.name)}</b>'
        f'<div class="track"><i style="width:{part.parameters / largest:.1%}"></i></div>'
        f"<span>{part.parameters:,}</span>"
        for part in parts
    )
    return (
        "<figure><figcaption><b>Where its parameters are</b> "
        f"<span>{total:,} in all</span></figcaption>"
        f'<div class="layers">{rows}</div></figure>'
    )


def build_preview(visitor: gr.BrowserState, model: Component, ratio: Component) -> None:
    """Build the drawing, which follows the form.

    Args:
        visitor: Holds the visitor's token.
        model: The model that is chosen.
        ratio: The pruning ratio.
    """
    drawing = gr.HTML(
        elem_id="compress-preview",
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        min_height=0,
    )
    for follow in (drawing.select, model.change, ratio.change):
        follow(on_preview, [visitor, model, ratio], drawing, **LATEST)
