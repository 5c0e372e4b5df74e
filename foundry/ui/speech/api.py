"""The Speech tab's endpoints for other programs; foundry/ui/README.md has an example."""

from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.models.loading import check_variant
from foundry.speech import load_recogniser
from foundry.speech import transcribe as transcribe_audio
from foundry.speech.audio import open_audio
from foundry.speech.captions import as_dict
from foundry.ui.page.feedback import shows_errors
from foundry.ui.server.limits import count_download
from foundry.ui.server.queues import OWN_QUEUE, RECORDINGS
from foundry.ui.speech.model import SHIPPED, name_of


def transcribe(
    audio_file: str | None,
    model: str | None,
    variant: str | None,
    decoding: str | None,
) -> dict[str, Any]:
    """Return the text of a recording, with the time and confidence of every word."""
    return _transcribe(audio_file, model, variant, decoding)


def transcribe_channels(
    audio_file: str | None,
    model: str | None,
    variant: str | None,
    decoding: str | None,
) -> dict[str, Any]:
    """Return what `/transcribe` does, with a transcript of each channel of its own."""
    return _transcribe(audio_file, model, variant, decoding, by_channel=True)


def _transcribe(
    audio_file: str | None,
    model: str | None,
    variant: str | None,
    decoding: str | None,
    by_channel: bool = False,
) -> dict[str, Any]:
    if audio_file is None:
        raise InputError("There is no sound file; send a recording of somebody speaking.")
    name, variant = name_of(model), variant or "dense"
    checked = check_variant(name, variant)
    audio = open_audio(audio_file)
    count_download(name, "speech")
    recogniser = load_recogniser(name, variant=checked)
    with RECORDINGS.turn():
        transcript = transcribe_audio(
            recogniser, audio, decoding or recogniser.best_decoding, by_channel
        )
    return as_dict(transcript, name, variant)


def build_speech_api() -> None:
    """Add `/transcribe` and `/transcribe_channels` to the app being built."""
    with gr.Column(visible=False):
        audio_file = gr.File(label="audio_file")
        model = gr.Textbox(SHIPPED, label="model")
        variant = gr.Textbox("dense", label="variant")
        decoding = gr.Textbox("", label="decoding")
        answer = gr.JSON(label="transcript")
        for endpoint in (transcribe, transcribe_channels):
            gr.Button().click(
                shows_errors(endpoint),
                [audio_file, model, variant, decoding],
                answer,
                api_name=endpoint.__name__,
                **OWN_QUEUE,
            )
