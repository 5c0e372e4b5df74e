"""A drawing pad whose pen is ready at once, for mouse, touch and pen."""

import base64
import io
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from foundry.data.own.framing import reduce_by_area
from foundry.digits import Reading, read_ink
from foundry.digits.framing import frame_handwriting
from foundry.digits.ink import drawing_ink
from foundry.errors import InputError
from foundry.models.runtime import Predictor
from foundry.runs.data_sets import AS_IT_IS
from foundry.training.runs import Run

# Drawing units; the pad scales to the room it has.
SIZE = 280
_PEN = 22
_MAX_CHARACTERS = 2_000_000
_PREFIX = "data:image/png;base64,"

_DIGIT_HINT = "Draw a digit here"
_HTML = f"""
<canvas width="{SIZE}" height="{SIZE}" tabindex="0" role="img" aria-label="${{hint}}"></canvas>
<div class="buttons">
  <button type="button" class="undo">Undo</button>
  <button type="button" class="clear">Clear</button>
</div>
"""
_CSS = """
canvas { width: 100%; max-width: 360px; aspect-ratio: 1; display: block; margin: 0 auto;
  touch-action: none; cursor: crosshair; background: white;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
.buttons { display: flex; gap: 8px; max-width: 360px; margin: 8px auto 0; }
.buttons button { flex: 1; height: 40px; margin: 0; font: inherit; font-weight: 500;
  cursor: pointer; border-radius: var(--button-small-radius);
  border: 1px solid var(--button-secondary-border-color, var(--border-color-primary));
  background: var(--button-secondary-background-fill);
  color: var(--button-secondary-text-color); }
button:hover { background: var(--button-secondary-background-fill-hover); }
"""
_JS = f"""
const canvas = element.querySelector('canvas');
const context = canvas.getContext('2d');
let strokes = [], current = null, pointer = null, sent = 0;

function paint() {{
  context.fillStyle = 'white';
  context.fillRect(0, 0, {SIZE}, {SIZE});
  if (!strokes.length) {{
    context.fillStyle = '#6b7280';
    context.font = '16px system-ui, sans-serif';
    context.textAlign = 'center';
    const hint = window.foundrySay ? foundrySay(props.hint) : props.hint;
    context.fillText(hint, {SIZE} / 2, {SIZE} / 2);
  }}
  context.strokeStyle = 'black';
  context.lineWidth = {_PEN};
  context.lineCap = context.lineJoin = 'round';
  for (const stroke of strokes) {{
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke) context.lineTo(...point);
    context.stroke();
  }}
}}
function send() {{
  sent = performance.now();
  props.value = strokes.length ? canvas.toDataURL('image/png') : '';
  trigger('input');
  if (!props.isFollowed) return;
  // For what is built later than it was drawn.
  window.foundryDrawing = props.value;
  document.dispatchEvent(new CustomEvent('foundry-drawn', {{ detail: props.value }}));
}}
function point(event) {{
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * {SIZE} / box.width,
          (event.clientY - box.top) * {SIZE} / box.height];
}}
// One stroke at a time: a palm on the screen is a pointer, too.
canvas.addEventListener('pointerdown', (event) => {{
  if (event.button || current) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  pointer = event.pointerId;
  current = [point(event)];
  strokes.push(current);
  paint();
}});
canvas.addEventListener('pointermove', (event) => {{
  if (!current || event.pointerId !== pointer) return;
  current.push(point(event));
  paint();
  if (performance.now() - sent > 150) send();
}});
for (const name of ['pointerup', 'pointercancel', 'lostpointercapture'])
  canvas.addEventListener(name, (event) => {{
    if (current && event.pointerId === pointer) {{ current = null; send(); }}
  }});
function undo() {{ strokes.pop(); paint(); send(); }}
function clear() {{ strokes = []; paint(); send(); }}
element.querySelector('.undo').addEventListener('click', undo);
element.querySelector('.clear').addEventListener('click', clear);
document.addEventListener('foundry-language', paint);
canvas.addEventListener('keydown', (event) => {{
  if (event.key === 'z' && (event.ctrlKey || event.metaKey)) {{ event.preventDefault(); undo(); }}
  if (event.key === 'Delete' || event.key === 'Backspace') clear();
}});
paint();
"""


def build_pad(elem_id: str, hint: str = _DIGIT_HINT, is_followed: bool = True) -> gr.HTML:
    """Build a pad; its value is a PNG as a data URL, empty when nothing is drawn.

    Args:
        elem_id: Its id on the page.
        hint: What stands on it while it is empty.
        is_followed: Whether what follows a drawing of a digit follows this one.
    """
    return gr.HTML(
        value="",
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        elem_id=elem_id,
        hint=hint,
        isFollowed=is_followed,
    )


def read_pad(model: Predictor, value: Any) -> Reading | None:
    """Read what is drawn on the pad.

    Args:
        model: A digit classifier giving logits (N, 10).
        value: The pad's.

    Returns:
        The reading, or None if nothing is drawn.

    Raises:
        InputError: If the value is something else than what the pad sends.
    """
    image = decode_drawing(value)
    if image is None:
        return None
    # Black on white, and smooth at the edges: nothing has to be found out about the paper.
    return read_ink(model, drawing_ink(image))


def decode_drawing(value: Any) -> Image.Image | None:
    """Turn the pad's value into a picture.

    Args:
        value: A PNG as a data URL, or nothing.

    Returns:
        The drawing, grayscale, or None if the pad is empty.

    Raises:
        InputError: If it is something else than what the pad sends.
    """
    if not value:
        return None
    broken = InputError("The drawing did not arrive whole; clear the pad and draw again.")
    if not isinstance(value, str) or not value.startswith(_PREFIX) or len(value) > _MAX_CHARACTERS:
        raise broken
    try:
        png = base64.b64decode(value.removeprefix(_PREFIX), validate=True)
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        if image.size != (SIZE, SIZE):
            raise broken
        return image.convert("L")
    except (ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        raise broken from None


def frame_for(run: Run, image: Image.Image, is_drawn: bool = False) -> np.ndarray:
    """Turn a picture into what a run's network sees, as its data set was prepared.

    Args:
        run: On a visitor's own data.
        image: What was drawn or sent.
        is_drawn: Whether it is dark ink on white paper. Files of arrays do not say how they were
            made; what is drawn is then taken for handwriting.

    Returns:
        uint8, shape (28, 28).

    Raises:
        InputError: If it is to be handwriting and there is no ink.
    """
    is_handwriting = run.preparation != AS_IT_IS and (is_drawn or bool(run.preparation))
    return frame_handwriting(image) if is_handwriting else reduce_by_area(image)


def see_drawing(run: Run, drawing: Any) -> np.ndarray | None:
    """Return what a run's network sees of the pad, uint8 (28, 28); None if nothing is drawn.

    Args:
        run: On a visitor's own data.
        drawing: The pad's value.
    """
    image = decode_drawing(drawing)
    if image is None or image.getextrema()[0] == 255:
        return None
    return frame_for(run, image, is_drawn=True)
