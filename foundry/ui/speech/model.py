"""Which speech models a visitor can choose, and loading one while the page shows progress."""

import time
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.models.hub import FREE_ENGLISH, find_downloaded
from foundry.models.loading import check_variant
from foundry.models.networks import count_parameters
from foundry.speech import Transcript, load_recogniser, transcribe
from foundry.speech.audio import AudioFile, open_audio
from foundry.speech.beam import BIGRAM_FILE
from foundry.speech.spectrogram import compute_spectrogram
from foundry.speech.transcription import BEAM, GREEDY
from foundry.ui.components.clips import CLIPS
from foundry.ui.components.plots import status_line
from foundry.ui.components.pretrained_choice import Loading, list_pretrained, watch_loading
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.variant_switches import compare_answers

SHIPPED = "wav2vec2-commands"
# Longer sound is not heard a second time to compare.
_MAX_COMPARED_S = 60.0
ABOUT_SHIPPED = (
    "The shipped model knows **digits**, one or many at a time, and the **35 words of Speech "
    "Commands** (yes, no, up, down, left, right, on, off, stop, go, bird, house …). It gets "
    "most other English wrong. For free English choose "
    f"`{FREE_ENGLISH}`: 378 MB, downloaded once."
)


def has_word_list(name: str) -> bool:
    """Return whether beam search can be chosen for a model that is here.

    Args:
        name: A shipped model's, or a Hub id.
    """
    folder = find_downloaded(name)
    return folder is None or (folder / BIGRAM_FILE).exists()


def list_speech_models() -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down."""
    return list_pretrained("speech")


def on_first_visit(was_here: bool) -> list[Any]:
    """Choose free English if its model is here already; later visits change nothing.

    Args:
        was_here: Whether this page has shown the tab before.

    Returns:
        The drop-down, the choice of decoding, and that it was here.
    """
    if was_here or find_downloaded(FREE_ENGLISH) is None:
        return [gr.skip(), gr.skip(), True]
    return [gr.Dropdown(value=FREE_ENGLISH), decoding_choice(has_word_list(FREE_ENGLISH)), True]


@shows_errors
def on_choose(name: str | None, variant: str = DENSE.name) -> Iterator[list[Any]]:
    """Load the chosen model; if that fails, say why and go back to the shipped one.

    Args:
        name: What was chosen or typed.
        variant: The name of the variant.

    Yields:
        The status, the drop-down, and whether beam search can be chosen.
    """
    name = (name or "").strip() or SHIPPED
    try:
        for step in watch_loading(name, "speech", variant):
            if isinstance(step, Loading):
                status = status_line("One moment", f"{step.sentence}.", step.share)
                yield [status, gr.skip(), gr.skip()]
        recogniser = load_recogniser(name, variant=check_variant(name, variant))
    except (InputError, ArtifactError) as error:
        yield [
            status_line("Not loaded", f"{error} The shipped model stays."),
            gr.Dropdown(value=SHIPPED),
            decoding_choice(load_recogniser(SHIPPED).beam is not None),
        ]
        return
    millions = count_parameters(recogniser.pretrained.model) / 1e6
    facts = f"{name}, {millions:.1f} million parameters"
    yield [
        status_line("Ready", facts),
        gr.skip(),
        decoding_choice(recogniser.beam is not None),
    ]


def on_variant(title: str, name: str | None, variant: str, open_tab: str) -> Iterator[Any]:
    """Make a variant ready, if the tab is in sight.

    Args:
        title: This tab's label.
        name: The chosen model.
        variant: The name of the variant.
        open_tab: The label of the tab in sight.

    Yields:
        The status.
    """
    if open_tab == title:
        for status, *_ in on_choose(name, variant):
            yield status
    else:
        yield gr.skip()


def compare_with_dense(
    name: str, variant: str, audio: AudioFile, decoding: str, transcript: Transcript
) -> str:
    """Say how a variant's transcript and time compare with the dense model's.

    Args:
        name: The model.
        variant: The name of the variant.
        audio: What was transcribed.
        decoding: How.
        transcript: What the variant heard.

    Returns:
        HTML; empty for the dense model itself, for channels one by one, and for sound too long to
        be heard again.
    """
    if variant == DENSE.name or transcript.channels or transcript.duration_s > _MAX_COMPARED_S:
        return ""
    answers, times_ms = [], []
    # Both now, because OpenVINO prepares anew for a length that it has not seen.
    for one in (variant, DENSE.name):
        recogniser = load_recogniser(name, variant=check_variant(name, one))
        started = time.perf_counter()
        text = transcribe(recogniser, audio, decoding).text
        times_ms.append(1000 * (time.perf_counter() - started))
        answers.append(f"“{text}”" if text else "nothing")
    sentence = compare_answers(variant, answers[0], times_ms[0], answers[1], times_ms[1])
    return f'<p class="foundry-note" style="margin-top: 0.7rem">{escape(sentence)}</p>'


def decoding_choice(has_words: bool) -> Any:
    """Return the choice of decoding; a model without a word list has no beam search."""
    return gr.Radio(interactive=has_words, value=BEAM if has_words else GREEDY)


def warm_up() -> None:
    """Answer once, so that no visitor waits for what is loaded at first."""
    recogniser = load_recogniser(SHIPPED)
    audio = open_audio(str(CLIPS / "digits.flac"))
    transcribe(recogniser, audio, recogniser.best_decoding)
    compute_spectrogram(next(audio.read_blocks()), 100)
