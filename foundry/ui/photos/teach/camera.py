"""A camera that takes one picture when its button is pressed, and many while it is held."""

import base64
import io
from typing import Any

import gradio as gr

from foundry.data.pictures import load_photo
from foundry.errors import InputError
from foundry.photos.teaching.pictures import Square, make_square

# Of one hold. A class takes 100.
MAX_TAKEN = 40
_EVERY_MS = 200
_SIZE = 256
_PREFIX = "data:image/jpeg;base64,"
# Of one frame as it is sent: far more than 256x256 pixels need.
_MAX_CHARACTERS = 400_000
_HTML = """
<video muted playsinline hidden></video>
<div class="buttons">
  <button type="button" class="start">Start the camera</button>
  <button type="button" class="take" hidden>Take one; hold for many</button>
  <button type="button" class="stop" hidden>Stop the camera</button>
</div>
<p class="told" role="status"></p>
"""
_CSS = """
video { display: block; width: 100%; max-width: 320px; aspect-ratio: 1; object-fit: cover;
  margin: 0 auto 8px; border-radius: var(--radius-lg); background: black; }
video[hidden], button[hidden], .told:empty { display: none; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
.buttons button { flex: 1; min-height: 44px; margin: 0; padding: 0 0.6rem; font: inherit;
  font-weight: 500; cursor: pointer; touch-action: none; user-select: none;
  -webkit-user-select: none; border-radius: var(--button-small-radius);
  border: 1px solid var(--button-secondary-border-color, var(--border-color-primary));
  background: var(--button-secondary-background-fill);
  color: var(--button-secondary-text-color); }
.buttons button:hover { background: var(--button-secondary-background-fill-hover); }
.buttons .take.on { background: var(--foundry-vermilion); color: white; }
.told { margin: 0.4rem 0 0; font-size: 0.9rem; color: var(--body-text-color-subdued); }
"""
_JS = f"""
const video = element.querySelector('video'), told = element.querySelector('.told');
const [start, take, stop] = ['start', 'take', 'stop'].map((name) =>
  element.querySelector(`.${{name}}`));
const canvas = document.createElement('canvas');
canvas.width = canvas.height = {_SIZE};
let stream = null, taken = [], timer = null;
function show() {{
  video.hidden = take.hidden = stop.hidden = !stream;
  start.hidden = Boolean(stream);
}}
function release() {{
  stream?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
  show();
}}
start.addEventListener('click', async () => {{
  told.textContent = '';
  try {{
    stream = await navigator.mediaDevices.getUserMedia({{video: {{facingMode: 'environment'}}}});
    video.srcObject = stream;
    await video.play();
  }} catch (error) {{
    const isRefused = error.name === 'NotAllowedError';
    told.textContent = !navigator.mediaDevices
      ? 'Browsers lend the camera only to pages from this machine or over HTTPS.'
      : isRefused ? 'The browser was not allowed to use the camera.'
      : 'There is no camera that can be used.';
    release();
    return;
  }}
  show();
}});
stop.addEventListener('click', release);
function snap() {{
  if (!stream || !video.videoWidth || taken.length >= {MAX_TAKEN}) return;
  const side = Math.min(video.videoWidth, video.videoHeight);
  canvas.getContext('2d').drawImage(video, (video.videoWidth - side) / 2,
    (video.videoHeight - side) / 2, side, side, 0, 0, {_SIZE}, {_SIZE});
  taken.push(canvas.toDataURL('image/jpeg', 0.92));
  told.textContent = `${{taken.length}}`;
}}
function hold() {{
  if (timer) return;
  taken = [];
  take.classList.add('on');
  snap();
  timer = setInterval(snap, {_EVERY_MS});
}}
function letGo() {{
  if (!timer) return;
  clearInterval(timer);
  timer = null;
  take.classList.remove('on');
  told.textContent = '';
  if (taken.length) trigger('submit', {{taken}});
}}
take.addEventListener('pointerdown', (event) => {{
  if (event.button) return;
  take.setPointerCapture(event.pointerId);
  hold();
}});
for (const name of ['pointerup', 'pointercancel', 'blur']) take.addEventListener(name, letGo);
take.addEventListener('contextmenu', (event) => event.preventDefault());
take.addEventListener('keydown', (event) => {{
  if (event.key !== ' ' && event.key !== 'Enter') return;
  event.preventDefault();
  hold();
}});
take.addEventListener('keyup', letGo);
"""


def build_camera(elem_id: str) -> gr.HTML:
    """Build the camera; its event `submit` carries what was taken.

    Args:
        elem_id: Its id on the page.
    """
    return gr.HTML(
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        elem_classes="flush",
        elem_id=elem_id,
    )


def read_taken(taken: Any) -> list[Square]:
    """Turn what the camera sends into examples.

    Args:
        taken: JPEG pictures as data URLs.

    Raises:
        InputError: If it is something else.
    """
    broken = InputError("The pictures did not arrive whole; take them again.")
    if not isinstance(taken, list) or not 0 < len(taken) <= MAX_TAKEN:
        raise broken
    squares = []
    for url in taken:
        if not isinstance(url, str) or not url.startswith(_PREFIX) or len(url) > _MAX_CHARACTERS:
            raise broken
        try:
            content = base64.b64decode(url.removeprefix(_PREFIX), validate=True)
        except ValueError:
            raise broken from None
        squares.append(make_square(load_photo(io.BytesIO(content))))
    return squares
