"""Which speech models a visitor can choose, and loading one while the page shows progress."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.hub import FREE_ENGLISH, find_downloaded
from foundry.models import count_parameters
from foundry.speech import BEAM, GREEDY, load_recogniser
from foundry.speech_beam import BIGRAM_FILE
from foundry.ui.feedback import shows_errors
from foundry.ui.plots import status_line
from foundry.ui.pretrained_choice import Loading, list_pretrained, watch_loading

SHIPPED = "wav2vec2-commands"
ABOUT_SHIPPED = (
    "The shipped model knows **digits**, one or many at a time, and the **35 words of Speech "
    "Commands** (yes, no, up, down, left, right, on, off, stop, go, bird, house …). It gets "
    "most other English wrong. For free English choose "
    f"`{FREE_ENGLISH}`: 378 MB, downloaded once."
)


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
    folder = None if was_here else find_downloaded(FREE_ENGLISH)
    if folder is None:
        return [gr.skip(), gr.skip(), True]
    return [gr.Dropdown(value=FREE_ENGLISH), decoding_choice((folder / BIGRAM_FILE).exists()), True]


@shows_errors
def on_choose(name: str | None) -> Iterator[list[Any]]:
    """Load the chosen model; if that fails, say why and go back to the shipped one.

    Args:
        name: What was chosen or typed.

    Yields:
        The status, the drop-down, and whether beam search can be chosen.
    """
    name = (name or "").strip() or SHIPPED
    try:
        for step in watch_loading(name, "speech"):
            if isinstance(step, Loading):
                status = status_line("One moment", f"{step.sentence}.", step.share)
                yield [status, gr.skip(), gr.skip()]
        recogniser = load_recogniser(name)
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


def decoding_choice(has_words: bool) -> Any:
    """Return the choice of decoding; a model without a word list has no beam search."""
    return gr.Radio(interactive=has_words, value=BEAM if has_words else GREEDY)
