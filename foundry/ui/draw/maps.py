"""What the network makes of the drawing, layer by layer, as long as somebody looks at it.

Of an LSTM: row by row; of a Transformer: patch by patch.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image
from torch import nn

from foundry.data import DIGITS
from foundry.digits.activations import compute_activations, compute_attention, compute_beliefs
from foundry.errors import ArtifactError, InputError
from foundry.models.networks import LSTM, Transformer
from foundry.ui.components import plots
from foundry.ui.components.model_choice import (
    find_own_data_run,
    load_digit_model,
    load_digit_predictor,
    load_run_model,
)
from foundry.ui.components.pad import read_pad, see_drawing

_SEEN = "What the model sees: 28x28"
_EMPTY = (_SEEN, "First convolution: one square a filter", "Second convolution")
_CSS = """
.maps { display: grid; gap: var(--layout-gap);
  grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); }
figure { margin: 0; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); padding: 0.6rem 0.8rem 0.8rem;
  background: var(--block-background-fill); }
figcaption { color: var(--body-text-color-subdued); font-size: 0.875rem; margin-bottom: 0.5rem; }
figure div { height: 152px; display: flex; align-items: center; justify-content: center; }
img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; }
figure span { color: var(--body-text-color-subdued); font-size: 0.9rem; }
"""
# While a stroke is drawn the pad sends it every 150 ms; these are worth looking at less often.
LOOK_JS = """
const every_ms = 450;
let drawing = '', shown = '', isSeen = false, timer = null, observer = null;

function look() {
  timer = null;
  if (!isSeen || drawing === shown) return;
  shown = drawing;
  trigger('input');
}
function lookSoon() { timer ??= setTimeout(look, every_ms); }
function observe() {
  if (observer) return;
  observer = new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    if (isSeen) lookSoon();
  });
  observer.observe(element);
}
document.addEventListener('foundry-drawn', (event) => {
  drawing = event.detail;
  observe();
  lookSoon();
});
"""


def on_look(device: str, drawing: Any, model_name: str, token: str, variant: str = "dense") -> str:
    """Show what the model sees of the drawing, and what its convolutions answer.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant. Of int8 they are those of the float32 network: what runs
            has none to look into.

    Returns:
        HTML: three pictures, or a hint in place of each.
    """
    try:
        return _look(device, drawing, model_name, token, variant)
    except (InputError, ArtifactError):
        # What answers the drawing says why.
        return render_maps()


def _look(device: str, drawing: Any, model_name: str, token: str, variant: str) -> str:
    if own := find_own_data_run(model_name, token):
        picture = see_drawing(own, drawing)
        if picture is None:
            return render_maps()
        network = load_run_model(own, device, variant)
        return render_maps({_SEEN: Image.fromarray(picture)} | _look_into(network, picture))
    reading = read_pad(load_digit_predictor(model_name, token, device, variant), drawing)
    if reading is None:
        return render_maps()
    network = load_digit_model(model_name, token, device, variant)
    seen = {_SEEN: Image.fromarray(reading.image)}
    return render_maps(seen | _look_into(network, reading.image))


def _look_into(network: nn.Module, image: np.ndarray) -> dict[str, Image.Image]:
    """Return two pictures by their labels, a pixel for each value, which the page enlarges."""
    if isinstance(network, LSTM):
        states, beliefs = compute_beliefs(network, image)
        answers = beliefs.argmax(1)
        others = np.flatnonzero(answers != answers[-1])
        since = others[-1] + 2 if len(others) else 1
        last = network.classes[answers[-1]]
        label = f"Belief after each row, 0 to 9 from left to right: {last} since row {since}"
        if network.classes != DIGITS:
            label = f"Belief after each row, one column a class: {last} since row {since}"
        return {
            label: (
                # Thrice as wide as it is: a square would be too small to be seen.
                plots.tile(beliefs.repeat(3, axis=1)[None], zoom=1)
            ),
            "State after each row: one column a neuron": plots.tile(states[None], zoom=1),
        }
    if isinstance(network, Transformer):
        attention = compute_attention(network, image)
        num_heads, num_patches = attention.shape[1:3]
        side = round(num_patches**0.5)
        given = attention.mean(axis=(1, 2)).reshape(-1, side, side)
        return {
            "Attention: one square a head, a row for each patch that takes": plots.tile(
                attention.reshape(-1, num_patches, num_patches), columns=num_heads, zoom=1
            ),
            "Attention: how much is taken from each patch, layer by layer": plots.tile(
                given, zoom=1
            ),
        }
    activations = compute_activations(network, image).values()
    tiles = [plots.tile(maps, columns=8, zoom=1) for maps in activations]
    return dict(zip(_EMPTY[1:], tiles, strict=True))


def render_maps(pictures: Mapping[str, Image.Image] | None = None) -> str:
    """Return HTML: each picture under its label; labels and hints if there are none.

    Args:
        pictures: By label; None for none.
    """
    shown = {
        label: f'<img src="{plots.png_url(picture)}" alt="">'
        for label, picture in (pictures or {}).items()
    } or dict.fromkeys(_EMPTY, "<span>Draw first</span>")
    figures = "".join(
        f"<figure><figcaption>{escape(label)}</figcaption><div>{picture}</div></figure>"
        for label, picture in shown.items()
    )
    return f'<div class="maps">{figures}</div>'


def build_maps() -> gr.HTML:
    """Build the pictures; they have an input event when there is something new to look at."""
    return gr.HTML(
        render_maps(),
        css_template=_CSS,
        js_on_load=LOOK_JS,
        apply_default_css=False,
        padding=False,
        elem_id="draw-maps",
    )
