"""Which speech models a visitor can choose, and loading one while the page shows progress."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.hub import find_downloaded
from foundry.models import available_models, count_parameters
from foundry.speech import GREEDY, Recogniser, load_recogniser
from foundry.speech_beam import BIGRAM_FILE
from foundry.ui.feedback import shows_errors
from foundry.ui.speech_view import progress_html

SHIPPED = "wav2vec2-commands"
FREE_ENGLISH = "facebook/wav2vec2-base-960h"
ABOUT_SHIPPED = (
    "The shipped model knows **digits**, one or many at a time, and the **35 words of Speech "
    "Commands** (yes, no, up, down, left, right, on, off, stop, go, bird, house …). It writes "
    "other English as it sounds, and mostly wrong. For free English choose "
    f"`{FREE_ENGLISH}`: 378 MB, downloaded once."
)


@dataclass(frozen=True)
class Loading:
    """What `load_with_progress()` yields.

    Attributes:
        share: How much is done, in [0, 1].
        sentence: What goes on.
        recogniser: The model; only the last has it.
    """

    share: float
    sentence: str
    recogniser: Recogniser | None = None


def list_speech_models() -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down."""
    shipped = [(spec.title, spec.name) for spec in available_models("speech")]
    return [*shipped, ("Wav2Vec2 base, free English (from the Hub)", FREE_ENGLISH)]


def on_first_visit(was_here: bool) -> list[Any]:
    """Choose free English if its model is here already; later visits change nothing.

    Args:
        was_here: Whether this page has shown the tab before.

    Returns:
        The drop-down, the choice of decoding, and that it was here.
    """
    folder = None if was_here else find_downloaded(FREE_ENGLISH)
    if folder is None:
        return [gr.skip(), gr.skip(), True]
    return [gr.Dropdown(value=FREE_ENGLISH), decoding_choice((folder / BIGRAM_FILE).exists()), True]


def load_with_progress(name: str) -> Iterator[Loading]:
    """Load a model in another thread, so that its progress can be shown.

    Args:
        name: A shipped model, a local folder or a Hub id.

    Raises:
        InputError: As `load_recogniser()`.
        ArtifactError: As `load_recogniser()`.
    """
    news: queue.SimpleQueue[Loading | Exception] = queue.SimpleQueue()

    def load() -> None:
        try:
            report = lambda share, sentence: news.put(Loading(share, sentence))  # noqa: E731
            news.put(Loading(1.0, "Ready", load_recogniser(name, report)))
        except Exception as error:  # Whatever it is, it belongs to the thread that waits.
            news.put(error)

    threading.Thread(target=load, daemon=True).start()
    while True:
        message = news.get()
        if isinstance(message, Exception):
            raise message
        yield message
        if message.recogniser:
            return


@shows_errors
def on_choose(name: str | None) -> Iterator[list[Any]]:
    """Load the chosen model; if that fails, say why and go back to the shipped one.

    Args:
        name: What was chosen or typed.

    Yields:
        The status, the drop-down, and whether beam search can be chosen.
    """
    name = (name or "").strip() or SHIPPED
    yield [progress_html("Loading the model", name, 0.0), gr.skip(), gr.skip()]
    try:
        for loading in load_with_progress(name):
            yield [
                progress_html("Loading the model", loading.sentence, loading.share),
                gr.skip(),
                gr.skip(),
            ]
        assert loading.recogniser is not None
    except (InputError, ArtifactError) as error:
        yield [
            progress_html("The shipped model stays.", str(error), kind="failed"),
            gr.Dropdown(value=SHIPPED),
            decoding_choice(load_recogniser(SHIPPED).beam is not None),
        ]
        return
    millions = count_parameters(loading.recogniser.pretrained.model) / 1e6
    facts = f"{name}, {millions:.1f} million parameters"
    yield [
        progress_html("Ready", facts, kind="done"),
        gr.skip(),
        decoding_choice(loading.recogniser.beam is not None),
    ]


def decoding_choice(has_words: bool) -> Any:
    """Return the choice of decoding; a model without a word list has no beam search."""
    return gr.Radio(interactive=True) if has_words else gr.Radio(interactive=False, value=GREEDY)
