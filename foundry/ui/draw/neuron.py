"""One neuron: any square of an activation taken apart, as arithmetic that the page does itself.

The page is sent the weights of a network once, and for every drawing what its layers answer.
"""

import base64
import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from gradio.components import Component

from foundry.data import normalize
from foundry.digits.activations import Layer, compute_outputs, fingerprint, list_layers
from foundry.errors import ArtifactError, InputError
from foundry.ui.components.model_choice import load_digit_model
from foundry.ui.components.pad import read_pad
from foundry.ui.draw.look_inside import DRAW_FIRST_TEXT
from foundry.ui.page import palette
from foundry.ui.page.feedback import LATEST

# What a hidden layer of the CNN has more of: megabytes, for one neuron at a time.
_MAX_SENT = 250_000
_SCRIPTS = Path(__file__).parent
_JS = "\n".join(
    (_SCRIPTS / name).read_text("utf-8") for name in ("neuron_sums.js", "neuron_view.js")
)
_WORDS = {
    "how": "Press a square. By keyboard: arrow keys move it, Page Up and Page Down change the map.",
    "drawn": "The drawing: what the square depends on",
    "convolutions": ["First convolution", "Second convolution"],
    "hidden": "Hidden layer {}",
    "outputs": "Outputs (logits)",
    "map": "Map {}",
    "neuron": "Neuron {}",
    "digit": "Digit {}",
    "square": "Map {}, row {}, column {}",
    "patch": "The patch it saw",
    "patchOf": "The patch it saw of map {}",
    "kernel": "Its kernel",
    "products": "The products",
    "sum": "Products together",
    "bias": "Bias",
    "total": "Sum",
    "after": "After ReLU",
    "fedMaps": "Which maps fed it, and by how much",
    "fedNeurons": "What fed it, times its weight",
    "rest": "The other {} together: {}.",
    "paper": "The network is given −0.424 for paper and 2.822 for full ink; around the picture "
    "is 0.",
    "largest": "Of every 2x2 squares the largest goes on to the next layer: here this one.",
    "notLargest": "Of every 2x2 squares the largest goes on to the next layer: here a neighbour.",
    "unsent": "It reads {} numbers, whose weights are too many to be sent to the page.",
}

_HTML = """
<p class="hint"></p>
<div class="body" hidden>
  <div><p class="note how"></p><div class="layers"></div></div>
  <div class="apart">
    <p class="said-of"><b class="title"></b> <span class="place"></span>
      <output class="said" id="neuron-said"></output></p>
    <div class="where">
      <figure><figcaption class="drawn"></figcaption><canvas role="presentation"></canvas></figure>
      <figure class="map"><figcaption></figcaption><canvas role="presentation"></canvas></figure>
    </div>
    <dl class="sums">
      <div><dt class="sum"></dt><dd></dd></div><div><dt class="bias"></dt><dd></dd></div>
      <div><dt class="total"></dt><dd></dd></div>
      <div class="relu"><dt class="after"></dt><dd></dd></div>
    </dl>
    <p class="unsent"></p>
    <div class="grids"></div>
    <div class="notes note"></div>
    <div class="fed-row">
      <p class="fed-title"></p><div class="fed"></div><p class="rest note"></p>
    </div>
  </div>
</div>
"""
_CSS = """
.body { display: grid; gap: 1rem 2rem; align-items: start;
  grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); }
.body[hidden], [hidden] { display: none !important; }
@media (max-width: 760px) { .body { grid-template-columns: minmax(0, 1fr); } }
p { margin: 0; }
.hint, .note { color: var(--body-text-color-subdued); font-size: 0.9rem; }
.note p + p { margin-top: 0.2rem; }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--body-text-color-subdued); font-size: 0.875rem; margin-bottom: 0.3rem; }
canvas { display: block; max-width: 100%; border-radius: 4px; }
.layers { display: grid; gap: 0.9rem; margin-top: 0.7rem; }
.layers canvas, .map canvas { cursor: crosshair; touch-action: manipulation; }
.layers canvas { width: 100%; }
canvas:focus-visible { outline: 2px solid var(--foundry-blue); outline-offset: 3px; }
.outs { display: grid; gap: 4px; grid-template-columns: repeat(auto-fit, minmax(44px, 1fr)); }
button { font: inherit; margin: 0; cursor: pointer; background: none;
  border: 1px solid var(--border-color-primary); border-radius: 6px; color: inherit; }
button:hover { background: var(--button-secondary-background-fill-hover); }
button[aria-pressed=true] { outline: 2px solid var(--foundry-vermilion); }
.outs button { padding: 0.2rem 0; text-align: center; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.outs b, .outs span { display: block; font-weight: 500; }
.outs .best b { font-weight: 750; color: var(--foundry-right); }
.outs span { font-size: 0.75rem; color: var(--body-text-color-subdued); }
.said-of { font-size: 1.05rem; display: flex; flex-wrap: wrap; gap: 0 0.7rem;
  align-items: baseline; }
.said { font-weight: 650; font-variant-numeric: tabular-nums; margin-left: auto; }
.where { display: flex; flex-wrap: wrap; gap: 0.8rem 1.2rem; margin-top: 0.7rem; }
.where figure { flex: 0 1 224px; }
.where canvas { width: 100%; image-rendering: pixelated; }
dl { display: flex; flex-wrap: wrap; gap: 0.4rem 1.6rem; margin: 0.9rem 0; }
dt { color: var(--body-text-color-subdued); font-size: 0.8rem; }
dd { margin: 0; font-weight: 650; font-variant-numeric: tabular-nums; }
.grids { display: grid; gap: 0.8rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(200px, 100%), 1fr)); }
.numbers { display: grid; gap: 1px; grid-template-columns: repeat(var(--columns), 1fr);
  font-size: 0.6875rem; font-variant-numeric: tabular-nums; text-align: center; }
.numbers span { padding: 0.55em 0; border-radius: 3px; color: var(--body-text-color);
  background: color-mix(in srgb, var(--colour) var(--share), transparent); }
.numbers .outside { border: 1px dashed var(--border-color-primary);
  color: var(--body-text-color-subdued); }
.notes { margin-top: 0.6rem; }
.fed-row { margin-top: 1rem; }
.fed-title { font-weight: 600; font-size: 0.9rem; margin-bottom: 0.4rem; }
.fed { display: grid; gap: 4px; }
.fed button { display: grid; align-items: center; gap: 0.1rem 0.8rem; text-align: left;
  grid-template-columns: minmax(9.5rem, auto) 1fr minmax(60px, 30%); padding: 0.25rem 0.6rem;
  font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.fed .sum { text-align: right; }
.fed i { height: 10px; position: relative; }
.fed i::before { content: ''; position: absolute; inset: 0 50% 0 auto; width: var(--share);
  background: var(--foundry-vermilion); border-radius: 3px; }
.fed .up::before { inset: 0 auto 0 50%; background: var(--foundry-blue); }
@media (max-width: 760px) {
  .fed button { grid-template-columns: 1fr auto; }
  .fed i { grid-column: 1 / -1; }
}
"""


def on_neuron(
    device: str, drawing: Any, model_name: str, token: str, variant: str, known: str
) -> str:
    """Return what the page computes neurons from.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant; of int8 these are the float32 network's numbers.
        known: Of the network whose weights the page has; empty for none.

    Returns:
        JSON: `key` of the network; the `network`, or null where the page knows it; the `pixels` as
        the network is given them and the `values` of every layer before ReLU, float32 in base64;
        or a `hint` in place of all that.
    """
    try:
        network = load_digit_model(model_name, token, device, variant)
        layers = list_layers(network)
        reading = read_pad(network, drawing)
    except (InputError, ArtifactError) as error:
        return json.dumps({"hint": str(error)})
    if reading is None:
        return json.dumps({"hint": DRAW_FIRST_TEXT})
    key = fingerprint(layers)
    described = None if known == key else {"key": key, "layers": [_describe(one) for one in layers]}
    outputs = compute_outputs(network, reading.image)
    return json.dumps(
        {
            "hint": "",
            "key": key,
            "network": described,
            "pixels": _encode(normalize(torch.from_numpy(reading.image[None])).numpy()),
            "values": [
                {"floats": _encode(values), "shape": (*values.shape, 1, 1)[:3]}
                for values in (outputs[layer.name] for layer in layers)
            ],
            "blue": palette.BLUE,
            "vermilion": palette.VERMILION,
            "sky": palette.SKY,
            **_WORDS,
        }
    )


def _describe(layer: Layer) -> dict[str, Any]:
    is_sent = layer.weight.size <= _MAX_SENT
    return {
        "shape": layer.weight.shape,
        "weight": _encode(layer.weight) if is_sent else None,
        "bias": _encode(layer.bias),
        "padding": layer.padding,
    }


def _encode(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def build_neuron(device: str, inputs: list[Component]) -> None:
    """Build the row, closed.

    Args:
        device: Where models run.
        inputs: The pad, the chosen model, the visitor's token and the name of the variant.
    """

    def answer(drawing: Any, model_name: str, token: str, variant: str, event: gr.EventData) -> str:
        return on_neuron(device, drawing, model_name, token, variant, event.known)

    with gr.Accordion("One neuron", open=False, elem_id="draw-neuron-row"):
        shown = gr.HTML(
            "",
            html_template=_HTML,
            css_template=_CSS,
            js_on_load=_JS,
            apply_default_css=False,
            padding=False,
            elem_classes="flush",
            elem_id="draw-neuron",
        )
    shown.select(answer, inputs, shown, **LATEST)
