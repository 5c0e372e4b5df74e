"""The live part of the Speech tab: the microphone, and text while you speak."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.models.loading import check_variant
from foundry.speech import Recogniser, load_recogniser
from foundry.speech.live import LiveState, end_listening, listen
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.server.limits import count_download
from foundry.ui.speech.microphone import (
    ANSWERED,
    FORGET,
    FORGET_JS,
    build_microphone,
    decode_piece,
)
from foundry.ui.speech.model import SHIPPED, name_of
from foundry.ui.speech.view import LIVE_CSS, live_html


@shows_errors
def on_sound(
    state: LiveState | None, value: Any, model: str | None, variant: str = DENSE.name
) -> tuple[LiveState | None, str, str]:
    """Hear a little more, or forget what was heard.

    Args:
        state: From the step before; None at the start.
        value: Of the microphone.
        model: The chosen model; the shipped one takes over if it cannot be used.
        variant: The name of the variant.

    Returns:
        The new state, the text so far, and the microphone's value that lets it go on.
    """
    if value == FORGET:
        return None, live_html(None), ANSWERED
    piece = decode_piece(value)
    if piece is None:
        return state, live_html(state), ANSWERED
    state = state or LiveState()
    if len(piece.samples):
        state = listen(_load(model, variant), state, piece.samples, piece.rate_hz)
    if piece.is_last:
        state = end_listening(state)
    return state, live_html(state), ANSWERED


def _load(model: str | None, variant: str) -> Recogniser:
    name = name_of(model)
    try:
        checked = check_variant(name, variant)
        count_download(name, "speech")
        return load_recogniser(name, variant=checked)
    except (InputError, ArtifactError):
        # The model's own drop-down has said why.
        return load_recogniser(SHIPPED)


@dataclass(frozen=True)
class LiveSection:
    """The part as it stands on the page.

    Attributes:
        microphone: Hears.
        text: What was said so far.
        clear: Forgets it.
    """

    microphone: gr.HTML
    text: gr.HTML
    clear: gr.Button

    def connect(self, model: gr.Dropdown, variant: gr.State) -> None:
        """Let it hear, once the choice of a model has been built.

        Args:
            model: Holds the chosen model.
            variant: Holds the name of its variant.
        """
        state = gr.State(None)
        self.microphone.input(
            on_sound,
            [state, self.microphone, model, variant],
            [state, self.text, self.microphone],
            **QUIET,
        ).failure(lambda: ANSWERED, None, self.microphone, **QUIET)
        self.clear.click(None, None, None, js=FORGET_JS, **QUIET)


def build_live_section() -> LiveSection:
    """Build the part."""
    with gr.Row(elem_classes="one-and-two"):
        with gr.Column():
            microphone = build_microphone("speech-microphone")
            clear = gr.Button("Clear the text", size="sm", elem_id="speech-live-clear")
        text = gr.HTML(live_html(None), elem_id="speech-live", css_template=LIVE_CSS)
    return LiveSection(microphone, text, clear)
