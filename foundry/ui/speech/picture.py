"""A recording as HTML: waveform, spectrogram, and the words under them at their times."""

from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image, ImageColor

from foundry.speech.audio import SAMPLE_RATE_HZ
from foundry.speech.spectrogram import compute_envelope, compute_spectrogram
from foundry.speech.words import Word
from foundry.ui.components.plots import png_url
from foundry.ui.page import palette
from foundry.ui.speech.view import PLAYING, clock, word_button

# How much of a recording is drawn at once, and how wide a second is at least.
STRETCH_S = 60.0
_PIXELS_PER_S = 110
_COLUMNS_PER_S = 100
_MAX_COLUMNS = 3000
_TICKS_S = (0.2, 0.5, 1.0, 5.0)
# In pixels: the picture on a phone, and a tick with its number.
_NARROWEST, _TICK_WIDTH = 300, 44
# From silence to the loudest: the same in both themes, as pictures of sound usually are.
_RAMP = ("#0b1622", "#10304f", palette.BLUE, palette.SKY, palette.YELLOW)


def draw_sound(
    waveform: np.ndarray,
    words: Sequence[Word],
    duration_s: float,
    channel: int = 0,
    start_s: float = 0.0,
) -> str:
    """Draw a stretch of a recording.

    Args:
        waveform: Mono float32 (samples,) at 16 kHz: of the stretch.
        words: Of the whole recording.
        duration_s: Of the whole recording.
        channel: Of the recording, from 0.
        start_s: Where the stretch begins.
    """
    shown_s = len(waveform) / SAMPLE_RATE_HZ
    if not shown_s:
        return ""
    columns = max(2, min(_MAX_COLUMNS, round(shown_s * _COLUMNS_PER_S), len(waveform)))
    end_s = start_s + shown_s
    labels = "".join(
        word_button(
            word,
            f"left:{(max(word.start_s, start_s) - start_s) / shown_s:.3%};"
            f"width:{(min(word.end_s, end_s) - max(word.start_s, start_s)) / shown_s:.3%}",
            channel,
        )
        for word in words
        if word.start_s < end_s and word.end_s > start_s
    )
    caption = "Above: the waveform. Below: energy by pitch, low to high, on the mel scale."
    if duration_s > shown_s + 0.1:
        caption += (
            f" From {clock(start_s)} to {clock(end_s)} of {clock(duration_s)}; it goes on with the "
            "player."
        )
    return (
        f'<div class="scroll" tabindex="0"><div class="sound" data-start="{start_s:.2f}" '
        f'data-shown="{shown_s:.2f}" '
        f'data-duration="{duration_s:.2f}" style="min-width:{shown_s * _PIXELS_PER_S:.0f}px">'
        f"{_waveform_svg(compute_envelope(waveform, columns))}"
        f'<img alt="Spectrogram" src="{_spectrogram_url(waveform, columns)}">'
        f'<div class="words" translate="no">{labels}</div>'
        f'<div class="ticks">{_ticks(start_s, shown_s)}</div>'
        '<div class="playhead" hidden></div>'
        f"</div></div><p>{escape(caption)}</p>"
    )


def _waveform_svg(envelope: np.ndarray) -> str:
    lowest, highest = envelope
    num_columns = len(lowest)
    above = " ".join(f"{x},{50 - 48 * y:.1f}" for x, y in enumerate(highest))
    below = " ".join(f"{x},{50 - 48 * lowest[x]:.1f}" for x in range(num_columns - 1, -1, -1))
    return (
        f'<svg viewBox="0 0 {num_columns - 1} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Waveform"><polygon points="{above} {below}"/></svg>'
    )


def _spectrogram_url(waveform: np.ndarray, columns: int) -> str:
    shares = compute_spectrogram(waveform, columns)[::-1]
    ramp = np.array([ImageColor.getrgb(colour) for colour in _RAMP], dtype=float)
    places = np.linspace(0, 1, len(ramp))
    channels = [np.interp(shares, places, ramp[:, channel]) for channel in range(3)]
    image = Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))
    return png_url(image.quantize(128))


def _ticks(start_s: float, shown_s: float) -> str:
    # As many as there is room for on a phone.
    pixels_per_s = max(_PIXELS_PER_S, _NARROWEST / shown_s)
    step_s = next((step for step in _TICKS_S if step * pixels_per_s >= _TICK_WIDTH), _TICKS_S[-1])
    digits = 0 if step_s >= 1 else 1
    times = np.arange(0, shown_s, step_s)
    return "".join(
        f'<span style="left:{time_s / shown_s:.3%}">{start_s + time_s:.{digits}f} s</span>'
        for time_s in times.tolist()
    )


# While the player plays, the picture shows where it is, and both mark the word that is heard.
FOLLOW_JS = (
    f"""
const STRETCH_S = {STRETCH_S};
const isPlaying = () => player.querySelector('{PLAYING}') !== null;
"""
    + """
const player = document.querySelector('#speech-audio');
let frame = 0, asked = null;
function findShare() {
  const cursor = player.querySelector('#waveform > div')?.shadowRoot?.querySelector('.cursor');
  return parseFloat(cursor?.style.left) / 100;
}
function follow() {
  frame = isPlaying() ? requestAnimationFrame(follow) : 0;
  const sounds = [...element.querySelectorAll('.sound')];
  const time = findShare() * Number(sounds[0]?.dataset.duration);
  if (Number.isNaN(time)) return;
  const start = Number(sounds[0].dataset.start), shown = Number(sounds[0].dataset.shown);
  const isInSight = start <= time && time < start + shown;
  const wanted = isInSight ? null : Math.floor(time / STRETCH_S);
  // Once for each stretch, and not for the very end.
  if (!isInSight && wanted !== asked && time < Number(sounds[0].dataset.duration))
    trigger('input', {time_s: time});
  asked = wanted;
  for (const sound of sounds) {
    const share = (time - start) / Number(sound.dataset.shown);
    const line = sound.querySelector('.playhead');
    // Before it was ever played there is no place to show, however often the player is drawn anew.
    line.hidden = share < 0 || share > 1 || (!frame && time === 0);
    line.style.left = `${100 * share}%`;
    const box = sound.parentElement, x = share * sound.offsetWidth - box.scrollLeft;
    if (frame && !line.hidden && (x < 0 || x > 0.9 * box.clientWidth))
      box.scrollLeft += x - 0.1 * box.clientWidth;
  }
  for (const word of document.querySelectorAll(
    '#speech-picture button[data-start], #speech-transcript button[data-start]'))
    word.classList.toggle('now', frame !== 0
      && Number(word.dataset.start) <= time && time < Number(word.dataset.end));
}
new MutationObserver(() => { if (!frame) frame = requestAnimationFrame(follow); })
  .observe(player, {childList: true, subtree: true, characterData: true,
    attributeFilter: ['aria-label']});
"""
)

PICTURE_CSS = """
.playhead { position: absolute; top: 0; bottom: 18px; width: 2px; margin-left: -1px;
  background: var(--foundry-vermilion); pointer-events: none; }
.scroll { overflow-x: auto; border-radius: var(--radius-lg); }
.sound { position: relative; width: 100%; }
svg { display: block; width: 100%; height: 70px; background: var(--background-fill-secondary); }
svg polygon { fill: var(--foundry-blue); stroke: var(--foundry-blue); stroke-width: 0.6;
  vector-effect: non-scaling-stroke; }
img { display: block; width: 100%; height: 150px; image-rendering: auto; }
.words { position: relative; height: 58px; }
.words button { position: absolute; top: 4px; height: 24px; padding: 0; border: 0;
  overflow: visible; white-space: nowrap; font-size: 0.8rem; line-height: 22px; cursor: pointer;
  color: var(--body-text-color); text-align: center; background: none;
  border-top: 3px solid var(--confidence); }
/* Neighbours on two lines, so that short words next to each other can be read. */
.words button:nth-child(even) { top: 30px; }
.words button:hover, .words button:focus-visible { background: var(--background-fill-secondary); }
.ticks { position: relative; height: 18px; font-size: 0.72rem;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.ticks span { position: absolute; border-left: 1px solid var(--border-color-primary);
  padding-left: 3px; }
p { color: var(--body-text-color-subdued); font-size: 0.85rem; margin: 0.3rem 0 0; }
h4 { margin: 0.9rem 0 0.3rem; font-size: 1rem; }
"""
