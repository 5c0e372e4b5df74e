"""Letters by frames as a chart: how probable each is, and the paths through them.

Drawn by the page from what the server sends; read by pointing, or with the arrow keys.
"""

from html import escape

import gradio as gr

from foundry.ui.components.line_chart import SVG_JS

TITLE = "The probability of every letter over time"

_CSS = """
figure { margin: 0; border: 1px solid var(--border-color-primary); position: relative;
  border-radius: var(--radius-lg); padding: 0.6rem 0.8rem 0.5rem;
  background: var(--block-background-fill); }
figcaption { margin: 0 0 0.3rem; font-weight: 650; font-size: 0.875rem;
  color: var(--body-text-color); }
.frame { overflow-x: auto; overflow-y: hidden; position: relative; }
.plot { position: relative; touch-action: pan-x pan-y; }
.plot:focus-visible { outline: 2px solid var(--foundry-blue); outline-offset: -2px; }
.plot canvas, .plot > svg { position: absolute; left: 0; top: 0; }
.plot > svg { overflow: visible; }
svg text { font-size: 11.5px; fill: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; }
svg .letter { font-family: var(--font-mono); fill: var(--body-text-color); }
svg .word { font-weight: 600; fill: var(--body-text-color); }
.free { fill: none; stroke: var(--foundry-orange); stroke-width: 2; stroke-linejoin: round; }
.path { fill: none; stroke: var(--body-text-color); stroke-width: 1.5; stroke-dasharray: 1 4;
  stroke-linecap: round; }
.ring { fill: none; stroke: var(--body-text-color); stroke-width: 1.5; }
.spot { fill: var(--foundry-orange); }
.cursor { stroke: var(--body-text-color-subdued); stroke-width: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; min-height: 1.2rem; margin-top: 0.3rem;
  font-size: 0.8rem; color: var(--body-text-color-subdued); }
.legend i { display: inline-block; width: 1.3em; border-top: 3px solid var(--foundry-orange);
  vertical-align: 0.25em; margin-right: 0.45em; }
.legend i.list { border-top: 3px dotted var(--body-text-color); }
.legend i.cell { border: 0; height: 0.8em; vertical-align: -0.05em; border-radius: 2px;
  background: var(--foundry-right); }
.tip { position: absolute; pointer-events: none; padding: 0.3rem 0.55rem; z-index: 2; top: 4px;
  font-size: 0.8rem; white-space: nowrap; border-radius: var(--radius-md);
  border: 1px solid var(--border-color-primary); background: var(--background-fill-primary);
  color: var(--body-text-color); font-variant-numeric: tabular-nums;
  box-shadow: 0 2px 8px rgb(0 0 0 / 15%); }
.tip[hidden] { display: none; }
.nothing { display: none; }
"""
_HTML = f"""
<figure class="nothing"><figcaption>{escape(TITLE)}</figcaption>
<div class="frame"><div class="plot" tabindex="0" role="img" aria-label="{escape(TITLE)}"></div>
</div>
<div class="legend"><span><i class="cell"></i>the stronger, the more probable</span>
<span class="heard"><i></i>letter by letter (greedy)</span>
<span class="listed"><i class="list"></i>with the word list (beam)</span>
<span>– is the blank, ␣ the end of a word</span></div></figure>
"""
_JS = (
    SVG_JS
    + """
const LEFT = 26, TOP = 20, BOTTOM = 22, ROW = 16, NARROWEST = 6;
const figure = element.querySelector('figure'), plot = element.querySelector('.plot');
const listed = element.querySelector('.listed');
let data = null, cells = null, size = 0, drawnAt = 0, pointed = null;

const decode = (text) => {
  const bytes = atob(text);
  return Uint8Array.from(bytes, (one) => one.charCodeAt(0));
};
const timeOf = (frame) => data.startS + frame * data.strideS;
const xOf = (frame) => LEFT + (frame + 0.5) * size;
const yOf = (row) => TOP + (row + 0.5) * ROW;
function draw() {
  const room = plot.parentElement.clientWidth;
  if (!data || !room) return;
  drawnAt = room;
  const frames = data.free.length, rows = data.symbols.length;
  size = Math.max(NARROWEST, (room - LEFT - 6) / frames);
  const width = Math.floor(LEFT + frames * size + 6), height = TOP + rows * ROW + BOTTOM;
  plot.style.width = `${width}px`;
  plot.style.height = `${height}px`;
  const canvas = document.createElement('canvas'), scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const brush = canvas.getContext('2d');
  brush.scale(scale, scale);
  brush.fillStyle = getComputedStyle(element).getPropertyValue('--foundry-right').trim();
  for (let row = 0; row < rows; row++)
    for (let frame = 0; frame < frames; frame++) {
      const share = cells[row * frames + frame] / 255;
      if (share < 0.005) continue;
      // By the root, so that a tenth can still be seen.
      brush.globalAlpha = Math.sqrt(share);
      brush.fillRect(LEFT + frame * size, TOP + row * ROW + 1, Math.max(1, size - 0.5), ROW - 2);
    }
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('width', width);
  svg.setAttribute('height', height);
  data.symbols.forEach((symbol, row) =>
    add(svg, 'text', {class: 'letter', x: 8, y: yOf(row) + 4}, symbol));
  const every = [0.1, 0.2, 0.5, 1].find((step) => step / data.strideS * size >= 46) ?? 1;
  for (let tick = Math.ceil(timeOf(0) / every); tick * every <= timeOf(frames); tick++) {
    const at = LEFT + (tick * every - data.startS) / data.strideS * size;
    add(svg, 'text', {x: at, y: height - 6, 'text-anchor': 'middle'},
      `${(tick * every).toFixed(1)} s`);
  }
  for (const word of data.words)
    add(svg, 'text', {class: 'word', x: (xOf(word.first) + xOf(word.last)) / 2, y: 13,
      'text-anchor': 'middle', translate: 'no'}, word.word);
  const line = (rows) => rows.map((row, frame) =>
    `${frame ? 'L' : 'M'}${xOf(frame).toFixed(1)} ${yOf(row).toFixed(1)}`).join('');
  add(svg, 'path', {class: 'free', d: line(data.free)});
  data.free.forEach((row, frame) =>
    add(svg, 'circle', {class: 'spot', cx: xOf(frame), cy: yOf(row), r: 2.2}));
  if (data.path) {
    add(svg, 'path', {class: 'path', d: line(data.path)});
    data.path.forEach((row, frame) => {
      if (row !== data.free[frame])
        add(svg, 'circle', {class: 'ring', cx: xOf(frame), cy: yOf(row), r: 4});
    });
  }
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.translate = false;
  tip.hidden = true;
  plot.replaceChildren(canvas, svg, tip);
  point();
}
// What is told of the frame in sight: its time, and what it may be.
function point() {
  const svg = plot.querySelector('svg'), tip = plot.querySelector('.tip');
  if (!svg) return;
  svg.querySelectorAll('.cursor').forEach((node) => node.remove());
  tip.hidden = pointed === null;
  if (pointed === null) return;
  const frames = data.free.length, x = xOf(pointed);
  add(svg, 'line', {class: 'cursor', x1: x, x2: x, y1: TOP,
    y2: TOP + data.symbols.length * ROW});
  const best = data.symbols.map((symbol, row) => [symbol, cells[row * frames + pointed] / 255])
    .filter(([, share]) => share >= 0.01).sort((one, other) => other[1] - one[1]).slice(0, 4);
  tip.textContent = `${timeOf(pointed).toFixed(2)} s   ` + best.map(([symbol, share]) =>
    `${symbol} ${Math.round(100 * share)}%`).join('   ');
  const isRight = x > plot.clientWidth / 2;
  tip.style.left = isRight ? '' : `${x + 10}px`;
  tip.style.right = isRight ? `${plot.clientWidth - x + 10}px` : '';
}
const pointAt = (event) => {
  if (!data) return;
  const at = (event.clientX - plot.getBoundingClientRect().left - LEFT) / size;
  pointed = Math.min(data.free.length - 1, Math.max(0, Math.floor(at)));
  point();
};
const leave = () => { pointed = null; point(); };
plot.addEventListener('pointermove', pointAt);
plot.addEventListener('pointerdown', pointAt);
plot.addEventListener('pointerleave', leave);
plot.addEventListener('blur', leave);
plot.addEventListener('keydown', (event) => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (!step || !data) return;
  event.preventDefault();
  const last = data.free.length - 1;
  pointed = pointed === null ? (step < 0 ? last : 0) : Math.min(last, Math.max(0, pointed + step));
  point();
  const frame = plot.parentElement, x = xOf(pointed);
  if (x < frame.scrollLeft + LEFT || x > frame.scrollLeft + frame.clientWidth - LEFT)
    frame.scrollLeft = x - frame.clientWidth / 2;
});
const take = () => {
  data = props.value ? JSON.parse(props.value) : null;
  cells = data && decode(data.cells);
  pointed = null;
  figure.classList.toggle('nothing', !data);
  if (!data) return;
  listed.hidden = !data.path;
  draw();
};
new ResizeObserver(() => {
  if (plot.parentElement.clientWidth !== drawnAt) draw();
}).observe(plot.parentElement);
// The cells are drawn in the colour of a theme.
new MutationObserver(draw).observe(document.body, {attributes: true, attributeFilter: ['class']});
watch('value', take);
take();
"""
)


def build_chart() -> gr.HTML:
    """Build the chart, out of sight until its value is what `look.render_chart()` returns."""
    return gr.HTML(
        "",
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id="speech-letters",
    )
