"""The part of the Speech tab for files with several channels: the switch, a picture of each."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.speech import Transcript
from foundry.speech.audio import SAMPLE_RATE_HZ, AudioFile, open_audio
from foundry.ui.speech.picture import STRETCH_S, draw_sound
from foundry.ui.speech.view import name_channel


@dataclass(frozen=True)
class Drawn:
    """What the picture is of.

    Attributes:
        path: The sound file.
        transcript: Of all of it.
    """

    path: str
    transcript: Transcript


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
    """Return the switch, in sight if the channels of a new sound differ.

    Args:
        path: The sound on the page; if it cannot be read, Transcribe will say why.
    """
    try:
        does_differ = path is not None and open_audio(path).do_channels_differ()
    except InputError:
        does_differ = False
    return gr.Checkbox(visible=does_differ)


def draw_channels(
    audio: AudioFile, transcript: Transcript, time_s: float = 0.0, number: int = 1
) -> str:
    """Draw a stretch of a recording, of every channel if they were transcribed one by one.

    Args:
        audio: The recording.
        transcript: Of all of it.
        time_s: What is in the stretch.
        number: Which channel it is, if it is one of several.
    """
    if not transcript.channels:
        start_s = time_s // STRETCH_S * STRETCH_S
        waveform = audio.read_stretch(start_s, STRETCH_S)
        return draw_sound(waveform, transcript.words, transcript.duration_s, number - 1, start_s)
    parts = zip(audio.split_channels(), transcript.channels, strict=True)
    return "".join(
        f"<h4>{name_channel(number)}</h4>{draw_channels(channel, part, time_s, number)}"
        for number, (channel, part) in enumerate(parts, start=1)
    )


def on_stretch(drawn: Drawn | None, event: gr.EventData) -> Any:
    """Draw the stretch that the player has come to.

    Args:
        drawn: What the picture is of.
        event: Carries the player's second.

    Returns:
        HTML.
    """
    if drawn is None:
        return gr.skip()
    # Nothing is to be heard at the very end.
    last_s = drawn.transcript.duration_s - 1 / SAMPLE_RATE_HZ
    time_s = max(0.0, min(float(event.time_s), last_s))
    return draw_channels(open_audio(drawn.path), drawn.transcript, time_s)
