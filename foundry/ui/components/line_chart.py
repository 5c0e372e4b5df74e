"""A line chart that grows while a run goes on: drawn by the page from points, read by pointing."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

# More digits than a pixel shows would only be sent.
_DIGITS = 5

_CSS = """
figure { margin: 0; border: 1px solid var(--border-color-primary); position: relative;
  border-radius: var(--radius-lg); padding: 0.6rem 0.8rem 0.5rem;
  background: var(--block-background-fill); }
figcaption { margin: 0 0 0.3rem; font-weight: 650; font-size: 0.875rem;
  color: var(--body-text-color); }
.plot { position: relative; height: 200px; touch-action: pan-y; }
.plot:focus-visible { outline: 2px solid var(--foundry-blue); outline-offset: 3px; }
.plot > svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
svg text { font-size: 11.5px; fill: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; }
.grid { stroke: var(--border-color-primary); stroke-width: 1; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.mark { stroke-width: 1.5; stroke-dasharray: 4 4; }
.cursor { stroke: var(--body-text-color-subdued); stroke-width: 1; }
.dot { stroke: var(--block-background-fill); stroke-width: 1.5; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; min-height: 1.2rem;
  font-size: 0.8rem; color: var(--body-text-color-subdued); }
.legend i, .tip i { display: inline-block; width: 1.3em; border-top: 3px solid;
  vertical-align: 0.25em; margin-right: 0.45em; }
.legend i.mark { border-top: 2px dashed; }
.tip { position: absolute; top: 0; pointer-events: none; padding: 0.3rem 0.55rem; z-index: 2;
  font-size: 0.8rem; white-space: nowrap; border-radius: var(--radius-md);
  border: 1px solid var(--border-color-primary); background: var(--background-fill-primary);
  color: var(--body-text-color); font-variant-numeric: tabular-nums;
  box-shadow: 0 2px 8px rgb(0 0 0 / 15%); }
.tip div { display: flex; align-items: baseline; gap: 0.2rem; }
.tip b { margin-left: auto; padding-left: 0.8rem; }
.tip[hidden] { display: none; }
"""
# What draws a chart begins with this.
SVG_JS = """
const SVG = 'http://www.w3.org/2000/svg';
const add = (parent, name, attributes, text) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
};
"""
_JS = (
    SVG_JS
    + """
const LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 36;
const plot = element.querySelector('.plot'), legend = element.querySelector('.legend');
let data = null, scale = null, pointed = null;

function span(text, isOwn) {
  const node = Object.assign(document.createElement('span'), {textContent: text});
  // A visitor's own name is not translated.
  if (isOwn) node.translate = false;
  return node;
}
function line(curve) {
  const node = document.createElement('i');
  node.className = curve.isMark ? 'mark' : '';
  node.style.borderColor = curve.color;
  return node;
}
function listTicks([low, high], room, isWhole) {
  const rough = (high - low) / Math.max(1, room), size = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((one) => one >= rough);
  if (isWhole) step = Math.max(1, Math.round(step));
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}
function draw() {
  const width = plot.clientWidth, height = plot.clientHeight;
  if (!data || !width) return;
  const [x0, x1] = data.x, [y0, y1] = data.y;
  const inner = [width - LEFT - RIGHT, height - TOP - BOTTOM];
  scale = {
    x: (value) => inner[0] * (value - x0) / (x1 - x0),
    y: (value) => inner[1] * (y1 - value) / (y1 - y0),
    width,
  };
  const svg = document.createElementNS(SVG, 'svg');
  for (const tick of listTicks(data.y, 4.5, false)) {
    const y = TOP + scale.y(tick);
    add(svg, 'line', {class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y, y2: y});
    add(svg, 'text', {x: LEFT - 7, y: y + 4, 'text-anchor': 'end'}, tick + data.unit);
  }
  for (const tick of listTicks(data.x, Math.max(2, Math.floor(inner[0] / 64)), data.xIsWhole))
    add(svg, 'text', {x: LEFT + scale.x(tick), y: height - BOTTOM + 17,
      'text-anchor': 'middle'}, tick);
  add(svg, 'text', {x: LEFT + inner[0] / 2, y: height - 3, 'text-anchor': 'middle'}, data.xTitle);
  // One of its own, beyond which nothing is drawn.
  const field = add(svg, 'svg', {x: LEFT, y: TOP, width: inner[0], height: inner[1]});
  for (const curve of data.curves) {
    if (curve.isMark) {
      for (const [at] of curve.points)
        add(field, 'line', {class: 'mark', stroke: curve.color, x1: scale.x(at), x2: scale.x(at),
          y1: 0, y2: inner[1]});
      continue;
    }
    const places = curve.points.map((point) => [scale.x(point[0]), scale.y(point[1])]);
    const path = places.map((place) => place.map((one) => one.toFixed(1)).join(' ')).join('L');
    if (path) add(field, 'path', {class: 'curve', stroke: curve.color, d: 'M' + path});
  }
  for (const curve of data.curves.filter((one) => !one.isMark && one.points.length)) {
    const [x, y] = curve.points.at(-1);
    if (y >= y0 && y <= y1)
      add(svg, 'circle', {class: 'dot', fill: curve.color, r: 4, cx: LEFT + scale.x(x),
        cy: TOP + scale.y(y)});
  }
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  plot.replaceChildren(svg, tip);
  point();
}
function listX() {
  const all = data.curves.filter((one) => !one.isMark).flatMap((one) => one.points.map(([x]) => x));
  return [...new Set(all)].sort((a, b) => a - b);
}
// What is told at the place in sight: of each curve its nearest point.
function point() {
  const svg = plot.querySelector('svg'), tip = plot.querySelector('.tip');
  if (!svg) return;
  svg.querySelectorAll('.cursor').forEach((node) => node.remove());
  tip.hidden = pointed === null;
  if (pointed === null) return;
  const x = LEFT + scale.x(pointed);
  svg.prepend(add(svg, 'line', {class: 'cursor', x1: x, x2: x, y1: TOP,
    y2: plot.clientHeight - BOTTOM}));
  const head = document.createElement('div');
  head.append(span(data.xTitle), span(' ' + Number(pointed.toFixed(2))));
  const rows = data.curves.filter((one) => !one.isMark && one.points.length).map((curve) => {
    const [, y] = curve.points.reduce((best, one) =>
      Math.abs(one[0] - pointed) < Math.abs(best[0] - pointed) ? one : best);
    const row = document.createElement('div'), value = document.createElement('b');
    value.textContent = (data.unit ? y.toFixed(2) : y.toPrecision(3)) + data.unit;
    row.append(line(curve), span(curve.name, curve.isOwn), value);
    return row;
  });
  tip.replaceChildren(head, ...rows);
  const isRight = x > plot.clientWidth / 2;
  tip.style.left = isRight ? '' : `${x + 10}px`;
  tip.style.right = isRight ? `${plot.clientWidth - x + 10}px` : '';
}
function pointAt(event) {
  if (!data || !scale) return;
  const at = event.clientX - plot.getBoundingClientRect().left - LEFT;
  const nearest = listX().reduce((best, x) =>
    best === null || Math.abs(scale.x(x) - at) < Math.abs(scale.x(best) - at) ? x : best, null);
  if (nearest !== pointed) { pointed = nearest; point(); }
}
function leave() { pointed = null; point(); }
plot.addEventListener('pointermove', pointAt);
plot.addEventListener('pointerdown', pointAt);
plot.addEventListener('pointerleave', leave);
plot.addEventListener('blur', leave);
plot.addEventListener('keydown', (event) => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (!step || !data) return;
  event.preventDefault();
  const all = listX();
  const now = pointed === null ? (step < 0 ? all.length : -1) : all.indexOf(pointed);
  pointed = all[Math.min(all.length - 1, Math.max(0, now + step))] ?? null;
  point();
});
function showLegend() {
  legend.replaceChildren(...data.curves.map((curve) => {
    const entry = document.createElement('span');
    entry.append(line(curve), span(curve.name, curve.isOwn));
    return entry;
  }));
}
function take() {
  if (!props.value) return;
  const read = JSON.parse(props.value);
  const names = (value) => JSON.stringify(value?.curves.map(({name, color}) => [name, color]));
  const isNew = names(read) !== names(data);
  data = read;
  if (isNew) showLegend();
  draw();
}
new ResizeObserver(() => { if (plot.clientWidth !== scale?.width) draw(); }).observe(plot);
watch('value', take);
take();
"""
)


@dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Attributes:
        name: For the legend.
        color: As the palette has it.
        points: (x, y) from left to right; what is not finite is left out.
        is_mark: Drawn as vertical lines at its points' x instead.
        is_own: Whether its name is the visitor's, which is not translated.
    """

    name: str
    color: str
    points: Sequence[tuple[float, float | None]]
    is_mark: bool = False
    is_own: bool = False


def build_line_chart(title: str, **options: Any) -> gr.HTML:
    """Build a chart, empty.

    Args:
        title: What it says above.
        options: Further ones, as `gr.HTML` takes them.
    """
    return gr.HTML(
        "",
        html_template=(
            f"<figure><figcaption>{escape(title)}</figcaption>"
            f'<div class="plot" tabindex="0" role="img" aria-label="{escape(title)}"></div>'
            '<div class="legend"></div></figure>'
        ),
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        min_width=280,
        **options,
    )


def render_lines(
    curves: Sequence[Curve],
    x_range: Sequence[float],
    y_range: Sequence[float],
    unit: str = "",
    x_title: str = "Epoch",
    x_is_whole: bool = True,
) -> str:
    """Return what the chart shows, as JSON.

    Args:
        curves: The legend has them in this order, also those without a point yet.
        x_range: The two ends of the horizontal axis.
        y_range: Of the vertical axis; what is beyond is cut off.
        unit: Stands behind each value.
        x_title: Below the horizontal axis.
        x_is_whole: Whether its ticks are whole numbers.
    """
    return json.dumps(
        {
            "curves": [
                {
                    "name": curve.name,
                    "color": curve.color,
                    "points": [
                        (_round(x), _round(y))
                        for x, y in curve.points
                        if y is not None and math.isfinite(y)
                    ],
                    "isMark": curve.is_mark,
                    "isOwn": curve.is_own,
                }
                for curve in curves
            ],
            "x": list(x_range),
            "y": list(y_range),
            "unit": unit,
            "xTitle": x_title,
            "xIsWhole": x_is_whole,
        },
        allow_nan=False,
    )


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
