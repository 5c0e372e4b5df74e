"""Twenty digits and the first layer's filters, step by step: the network seen while it learns."""

import base64
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np
import torch
from PIL import ImageColor

from foundry.data import DIGITS, normalize
from foundry.digits.activations import first_layer_filters
from foundry.errors import counted
from foundry.models.runtime import on_narrow_thread
from foundry.runs.data_sets import MNIST
from foundry.training.inspection.replay import Moment, list_moments
from foundry.training.runs import Run
from foundry.training.snapshots import find_newest_step
from foundry.ui.components.plots import CARD_CSS
from foundry.ui.page import palette
from foundry.ui.train.inspection.watched import draw_sprite, watched_pictures

# Of a network with more filters, the first ones.
_MAX_FILTERS = 16
_OWN_TITLE = "Pictures it never learns from"
_WORDS = {
    "title": "Ten easy and ten hard digits it never learns from",
    "filtersTitle": "What its first layer looks for",
    "filtersNote": "orange: ink, blue: paper",
    "scrubLabel": "Step of the training",
    "play": "Play",
    "pause": "Pause",
}

_HTML = """
<figure>
  <figcaption><b class="title"></b> <span class="when"></span></figcaption>
  <ol class="digits"></ol>
  <figcaption><b class="filters-title"></b> <span class="filters-note"></span></figcaption>
  <div class="filters" role="img"></div>
  <div class="scrub" hidden>
    <button type="button" class="play"></button>
    <input type="range" min="0" step="1">
  </div>
</figure>
"""
_CSS = (
    CARD_CSS
    + """
figcaption { margin-bottom: 0.4rem; }
figcaption:not(:first-child) { margin-top: 0.7rem; }
.digits { list-style: none; margin: 0; padding: 0; display: grid; gap: 4px;
  grid-template-columns: repeat(10, minmax(0, 1fr)); }
.digits.named { grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); }
.digits.named i { width: 46px; }
.digits.named span { font-size: 0.75rem; padding: 0 3px; }
.digits li { min-width: 0; margin: 0; padding: 3px 0 2px; border-radius: 6px; text-align: center;
  font-weight: 650; font-size: 0.95rem; line-height: 1.3; border: 1px solid transparent; }
.digits i { display: block; width: 76%; max-width: 46px; aspect-ratio: 1; margin: 0 auto;
  background: var(--body-text-color); image-rendering: pixelated;
  mask-size: calc(100% * var(--count)) 100%; mask-repeat: no-repeat; }
.digits span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.digits .right { color: var(--foundry-right);
  background: color-mix(in srgb, var(--foundry-sky) 14%, transparent); }
.digits .wrong { color: var(--foundry-wrong);
  border: 1px dashed color-mix(in srgb, var(--foundry-wrong) 55%, transparent); }
.filters { display: flex; flex-wrap: wrap; gap: 6px; }
.filters canvas { width: 52px; height: 52px; image-rendering: pixelated; border-radius: 4px; }
.scrub { display: flex; gap: 0.8rem; align-items: center; margin-top: 0.7rem; }
.scrub[hidden] { display: none; }
.scrub input { flex: 1; accent-color: var(--foundry-blue); }
.scrub button { min-height: 32px; min-width: 4.5rem; padding: 0 0.8rem; margin: 0; font: inherit;
  font-size: 0.875rem; font-weight: 500; cursor: pointer;
  border-radius: var(--button-small-radius); border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill);
  color: var(--button-secondary-text-color); }
@media (prefers-reduced-motion: no-preference) {
  .digits .turned { animation: turned 0.45s ease-out; }
  @keyframes turned { 0% { transform: scale(1); } 40% { transform: scale(1.18); }
    100% { transform: scale(1); } }
}
"""
)
_JS = """
const find = (name) => element.querySelector('.' + name);
const list = find('digits'), filters = find('filters'), scrub = find('scrub');
const slider = scrub.querySelector('input'), play = find('play');
let data = null, shown = -1, playing = null;

function mix(share, end) {
  return [250, 250, 250].map((paper, i) => Math.round(paper + (end[i] - paper) * share));
}
function paintFilters(frame) {
  const [count, height, width] = data.shape;
  while (filters.children.length > count) filters.lastChild.remove();
  while (filters.children.length < count) filters.append(document.createElement('canvas'));
  const bytes = Uint8Array.from(atob(frame.filters), (letter) => letter.charCodeAt(0));
  [...filters.children].forEach((canvas, i) => {
    // Of another network they have another shape.
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    for (let p = 0; p < width * height; p++) {
      const value = (bytes[i * width * height + p] - 127) / 127;
      const colour = mix(Math.min(1, Math.abs(value)), value < 0 ? data.blue : data.orange);
      image.data.set([...colour, 255], 4 * p);
    }
    context.putImageData(image, 0, 0);
  });
}
function paint(index) {
  const frame = data.frames[index];
  const before = shown < 0 ? null : [...list.children].map((item) => item.className.split(' ')[0]);
  shown = index;
  find('title').textContent = data.title;
  find('when').textContent = frame.when;
  list.style.setProperty('--count', data.labels.length);
  list.classList.toggle('named', data.names.some((name) => name.length > 2));
  list.replaceChildren(...data.labels.map((label, i) => {
    const item = document.createElement('li'), ink = document.createElement('i');
    const state = frame.guesses[i] === label ? 'right' : 'wrong';
    item.className = state + (before && before[i] !== state ? ' turned' : '');
    ink.style.maskImage = `url(${data.sprite})`;
    ink.style.maskPosition = `${100 * i / Math.max(1, data.labels.length - 1)}% 0`;
    const name = document.createElement('span');
    name.textContent = name.title = data.names[frame.guesses[i]];
    name.translate = false;
    item.append(ink, name);
    return item;
  }));
  paintFilters(frame);
  slider.value = index;
  slider.setAttribute('aria-valuetext', frame.when);
  list.setAttribute('aria-label', frame.when);
  // What is opened below shows the same moment.
  window.foundryMoment = {run: data.run, step: frame.step};
  document.dispatchEvent(new CustomEvent('foundry-moment'));
}
function stop() {
  clearInterval(playing);
  playing = null;
  play.textContent = data.play;
}
function start() {
  let index = shown >= data.frames.length - 1 ? 0 : shown;
  paint(index);
  play.textContent = data.pause;
  playing = setInterval(() => {
    index += 1;
    if (index >= data.frames.length) stop();
    else paint(index);
  }, 110);
}
function take() {
  if (!props.value) return;
  const read = JSON.parse(props.value);
  const sameRun = data && data.run === read.run;
  const atEnd = !sameRun || shown === data.frames.length - 1;
  if (!sameRun) shown = -1;
  if (playing) stop();
  data = read;
  find('filters-title').textContent = data.filtersTitle;
  find('filters-note').textContent = data.filtersNote;
  filters.setAttribute('aria-label', data.filtersTitle);
  slider.setAttribute('aria-label', data.scrubLabel);
  scrub.hidden = data.frames.length < 2;
  slider.max = data.frames.length - 1;
  play.textContent = data.play;
  paint(atEnd ? data.frames.length - 1 : Math.min(shown, data.frames.length - 1));
}
play.addEventListener('click', () => playing ? stop() : start());
slider.addEventListener('input', () => { if (playing) stop(); paint(Number(slider.value)); });
watch('value', take);
take();
"""


def render_watch(run: Run | None) -> str:
    """Return what the component shows of a run, or of the network that Start would train.

    Args:
        run: Any run of the visitor's.
    """
    frames = [_look(moment) for moment in list_moments(run)]
    dataset = run.config.dataset if run else MNIST
    words = _WORDS if dataset == MNIST else _WORDS | {"title": _OWN_TITLE}
    return json.dumps(
        {
            "run": run.run_id if run else "",
            "labels": watched_pictures(dataset).labels.tolist(),
            "names": run.classes if run else DIGITS,
            "sprite": draw_sprite(dataset),
            "shape": frames[0].shape,
            "frames": [
                {
                    "step": frame.step,
                    "when": frame.when,
                    "guesses": frame.guesses,
                    "filters": frame.filters,
                }
                for frame in frames
            ],
            "orange": ImageColor.getrgb(palette.VERMILION),
            "blue": ImageColor.getrgb(palette.BLUE),
            **words,
        }
    )


def render_watch_added(run: Run, num_seen: int) -> Any:
    """Return what `render_watch()` does if there is a snapshot that the page has not seen.

    Args:
        run: The run.
        num_seen: Events that the page shows.
    """
    seen_step = run.events[num_seen - 1].step if num_seen else -1
    has_more = find_newest_step(run.snapshots_folder) > seen_step
    return render_watch(run) if has_more or not num_seen else gr.skip()


def build_watch() -> gr.HTML:
    """Build the component, empty until the page is open."""
    return gr.HTML(
        "",
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id="train-watch",
    )


@dataclass(frozen=True)
class _Frame:
    """What the network makes of the digits at one moment, and its filters as bytes in base64."""

    step: int | None
    when: str
    guesses: list[int]
    shape: tuple[int, ...]
    filters: str


@lru_cache(maxsize=1024)
@on_narrow_thread
def _look(moment: Moment) -> _Frame:
    digits, model = watched_pictures(moment.config.dataset), moment.load()
    with torch.inference_mode():
        guesses = model(normalize(digits.images)).argmax(1)
    num_right = int((guesses == digits.labels).sum())
    filters = first_layer_filters(model)[:_MAX_FILTERS]
    return _Frame(
        moment.step,
        f"{_say_when(moment)}: {num_right} of {len(digits)} right",
        guesses.tolist(),
        filters.shape,
        base64.b64encode(_to_bytes(filters)).decode(),
    )


def _say_when(moment: Moment) -> str:
    if not moment.step:
        return "Untrained" if moment.step == 0 else "The epoch that was kept"
    config = moment.config
    epoch = math.ceil(moment.step / math.ceil(config.num_train_images / config.batch_size))
    return f"After {counted(moment.step, 'update')}, in epoch {epoch}"


def _to_bytes(filters: np.ndarray) -> bytes:
    largest = float(np.abs(filters).max()) or 1.0
    return np.uint8(np.rint(127 + 127 * filters / largest)).tobytes()
