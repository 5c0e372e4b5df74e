"""Cover this and ask again: a square of the photo, chosen by mouse, finger or keyboard."""

import gradio as gr

from foundry.data.photos import PHOTO_SIZE
from foundry.data.pictures import load_photo
from foundry.errors import ArtifactError, InputError
from foundry.photos import rank
from foundry.photos.classification import NUM_GUESSES
from foundry.photos.occlusion import MIN_SIDE, Square, cover_and_ask
from foundry.ui.photos import view
from foundry.ui.photos.choice import DEFAULT_MODEL, load_chosen

_DEFAULT_SIDE = 64
_HOW = (
    "Check it: press a place of the picture, or drag over it, to cover it and ask again. By "
    "keyboard: arrow keys move the square, + and - change its size, Enter asks."
)
STAGE_CSS = """
.stage { position: relative; display: block; cursor: crosshair; touch-action: pan-y;
  border-radius: var(--radius-lg); overflow: hidden; user-select: none; }
.stage:focus-visible { outline: 3px solid var(--foundry-orange); outline-offset: 2px; }
.stage img { pointer-events: none; }
.cover { position: absolute; background: #808080; box-shadow: 0 0 0 2px white, 0 0 0 3px black;
  pointer-events: none; }
"""
STAGE_JS = f"""
const SIZE = {PHOTO_SIZE}, LEAST = {2 * MIN_SIDE}, STEP = 8;
const MOVES = {{ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}};
let from = null;
const limit = (value, most) => Math.round(Math.min(Math.max(value, 0), most));
function cover(stage, left, top, side) {{
  side = Math.round(Math.min(Math.max(side, LEAST), SIZE));
  const square = {{left: limit(left, SIZE - side), top: limit(top, SIZE - side), side}};
  Object.assign(stage.dataset, square);
  const shown = stage.querySelector('.cover');
  shown.hidden = false;
  for (const [name, value] of [['left', square.left], ['top', square.top], ['width', side],
    ['height', side]]) shown.style[name] = `${{100 * value / SIZE}}%`;
}}
function coverAround(stage, [x, y]) {{
  const side = Number(stage.dataset.side ?? {_DEFAULT_SIDE});
  cover(stage, x - side / 2, y - side / 2, side);
}}
function ask(stage) {{
  const asked = {{}};
  for (const name of ['left', 'top', 'side', 'index']) asked[name] = Number(stage.dataset[name]);
  trigger('select', asked);
}}
function place(stage, event) {{
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) * SIZE / box.width,
    (event.clientY - box.top) * SIZE / box.height];
}}
element.addEventListener('pointerdown', (event) => {{
  const stage = event.target.closest('.stage');
  if (!stage || event.button) return;
  stage.setPointerCapture(event.pointerId);
  from = place(stage, event);
}});
element.addEventListener('pointermove', (event) => {{
  const stage = event.target.closest('.stage');
  if (!stage || !from) return;
  const [x, y] = place(stage, event);
  const side = Math.max(Math.abs(x - from[0]), Math.abs(y - from[1]));
  if (side < LEAST) return;
  cover(stage, x < from[0] ? from[0] - side : from[0], y < from[1] ? from[1] - side : from[1],
    side);
  stage.dataset.dragged = 'yes';
}});
element.addEventListener('pointerup', (event) => {{
  const stage = event.target.closest('.stage');
  if (!stage || !from) return;
  if (!stage.dataset.dragged) coverAround(stage, place(stage, event));
  delete stage.dataset.dragged;
  from = null;
  ask(stage);
}});
element.addEventListener('pointercancel', () => {{ from = null; }});
element.addEventListener('keydown', (event) => {{
  const stage = event.target.closest('.stage');
  if (!stage || event.ctrlKey || event.metaKey || event.altKey) return;
  const grows = {{'+': STEP, '=': STEP, '-': -STEP}}[event.key], move = MOVES[event.key];
  if (!grows && !move && event.key !== 'Enter') return;
  event.preventDefault();
  if (!stage.dataset.side) coverAround(stage, [SIZE / 2, SIZE / 2]);
  else if (event.key !== 'Enter') {{
    const [left, top, side] = ['left', 'top', 'side'].map((name) => Number(stage.dataset[name]));
    if (move) cover(stage, left + STEP * move[0], top + STEP * move[1], side);
    else cover(stage, left - grows / 2, top - grows / 2, side + grows);
  }}
  if (event.key === 'Enter') ask(stage);
}});
"""
COVERED_CSS = (
    view.BARS_CSS
    + """
p { margin: 0.8rem 0 0.4rem; }
.bars { margin-bottom: 0.3rem; }
.hint { color: var(--body-text-color-subdued); }
"""
)


def stage_html(picture: str, index: int) -> str:
    """Return HTML: a picture on which squares can be covered.

    Args:
        picture: Its address.
        index: Of the class whose probability is compared.
    """
    return (
        f'<div class="stage" tabindex="0" role="group" data-index="{index}" '
        f'aria-label="Cover a square of the photo and ask again"><img src="{picture}" '
        'alt="Where it looked"><div class="cover" hidden></div></div>' + view.hint(_HOW)
    )


def on_cover(event: gr.EventData, path: str | None, name: str, variant: str) -> str:
    """Cover a square of the photo, and show what the answer becomes.

    Args:
        event: Carries the square, in pixels of what the network sees, and the class's index.
        path: The photo.
        name: The chosen model.
        variant: The name of the variant, which is asked.

    Returns:
        HTML.
    """
    if path is None or name != DEFAULT_MODEL:
        return ""
    try:
        model, index = load_chosen(name, variant), int(event.index)
        if not 0 <= index < len(model.labels):
            raise InputError(f"There is no class {index}.")
        square = Square(int(event.left), int(event.top), int(event.side))
        covered = cover_and_ask(model, load_photo(path), square)
    except (InputError, ArtifactError) as error:
        return view.hint(str(error))
    best = rank(model, covered.after, NUM_GUESSES)
    return (
        f'<p role="status"><b>{view.name_html(model, index)}</b></p><div class="bars">'
        f"{_row('The whole square', float(covered.before[index]))}"
        f"{_row('With a part covered', float(covered.after[index]))}</div>"
        f"<p>With that part covered, the five likeliest are</p>{view.bars_html(model, best)}"
    )


def _row(what: str, prob: float) -> str:
    return (
        f'<span class="name">{what}</span><div class="track"><div class="fill" '
        f'style="width:{prob:.2%}"></div></div><span class="share">{prob:.1%}</span>'
    )
