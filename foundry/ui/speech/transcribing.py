"""Transcribing what is on the page: progress, and everything that is shown of the result."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.models.loading import check_variant
from foundry.speech import Transcript, captions, load_recogniser
from foundry.speech.audio import AudioFile, open_audio
from foundry.speech.transcription import transcribe_channels, transcribe_stream
from foundry.ui.components.plots import status_line
from foundry.ui.components.pretrained_choice import Loading, watch_loading
from foundry.ui.page.feedback import shows_errors
from foundry.ui.server.downloads import KeptFiles
from foundry.ui.server.queues import RECORDINGS
from foundry.ui.speech import view as speech_view
from foundry.ui.speech.channels import Drawn, draw_channels
from foundry.ui.speech.inside.kept import LettersKeeper
from foundry.ui.speech.inside.section import choose_first
from foundry.ui.speech.model import name_of

# Progress more often than this only costs.
_UPDATE_S = 0.2
_NEWEST_CHARACTERS = 60
_NUM_DOWNLOADS = 4
_FILES = KeptFiles(50)


@shows_errors
def on_transcribe(
    path: str | None,
    model: str | None,
    decoding: str,
    variant: str = DENSE.name,
    by_channel: bool = False,
) -> Iterator[list[Any]]:
    """Transcribe what was recorded or uploaded.

    Args:
        path: The sound file.
        model: The chosen model.
        decoding: `greedy` or `beam`.
        variant: The name of the variant.
        by_channel: Whether every channel is transcribed by itself.

    Yields:
        Status, transcript, figures, the group of results, picture, the score of the text before,
        four downloads, the player with captions, the transcript's text for scoring, where its
        letters are, which to show first, and what the picture is of.
    """
    if not path:
        raise InputError("There is no sound yet; record yourself, upload a file or use an example.")
    try:
        audio = open_audio(path)
        with RECORDINGS.join() as ticket:
            while not ticket.wait(_UPDATE_S):
                yield _tell(status_line("Waiting", ticket.describe(), 0.0))
            yield from _transcribe(audio, name_of(model), decoding, variant, by_channel)
    except (InputError, ArtifactError) as error:
        yield _tell(status_line("Failed", str(error), style="failed"))
        raise


def _transcribe(
    audio: AudioFile, name: str, decoding: str, variant: str, by_channel: bool
) -> Iterator[list[Any]]:
    for step in watch_loading(name, "speech", variant):
        if isinstance(step, Loading):
            yield _tell(status_line("One moment", f"{step.sentence}.", step.share))
    recogniser = load_recogniser(name, variant=check_variant(name, variant))
    started, shown = time.perf_counter(), 0.0
    stream = transcribe_channels if by_channel else transcribe_stream
    keeper = LettersKeeper(recogniser)
    for event in stream(recogniser, audio, decoding):
        keeper.take(event)
        elapsed_s = time.perf_counter() - started
        if event.transcript is None and elapsed_s - shown > _UPDATE_S:
            shown = elapsed_s
            facts = f"{speech_view.clock(event.done_s)} of {speech_view.clock(event.duration_s)}"
            facts += f"  … {event.newest[-_NEWEST_CHARACTERS:]}"
            yield _tell(status_line("Listening", facts, event.done_s / event.duration_s))
    assert event.transcript is not None
    transcript = event.transcript
    yield [
        status_line("Done", name if variant == DENSE.name else f"{name}, {variant}", style="done"),
        speech_view.transcript_html(transcript),
        speech_view.transcript_figures(transcript, elapsed_s),
        gr.Column(visible=True),
        draw_channels(audio, transcript),
        "",
        *_write_downloads(transcript, name, variant),
        gr.Audio(subtitles=captions.list_subtitles(transcript)),
        transcript.text,
        keeper.write(name, variant, decoding),
        choose_first(transcript),
        Drawn(str(audio.path), transcript),
    ]


def _tell(status: str) -> list[Any]:
    return [status] + [gr.skip()] * (10 + _NUM_DOWNLOADS)


def _write_downloads(transcript: Transcript, model: str, variant: str) -> list[str]:
    """Write a transcript as `_NUM_DOWNLOADS` files.

    Args:
        transcript: What was said.
        model: The model's name.
        variant: The name of its variant.

    Returns:
        Their paths: text, SRT, WebVTT, JSON.
    """
    contents = {
        "transcript.txt": captions.format_txt(transcript),
        "transcript.srt": captions.format_srt(transcript),
        "transcript.vtt": captions.format_vtt(transcript),
        "transcript.json": captions.format_json(transcript, model, variant),
    }

    def write(folder: Path) -> list[Path]:
        for name, text in contents.items():
            (folder / name).write_text(text, "utf-8")
        return [folder / name for name in contents]

    digest = hashlib.sha256(contents["transcript.json"].encode()).hexdigest()
    return _FILES.get(digest, write)
