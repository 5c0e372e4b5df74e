"""What the network makes of the drawing, layer by layer, as long as somebody looks at it."""

from html import escape
from typing import Any

import gradio as gr
from PIL import Image

from foundry.digits.activations import compute_activations
from foundry.ui.components import plots
from foundry.ui.components.model_choice import load_digit_model, load_digit_predictor
from foundry.ui.draw.pad import read_pad
from foundry.ui.page.feedback import shows_errors

_LABELS = (
    "What the model sees: 28x28",
    "First convolution: one square a filter",
    "Second convolution",
)
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
_LOOK_JS = """
const every_ms = 450;
let drawing = '', shown = '', isSeen = false, timer = null, observer = null;

function look() {
  timer = null;
  if (!isSeen || drawing === shown) return;
  shown = drawing;
  trigger('input');
}
function lookSoon() { timer ??= setTimeout(look, every_ms); }
document.addEventListener('foundry-drawn', (event) => {
  drawing = event.detail;
  if (!observer) {
    observer = new IntersectionObserver((entries) => {
      isSeen = entries.at(-1).isIntersecting;
      if (isSeen) lookSoon();
    });
    observer.observe(element);
  }
  lookSoon();
});
"""


@shows_errors
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
    reading = read_pad(load_digit_predictor(model_name, token, device, variant), drawing)
    if reading is None:
        return render_maps()
    network = load_digit_model(model_name, token, device, variant)
    activations = compute_activations(network, reading.image).values()
    # A pixel for each value, which the page enlarges.
    tiles = [plots.tile(maps, columns=8, zoom=1) for maps in activations]
    return render_maps(Image.fromarray(reading.image), *tiles)


def render_maps(*pictures: Image.Image) -> str:
    """Return HTML: each picture under its label, a hint where there is none.

    Args:
        pictures: At most three.
    """
    shown = [f'<img src="{plots.png_url(picture)}" alt="">' for picture in pictures]
    shown += ["<span>Draw first</span>"] * (len(_LABELS) - len(shown))
    figures = "".join(
        f"<figure><figcaption>{escape(label)}</figcaption><div>{picture}</div></figure>"
        for label, picture in zip(_LABELS, shown, strict=True)
    )
    return f'<div class="maps">{figures}</div>'


def build_maps() -> gr.HTML:
    """Build the pictures; they have an input event when there is something new to look at."""
    return gr.HTML(
        render_maps(),
        css_template=_CSS,
        js_on_load=_LOOK_JS,
        apply_default_css=False,
        padding=False,
        elem_id="draw-maps",
    )
