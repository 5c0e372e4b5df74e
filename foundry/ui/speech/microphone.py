"""A microphone that sends what it hears while it hears it.

Gradio's own keeps only the newest piece while the server is busy. This one sends when the piece
before has been answered, with everything that came meanwhile.
"""

import base64
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from foundry.errors import InputError

# How often it sends, and after how long it takes an answer for lost: Gradio drops what comes
# while it works on the piece before, and a model may have to be built for that.
SEND_EVERY_MS = 150
_PATIENCE_MS = 120_000
# The newest that is kept while there is no answer: 20 s at 48 kHz; and what that is in base64.
_MAX_SAMPLES = 960_000
_MAX_CHARACTERS = 3_000_000
# What it sends for all that was heard to be forgotten.
FORGET = "forget"
_MIN_RATE_HZ, _MAX_RATE_HZ = 8_000, 192_000

_HTML = """
<button type="button" class="switch" aria-pressed="false">
  <span class="dot"></span><span class="what">Listen</span>
</button>
<div class="level" role="img" aria-label="Loudness"><div></div></div>
<p class="trouble" role="status"></p>
"""
_CSS = """
.switch { display: flex; align-items: center; justify-content: center; gap: 10px; width: 100%;
  height: 48px; font: inherit; font-weight: 600; cursor: pointer; margin: 0;
  border: 1px solid var(--border-color-primary); border-radius: var(--button-large-radius);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color); }
.switch:hover { background: var(--button-secondary-background-fill-hover); }
.dot { width: 14px; height: 14px; border-radius: 50%; background: var(--foundry-vermilion); }
.switch[aria-pressed=true] .dot { border-radius: 3px; }
.level { height: 8px; margin-top: 10px; border-radius: 4px; overflow: hidden;
  background: var(--border-color-primary); }
.level div { height: 100%; width: 0; background: var(--foundry-green); }
.trouble { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 6px 0 0; }
"""
_JS = f"""
const button = element.querySelector('.switch');
const bar = element.querySelector('.level div');
const trouble = element.querySelector('.trouble');
const worklet = `registerProcessor('tap', class extends AudioWorkletProcessor {{
  process(inputs) {{
    if (inputs[0].length) this.port.postMessage(inputs[0][0].slice());
    return true;
  }}
}});`;
let context = null, stream = null, waiting = [], timer = null, sentAt = 0;
let turn = Promise.resolve();

function take() {{
  let length = waiting.reduce((sum, piece) => sum + piece.length, 0);
  if (length > {_MAX_SAMPLES})
    trouble.textContent = 'The server was busy for too long: some of what was said is lost.';
  while (length > {_MAX_SAMPLES}) length -= waiting.shift().length;
  const samples = new Int16Array(length);
  let place = 0;
  for (const piece of waiting) for (const value of piece)
    samples[place++] = Math.max(-1, Math.min(1, value)) * 32767;
  waiting = [];
  const bytes = new Uint8Array(samples.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}}
function send(value) {{
  sentAt = performance.now();
  props.value = value;
  trigger('input');
}}
function isAnswered() {{
  return props.value === '' || performance.now() - sentAt > {_PATIENCE_MS};
}}
function tick() {{
  if (waiting.length && isAnswered()) send(`${{context.sampleRate}} more ${{take()}}`);
}}
// What has to arrive is sent when all before it has been answered.
function sendInTurn(write) {{
  turn = turn.then(async () => {{
    while (!isAnswered()) await new Promise((resolve) => setTimeout(resolve, 20));
    send(write());
  }});
  return turn;
}}
async function start() {{
  trouble.textContent = '';
  try {{
    stream = await navigator.mediaDevices.getUserMedia({{audio: {{channelCount: 1}}}});
    context = new AudioContext();
    const module = URL.createObjectURL(new Blob([worklet], {{type: 'text/javascript'}}));
    await context.audioWorklet.addModule(module);
    URL.revokeObjectURL(module);
    const tap = new AudioWorkletNode(context, 'tap');
    tap.port.onmessage = (event) => {{
      waiting.push(event.data);
      const power = event.data.reduce((sum, value) => sum + value * value, 0) / event.data.length;
      const share = Math.max(0, 1 + 10 * Math.log10(power + 1e-9) / 60);
      bar.style.width = `${{100 * share}}%`;
    }};
    context.createMediaStreamSource(stream).connect(tap);
    // A node that leads nowhere may be left asleep.
    const mute = new GainNode(context, {{gain: 0}});
    tap.connect(mute).connect(context.destination);
  }} catch (error) {{
    const isRefused = error.name === 'NotAllowedError';
    trouble.textContent = !navigator.mediaDevices
      ? 'Browsers lend the microphone only to pages from this machine or over HTTPS.'
      : isRefused ? 'The browser was not allowed to use the microphone.'
      : 'There is no microphone that can be used.';
    release();
    return;
  }}
  props.value = '';
  timer = setInterval(tick, {SEND_EVERY_MS});
  show(true);
}}
function release() {{
  clearInterval(timer);
  if (stream) stream.getTracks().forEach((track) => track.stop());
  if (context) context.close();
  stream = context = timer = null;
  bar.style.width = '0';
}}
async function stop() {{
  const rate = context.sampleRate;
  release();
  show(false);
  await sendInTurn(() => `${{rate}} last ${{take()}}`);
}}
function show(isOn) {{
  button.setAttribute('aria-pressed', isOn);
  button.querySelector('.what').textContent = isOn ? 'Stop' : 'Listen';
}}
button.addEventListener('click', async () => {{
  button.disabled = true;
  await (context ? stop() : start());
  button.disabled = false;
}});
document.addEventListener('foundry-forget', () => {{
  waiting = [];
  sendInTurn(() => '{FORGET}');
}});
"""
# Among what it sends, so that nothing that was heard before is answered after it.
FORGET_JS = "() => { document.dispatchEvent(new CustomEvent('foundry-forget')); }"


@dataclass(frozen=True)
class Piece:
    """What the microphone heard since the piece before.

    Attributes:
        samples: Mono float32 (samples,) in [-1, 1].
        rate_hz: Of the samples.
        is_last: Whether the microphone was turned off after it.
    """

    samples: np.ndarray
    rate_hz: int
    is_last: bool


def build_microphone(elem_id: str) -> gr.HTML:
    """Build the component; a handler of its `input` event answers with `ANSWERED` as its value.

    Args:
        elem_id: In the page.
    """
    return gr.HTML(
        value="", html_template=_HTML, css_template=_CSS, js_on_load=_JS, elem_id=elem_id
    )


# The value that tells the microphone to send on.
ANSWERED = ""


def decode_piece(value: Any) -> Piece | None:
    """Turn the component's value into sound.

    Args:
        value: Rate in Hz, `more` or `last`, and 16-bit samples in base64; not `FORGET`.

    Returns:
        The piece, or None if there is none.

    Raises:
        InputError: If it is something else than what the microphone sends.
    """
    if not value:
        return None
    broken = InputError("The sound did not arrive whole; press Stop and Listen again.")
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        raise broken
    try:
        rate, which, encoded = value.split(" ")
        rate_hz = round(float(rate))
        samples = np.frombuffer(base64.b64decode(encoded, validate=True), "<i2")
    except (ValueError, OverflowError):
        raise broken from None
    if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ or which not in ("more", "last"):
        raise broken
    return Piece(samples.astype(np.float32) / 32768, rate_hz, which == "last")
