"""Asking for the words of what is on the page, and putting away what belonged to the sound before.

What asks does not transcribe: it tells when an answer was asked for, and that starts it.
"""

import time
from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.models import available_variants
from foundry.speech.audio import open_audio
from foundry.ui.components.plots import status_line
from foundry.ui.components.variants.answers import Answered
from foundry.ui.components.variants.bars import show_bars
from foundry.ui.speech import view as speech_view
from foundry.ui.speech.model import name_of

# Longer recordings are transcribed when the button is pressed.
_MAX_UNASKED_S = 300.0


def ask(path: str | None) -> tuple[Any, str]:
    """Ask for the words of a recording, unless it is so long that they should be waited for.

    Returns:
        When it was asked for, if it was; and what the status line says till then.
    """
    if not path:
        return gr.skip(), ""
    try:
        duration_s = open_audio(path).duration_s
    except InputError:
        # The answer says what is wrong with it.
        return [time.time()], ""
    length = speech_view.clock(duration_s)
    if duration_s <= _MAX_UNASKED_S:
        return [time.time()], status_line("Listening", f"{length} of sound.")
    return gr.skip(), status_line("Ready", f"{length} of sound: press Transcribe.")


def show_running(is_running: bool) -> list[Any]:
    """Return both buttons: there is nothing to cancel unless a transcription is under way."""
    return [gr.Button(interactive=not is_running), gr.Button(visible=is_running)]


def on_press(path: str | None) -> list[Any]:
    """Return both buttons, before the transcription starts.

    Args:
        path: Not looked at. Gradio waits for what is being uploaded before it calls, and only then
            does it start what follows: else the arrival would cancel it.
    """
    return show_running(True)


def on_record() -> Any:
    """Return the button that starts: what is being recorded is not here yet.

    Pressed between the end of a recording and its arrival, it would start what the arrival cancels.
    """
    return gr.Button(interactive=False)


def on_new_sound(path: str | None, name: str | None, variant: str, answered: Answered) -> list[Any]:
    """Put away what belongs to the sound before; the same event cancels its transcription.

    Args:
        path: The sound file, if there is another one.
        name: The chosen model.
        variant: The name of the chosen variant.
        answered: What the variants answered to the sound before.

    Returns:
        Status, transcript, figures, the group of results, the player's captions, the text, the
        score, where the letters are, the switch between channels, as `show_bars()`, how far a
        comparison is, both buttons, and when an answer was asked for.
    """
    asked, status = ask(path)
    return [
        status,
        speech_view.transcript_html(None),
        "",
        gr.Column(visible=False),
        gr.Audio(subtitles=None),
        "",
        "",
        None,
        # With the answer that is asked for, which is not to be by channel because the last one was.
        gr.Checkbox(value=False, visible=False),
        *show_bars(answered.clear(), variant, available_variants(name_of(name))),
        "",
        *show_running(False),
        asked,
    ]


def on_other_way(title: str, path: str | None, open_tab: str) -> list[Any]:
    """Ask again, because something else was chosen than what the words in sight were found with.

    Args:
        title: This tab's label.
        path: The sound file.
        open_tab: The label of the tab in sight.

    Returns:
        When it was asked for, if it was; and both buttons, because what was under way is cancelled.
    """
    asked = ask(path)[0] if open_tab == title else gr.skip()
    return [asked, *show_running(False)]


def on_cancel() -> list[Any]:
    """Say that the transcription, which the same event cancels, has ended.

    Returns:
        Status and both buttons.
    """
    return [status_line("Cancelled"), *show_running(False)]
