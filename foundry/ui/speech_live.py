"""The live part of the Speech tab: the microphone, and text while you speak."""

import gradio as gr
import numpy as np

from foundry.errors import ArtifactError, InputError
from foundry.speech import load_recogniser
from foundry.speech_live import LiveState, end_listening, listen
from foundry.ui.feedback import QUIET
from foundry.ui.speech_model import SHIPPED
from foundry.ui.speech_view import LIVE_CSS, live_html

# How often the browser sends what it heard, and after how long it has to be asked again.
_STREAM_EVERY_S = 0.2
_TIME_LIMIT_S = 3600
# A browser may send what it has gathered while the page was busy; no more is heard at once.
_MAX_PIECE_S = 10


def on_listen(
    state: LiveState | None, piece: tuple[int, np.ndarray] | None, model: str | None
) -> tuple[LiveState, str]:
    """Hear a little more.

    Args:
        state: From the step before; None at the start.
        piece: Rate in Hz and samples, int16 (samples,) or (samples, channels).
        model: The chosen model; the shipped one takes over if it cannot be used.

    Returns:
        The new state and the text so far.
    """
    state = state or LiveState()
    if piece is None or not len(piece[1]):
        return state, live_html(state)
    rate_hz, samples = piece
    waveform = samples.astype(np.float32) / 32768
    if waveform.ndim == 2:
        waveform = waveform.mean(axis=1)
    try:
        recogniser = load_recogniser((model or "").strip() or SHIPPED)
    except (InputError, ArtifactError):
        # The model's own drop-down has said why.
        recogniser = load_recogniser(SHIPPED)
    state = listen(recogniser, state, waveform[-_MAX_PIECE_S * rate_hz :], rate_hz)
    return state, live_html(state)


def on_stop(state: LiveState | None) -> tuple[LiveState, str]:
    """Settle what is left when the microphone is turned off."""
    state = end_listening(state or LiveState())
    return state, live_html(state)


def build_live_section(model: gr.Dropdown) -> None:
    """Build the part.

    Args:
        model: Holds the chosen model.
    """
    gr.Markdown("### Live")
    state = gr.State(None)
    with gr.Row(elem_classes="one-and-two"):
        with gr.Column():
            microphone = gr.Audio(
                label="Microphone",
                sources=["microphone"],
                streaming=True,
                type="numpy",
                elem_id="speech-microphone",
                buttons=[],
            )
            clear = gr.Button("Clear the text", size="sm", elem_id="speech-live-clear")
        text = gr.HTML(live_html(None), elem_id="speech-live", css_template=LIVE_CSS)
    microphone.stream(
        on_listen,
        [state, microphone, model],
        [state, text],
        stream_every=_STREAM_EVERY_S,
        time_limit=_TIME_LIMIT_S,
        concurrency_limit=None,
        **QUIET,
    )
    microphone.stop_recording(on_stop, state, [state, text], **QUIET)
    clear.click(lambda: (None, live_html(None)), None, [state, text], **QUIET)
