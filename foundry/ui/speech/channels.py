"""The part of the Speech tab for files with several channels: the switch, a picture of each."""

from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.speech import Transcript
from foundry.speech.audio import AudioFile, open_audio
from foundry.ui.speech.picture import MAX_PICTURE_S, draw_sound
from foundry.ui.speech.view import name_channel


def build_switch() -> gr.Checkbox:
    """Build the switch, out of sight until there is a sound whose channels differ."""
    return gr.Checkbox(
        False,
        label="Channel by channel",
        info="The channels of this recording differ: transcribe each by itself.",
        visible=False,
        elem_id="speech-by-channel",
    )


def show_switch(path: str | None) -> Any:
    """Return the switch, off; in sight if the channels of a new sound differ.

    Args:
        path: The sound on the page; if it cannot be read, Transcribe will say why.
    """
    try:
        does_differ = path is not None and open_audio(path).do_channels_differ()
    except InputError:
        does_differ = False
    return gr.Checkbox(value=False, visible=does_differ)


def draw_channels(audio: AudioFile, transcript: Transcript, number: int = 1) -> str:
    """Draw the beginning of a recording, of every channel if they were transcribed one by one.

    Args:
        audio: The recording.
        transcript: Of all of it.
        number: Which channel it is, if it is one of several.
    """
    if not transcript.channels:
        beginning = audio.read_beginning(MAX_PICTURE_S)
        return draw_sound(beginning, transcript.words, transcript.duration_s, number - 1)
    parts = zip(audio.split_channels(), transcript.channels, strict=True)
    return "".join(
        f"<h4>{name_channel(number)}</h4>{draw_channels(channel, part, number)}"
        for number, (channel, part) in enumerate(parts, start=1)
    )
