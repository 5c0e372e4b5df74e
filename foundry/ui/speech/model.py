"""Which speech models a visitor can choose, and loading one while the page shows progress."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE, available_variants
from foundry.models.hub import FREE_ENGLISH, allows_any_model, find_downloaded
from foundry.models.loading import check_variant
from foundry.models.networks import count_parameters
from foundry.speech import load_recogniser, transcribe
from foundry.speech.audio import open_audio
from foundry.speech.decoding.beam import BIGRAM_FILE
from foundry.speech.spectrogram import compute_spectrogram
from foundry.speech.transcription import BEAM, GREEDY
from foundry.ui.components.clips import CLIPS
from foundry.ui.components.plots import status_line
from foundry.ui.components.pretrained_choice import Loading, list_pretrained, watch_loading
from foundry.ui.page.feedback import shows_errors

SHIPPED = "wav2vec2-commands"
ABOUT_SHIPPED = (
    "The shipped model knows **digits**, one or many at a time, and the **35 words of Speech "
    "Commands** (yes, no, up, down, left, right, on, off, stop, go, bird, house …). It gets "
    "most other English wrong."
)
GET_FREE_ENGLISH = "Get a model for free English: 378 MB, once"


def name_of(chosen: str | None) -> str:
    """Return the model that was chosen or typed, the shipped one if none was."""
    return (chosen or "").strip() or SHIPPED


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


def on_visit(was_here: bool, name: str | None, variant: str) -> list[Any]:
    """At first choose free English if its model is here already; later only what can be used.

    Args:
        was_here: Whether this page has shown the tab before.
        name: What is chosen.
        variant: The name of the variant, which may have been chosen on another tab.

    Returns:
        The status, the drop-down, the choice of decoding, that it was here, and the button that
        gets the model.
    """
    button = offer_free_english()
    is_here = find_downloaded(FREE_ENGLISH) is not None
    if not was_here and is_here and variant in available_variants(FREE_ENGLISH):
        decoding = decoding_choice(has_word_list(FREE_ENGLISH))
        return [gr.skip(), gr.Dropdown(value=FREE_ENGLISH), decoding, True, button]
    try:
        check_variant(name_of(name), variant)
    except InputError as error:
        return [*_go_on(error), True, button]
    return [gr.skip(), gr.skip(), gr.skip(), True, button]


def offer_free_english() -> Any:
    """Return the button that gets the model for free English, hidden if there is nothing to get."""
    return gr.Button(visible=allows_any_model() and find_downloaded(FREE_ENGLISH) is None)


@shows_errors
def on_choose(name: str | None, variant: str = DENSE.name) -> Iterator[list[Any]]:
    """Load the chosen model; if that fails, say why and go back to the shipped one.

    Args:
        name: What was chosen or typed.
        variant: The name of the variant.

    Yields:
        The status, the drop-down, and whether beam search can be chosen.
    """
    name = name_of(name)
    try:
        for step in watch_loading(name, "speech", variant):
            if isinstance(step, Loading):
                status = status_line("One moment", f"{step.sentence}.", step.share)
                yield [status, gr.skip(), gr.skip()]
        recogniser = load_recogniser(name, variant=check_variant(name, variant))
    except (InputError, ArtifactError) as error:
        yield _go_on(error)
        return
    millions = count_parameters(recogniser.pretrained.model) / 1e6
    facts = f"{name}, {millions:.1f} million parameters"
    yield [
        status_line("Ready", facts),
        gr.skip(),
        decoding_choice(recogniser.beam is not None),
    ]


def _go_on(error: Exception) -> list[Any]:
    return [
        status_line("Not loaded", f"{error} Going on with the shipped model."),
        gr.Dropdown(value=SHIPPED),
        decoding_choice(load_recogniser(SHIPPED).beam is not None),
    ]


def on_variant(title: str, name: str | None, variant: str, open_tab: str) -> Iterator[list[Any]]:
    """Make a variant ready, if the tab is in sight.

    Args:
        title: This tab's label.
        name: The chosen model.
        variant: The name of the variant.
        open_tab: The label of the tab in sight.

    Yields:
        As `on_choose()`; the decoding that was chosen stays with its model.
    """
    if open_tab != title:
        yield [gr.skip(), gr.skip(), gr.skip()]
        return
    for status, model, decoding in on_choose(name, variant):
        yield [status, model, gr.skip() if model == gr.skip() else decoding]


def decoding_choice(has_words: bool) -> Any:
    """Return the choice of decoding; a model without a word list has no beam search."""
    return gr.Radio(interactive=has_words, value=BEAM if has_words else GREEDY)


def warm_up() -> None:
    """Answer once, so that no visitor waits for what is loaded at first."""
    recogniser = load_recogniser(SHIPPED)
    audio = open_audio(str(CLIPS / "digits.flac"))
    transcribe(recogniser, audio, recogniser.best_decoding)
    compute_spectrogram(next(audio.read_blocks()), 100)
