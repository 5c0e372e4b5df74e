"""A map of digits: 500 of them and the visitor's own, laid out as the network tells them apart.

The numbers come with those of `replay.py`; the strip of `watch.py` says which moment is in sight.
"""

import json
from collections.abc import Callable
from functools import lru_cache

import gradio as gr
import numpy as np

from foundry.data import IMAGE_SIZE, Split
from foundry.ui.components.plots import ink_mask
from foundry.ui.page import palette
from foundry.ui.page.feedback import EVERY

_COLUMNS = 25
_WORDS = {
    "title": "A map of digits: its last hidden layer in two dimensions",
    "note": "500 validation digits and yours, which has a ring. The axes are those in which the "
    "network's end tells digits apart most (PCA), so the map stands still and the digits move. "
    "Press one to see it; arrow keys go to the next.",
    "read": "It is a {}, read as {}.",
    "yours": "Yours, read as {}.",
    "press": "Press a digit.",
}

_HTML = """
<p><b class="title"></b></p>
<div class="sides">
  <canvas tabindex="0" role="application"></canvas>
  <div class="pressed"><i hidden></i><output></output></div>
</div>
<p class="note"></p>
"""
_CSS = """
p { margin: 1.2rem 0 0.4rem; font-size: 0.875rem; }
.sides { display: flex; flex-wrap: wrap; gap: 0.8rem 1.2rem; align-items: flex-start; }
canvas { width: 100%; max-width: 420px; aspect-ratio: 1; cursor: crosshair;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  background: var(--block-background-fill); color: var(--body-text-color); }
canvas:focus-visible { outline: 2px solid var(--foundry-blue); outline-offset: 2px; }
.pressed { display: flex; gap: 0.8rem; align-items: center; font-size: 0.9rem; min-height: 72px; }
.pressed i { width: 72px; aspect-ratio: 1; background: var(--body-text-color);
  image-rendering: pixelated; }
.pressed i[hidden] { display: none; }
.note { color: var(--body-text-color-subdued); font-size: 0.85rem; margin: 0.5rem 0 0; }
"""
_JS = """
const SIZE = 840, EDGE = 24;
const find = (selector) => element.querySelector(selector);
const canvas = find('canvas'), picture = find('.pressed i'), said = find('output');
const fill = (words, ...those) => those.reduce((all, one) => all.replace('{}', one), words);
let data = null, isAsked = false, isSeen = false, places = [], pressed = null;

function frameInSight() {
  const at = window.foundryMoment, replay = window.foundryReplay;
  return at && replay && at.run === replay.run
    ? replay.frames.find((frame) => frame.step === at.step) : undefined;
}
function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const room = SIZE - 2 * EDGE, found = [];
  for (let i = 0; i < bytes.length; i += 2)
    found.push([EDGE + room * bytes[i] / 255, SIZE - EDGE - room * bytes[i + 1] / 255]);
  return found;
}
// The digits' own places, then the visitor's, if there is one.
function paint() {
  const frame = frameInSight();
  if (!data || !frame?.points) return;
  places = [...decode(frame.points), ...decode(frame.own)];
  canvas.dataset.points = places.length;
  const context = canvas.getContext('2d'), style = getComputedStyle(canvas);
  context.clearRect(0, 0, SIZE, SIZE);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `600 22px ${style.fontFamily}`;
  const text = style.color;
  data.labels.forEach((label, i) => {
    context.fillStyle = data.colours[label];
    context.fillText(label, ...places[i]);
  });
  const ring = (place, size, colour, width) => {
    context.beginPath();
    context.arc(...place, size, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  };
  const own = places[data.labels.length];
  if (own) {
    context.font = `800 40px ${style.fontFamily}`;
    context.fillStyle = text;
    const percents = frame.percents[0];
    context.fillText(percents.indexOf(Math.max(...percents)), ...own);
    ring(own, 30, text, 5);
  }
  if (pressed !== null && places[pressed]) ring(places[pressed], 22, data.ring, 5);
  tell(frame);
}
function tell(frame) {
  const isOwn = pressed === data.labels.length;
  picture.hidden = pressed === null || pressed >= places.length;
  if (picture.hidden) { said.textContent = data.press; return; }
  const mask = isOwn ? window.foundryReplay.ink : data.sprite;
  const across = data.columns, down = data.labels.length / across;
  const [x, y] = [pressed % across / (across - 1), Math.floor(pressed / across) / (down - 1)];
  picture.style.mask = isOwn ? `url(${mask}) 0 0 / 100% 100% no-repeat`
    : `url(${mask}) ${100 * x}% ${100 * y}% / ${100 * across}% ${100 * down}% no-repeat`;
  const percents = frame.percents[0];
  said.textContent = isOwn ? fill(data.yours, percents.indexOf(Math.max(...percents)))
    : fill(data.read, data.labels[pressed], frame.answers[pressed]);
}
const distance = ([x0, y0], [x1, y1]) => Math.hypot(x1 - x0, y1 - y0);
function nearest(those, from) {
  return those.reduce((best, one) =>
    best === null || distance(places[one], from) < distance(places[best], from) ? one : best, null);
}
canvas.addEventListener('pointerdown', (event) => {
  const box = canvas.getBoundingClientRect();
  const at = [(event.clientX - box.left) * SIZE / box.width,
    (event.clientY - box.top) * SIZE / box.height];
  if (!places.length) return;
  pressed = nearest([...places.keys()], at);
  paint();
});
canvas.addEventListener('keydown', (event) => {
  const [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[
    event.key] ?? [0, 0];
  if (!places.length || !(dx || dy)) return;
  event.preventDefault();
  if (pressed === null || !places[pressed]) pressed = places.length - 1;
  else {
    // Only what lies in that direction rather than across it.
    const [x, y] = places[pressed];
    const those = [...places.keys()].filter((one) => {
      const along = dx * (places[one][0] - x) + dy * (places[one][1] - y);
      const across = dx * (places[one][1] - y) - dy * (places[one][0] - x);
      return along > 0 && along >= Math.abs(across);
    });
    pressed = nearest(those, [x, y]) ?? pressed;
  }
  paint();
});
function ask() {
  if (!isSeen || data || isAsked || !window.foundryReplay) return;
  isAsked = true;
  trigger('select', {});
}
function take() {
  if (!props.value) return;
  data = JSON.parse(props.value);
  for (const name of ['title', 'note']) find('.' + name).textContent = data[name];
  canvas.setAttribute('aria-label', data.title);
  said.textContent = data.press;
  paint();
}
[canvas.width, canvas.height] = [SIZE, SIZE];
document.addEventListener('foundry-moment', paint);
document.addEventListener('foundry-replayed', () => {
  // What a run on other data makes of digits says nothing.
  element.hidden = !window.foundryReplay.isOfDigits;
  ask();
  paint();
});
new IntersectionObserver((entries) => {
  isSeen = entries.at(-1).isIntersecting;
  ask();
}).observe(element);
watch('value', take);
take();
"""


def build_digit_map(load: Callable[[], Split]) -> None:
    """Build the map, empty until somebody looks at it.

    Args:
        load: Returns the digits on it, a whole number of rows of them; the replay's
            frames have their `points`, two bytes each in base64, and `answers`, a letter each.
    """
    shown = gr.HTML(
        "",
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id="train-map",
    )

    @lru_cache(maxsize=1)
    def describe() -> str:
        digits = load()
        # Rows of them: one row would be wider than a picture may be once it is enlarged.
        rows = np.stack(list(digits.images.numpy())).reshape(-1, _COLUMNS, IMAGE_SIZE, IMAGE_SIZE)
        sheet = rows.transpose(0, 2, 1, 3).reshape(-1, _COLUMNS * IMAGE_SIZE)
        return json.dumps(
            {
                "labels": digits.labels.tolist(),
                "sprite": ink_mask(sheet),
                "columns": _COLUMNS,
                "colours": palette.CLASSES,
                "ring": palette.VERMILION,
                **_WORDS,
            }
        )

    shown.select(describe, None, shown, **EVERY)
