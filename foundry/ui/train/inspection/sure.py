"""How sure is sure: a run's reliability diagram on validation, at any temperature."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from foundry.models import load_model
from foundry.models.runtime import compute_logits
from foundry.runs.data_sets import load_data
from foundry.training.inspection.reliability import Reliability, measure_reliability
from foundry.training.runs import Run, read_own_run
from foundry.ui.components.line_chart import SVG_JS
from foundry.ui.page.feedback import EVERY, shows_errors

# From a quarter to four, eight steps to each doubling.
TEMPERATURES = [2 ** (step / 8) for step in range(-16, 17)]
_WORDS = {
    "temperature": "Temperature",
    "error": "Calibration error",
    "loss": "Validation loss (nats)",
    "average": "On average {}% sure, {}% right.",
    "best": "The loss is lowest at {}, on these same digits.",
    "x": "How sure (%)",
    "y": "Of these, right (%)",
    "isRight": "how often it is right",
    "isSure": "how sure it is",
    "note": "5,000 validation digits in 15 bins by how sure the network is. On the diagonal it is "
    "as often right as it is sure. Above a temperature of 1 it is made less sure of everything, "
    "below 1 more; no answer changes.",
}
_OWN_WORDS = {
    "best": "The loss is lowest at {}, on these same pictures.",
    "note": "The validation pictures in 15 bins by how sure the network is. On the diagonal it is "
    "as often right as it is sure. Above a temperature of 1 it is made less sure of everything, "
    "below 1 more; no answer changes.",
}

_HTML = """
<div class="sides">
  <div class="plot" role="img"></div>
  <div class="said">
    <label><span class="knob"></span> <output></output><input type="range" min="0" step="1"></label>
    <dl><div><dt class="error"></dt><dd></dd></div><div><dt class="loss"></dt><dd></dd></div></dl>
    <p class="average"></p>
    <p class="best"></p>
    <div class="legend"><span><i class="is-right"></i><span></span></span>
      <span><i class="is-sure"></i><span></span></span></div>
    <p class="note"></p>
  </div>
</div>
"""
_CSS = """
.sides { display: grid; gap: 0.6rem 1.6rem; align-items: start; min-height: 300px;
  grid-template-columns: repeat(auto-fit, minmax(min(270px, 100%), 1fr)); }
.sides:not(.measured) { visibility: hidden; }
svg { display: block; width: 100%; max-width: 380px; font-size: 12px; }
svg text { fill: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--border-color-primary); }
.diagonal { stroke: var(--body-text-color-subdued); stroke-dasharray: 4 4; }
.bar { fill: var(--foundry-blue); }
.gap { fill: none; stroke: var(--foundry-vermilion); stroke-width: 2; }
label { display: block; font-weight: 600; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
label input { display: block; width: 100%; margin: 0.4rem 0 0; accent-color: var(--foundry-blue); }
dl { display: flex; gap: 0.4rem 2rem; flex-wrap: wrap; margin: 0.8rem 0 0.4rem; }
dt { color: var(--body-text-color-subdued); font-size: 0.8rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 650; font-variant-numeric: tabular-nums; }
p { margin: 0.2rem 0; font-size: 0.9rem; }
.note, .legend { color: var(--body-text-color-subdued); font-size: 0.85rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; margin: 0.5rem 0; }
.legend i { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.4em;
  vertical-align: -0.1em; border-radius: 2px; }
.is-right { background: var(--foundry-blue); }
i.is-sure { height: 0; border-top: 2px solid var(--foundry-vermilion); vertical-align: 0.25em; }
"""
_JS = (
    SVG_JS
    + """
const SIZE = 300, LEFT = 44, TOP = 8, BOTTOM = 40;
const find = (selector) => element.querySelector(selector);
const slider = find('input'), figures = element.querySelectorAll('dd');
let data = null, isSeen = false, asked = '';

const fill = (words, ...values) => values.reduce((said, one) => said.replace('{}', one), words);
const x = (share) => LEFT + SIZE * share, y = (share) => TOP + SIZE * (1 - share);

function drawBins(bins) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${LEFT + SIZE + 12} ${TOP + SIZE + BOTTOM}`);
  for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    add(svg, 'line', {class: 'grid', x1: x(0), x2: x(1), y1: y(share), y2: y(share)});
    add(svg, 'text', {x: x(0) - 6, y: y(share) + 4, 'text-anchor': 'end'}, 100 * share);
    add(svg, 'text', {x: x(share), y: y(0) + 16, 'text-anchor': 'middle'}, 100 * share);
  }
  add(svg, 'text', {x: x(0.5), y: y(0) + 34, 'text-anchor': 'middle'}, data.x);
  add(svg, 'text', {transform: `translate(11 ${y(0.5)}) rotate(-90)`, 'text-anchor': 'middle'},
    data.y);
  bins.forEach(([count, confidence, accuracy], i) => {
    if (!count) return;
    const [left, right] = [x(i / bins.length) + 1, x((i + 1) / bins.length) - 1];
    const bar = add(svg, 'rect', {class: 'bar', x: left, width: right - left, y: y(accuracy),
      height: SIZE * accuracy,
      // The fewer digits, the paler.
      'fill-opacity': Math.min(1, 0.25 + 0.25 * Math.log10(count))});
    add(bar, 'title', {}, `${(100 * confidence).toFixed(1)}% → ${(100 * accuracy).toFixed(1)}% `
      + `(${count})`);
    add(svg, 'line', {class: 'gap', x1: left, x2: right, y1: y(confidence), y2: y(confidence)});
  });
  add(svg, 'line', {class: 'diagonal', x1: x(0), y1: y(0), x2: x(1), y2: y(1)});
  find('.plot').replaceChildren(svg);
}
function paint() {
  const row = data.rows[Number(slider.value)];
  const percent = (share) => (100 * share).toFixed(2);
  drawBins(row.bins);
  find('output').textContent = row.temperature.toFixed(2);
  slider.setAttribute('aria-valuetext', row.temperature.toFixed(2));
  figures[0].textContent = `${percent(row.error)}%`;
  figures[1].textContent = row.loss.toFixed(4);
  find('.average').textContent = fill(data.average, percent(row.sure), percent(data.right));
  find('.plot').setAttribute('aria-label', find('.average').textContent);
}
function ask() {
  if (!isSeen || !data || !data.run || data.rows || asked === data.run) return;
  asked = data.run;
  trigger('select', {run: data.run});
}
function take() {
  if (!props.value) return;
  data = JSON.parse(props.value);
  find('.sides').classList.toggle('measured', Boolean(data.rows));
  if (!data.rows) { ask(); return; }
  find('.knob').textContent = data.temperature;
  find('.error').textContent = data.error;
  find('.loss').textContent = data.loss;
  find('.note').textContent = data.note;
  find('.is-right + span').textContent = data.isRight;
  find('.is-sure + span').textContent = data.isSure;
  const losses = data.rows.map((row) => row.loss);
  const best = data.rows[losses.indexOf(Math.min(...losses))];
  find('.best').textContent = fill(data.best, best.temperature.toFixed(2));
  slider.max = data.rows.length - 1;
  slider.setAttribute('aria-label', data.temperature);
  slider.value = data.rows.findIndex((row) => row.temperature === 1);
  paint();
}
slider.addEventListener('input', paint);
new IntersectionObserver((entries) => {
  isSeen = entries.at(-1).isIntersecting;
  ask();
}).observe(element);
watch('value', take);
take();
"""
)


def render_sure(run: Run) -> str:
    """Return what the component holds of a run before somebody looks at it.

    Args:
        run: A finished run of the visitor's.
    """
    return json.dumps({"run": run.run_id, "rows": None})


@shows_errors
def on_sure(token: str, event: gr.EventData) -> str:
    """Measure how sure the kept network of a run is, at every temperature.

    Args:
        token: The visitor's token.
        event: Carries the run's id.
    """
    run = read_own_run(event.run, token)
    logits, labels = _compute(run.best_folder, run.config.dataset), run.data.val.labels
    right = float((logits.argmax(1) == labels).double().mean())
    measured = [measure_reliability(logits, labels, one) for one in TEMPERATURES]
    rows = [_describe(one) for one in measured]
    words = _WORDS if run.is_on_mnist else _WORDS | _OWN_WORDS
    return json.dumps({"run": run.run_id, "right": right, "rows": rows, **words})


def build_sure(visitor: gr.BrowserState) -> gr.HTML:
    """Build the part, closed.

    Args:
        visitor: Holds the visitor's token.

    Returns:
        What `render_sure()` fills.
    """
    with gr.Accordion("How sure is sure", open=False, elem_id="train-sure"):
        shown = gr.HTML(
            "",
            html_template=_HTML,
            css_template=_CSS,
            js_on_load=_JS,
            apply_default_css=False,
            padding=False,
            elem_classes="flush",
            elem_id="train-reliability",
        )
    shown.select(on_sure, visitor, shown, **EVERY)
    return shown


@lru_cache(maxsize=64)
def _compute(best_folder: Path, dataset: str) -> torch.Tensor:
    # Of a finished run, whose weights stay as they are.
    return compute_logits(load_model(best_folder), load_data(dataset).val.images)


def _describe(measured: Reliability) -> dict[str, Any]:
    return {
        "temperature": measured.temperature,
        "error": measured.calibration_error,
        "loss": measured.loss,
        "sure": measured.confidence,
        "bins": [
            [bin.count, round(bin.confidence, 4), round(bin.accuracy, 4)] for bin in measured.bins
        ],
    }
