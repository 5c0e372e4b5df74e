"""What is on one photo: five names, and the time it took."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.data.pictures import inspect_file, load_photo
from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE, available_variants
from foundry.photos import classify_photo, rank
from foundry.photos.classification import NUM_GUESSES
from foundry.ui.components.pretrained_choice import Loading, watch
from foundry.ui.components.variants.answers import Answered
from foundry.ui.components.variants.bars import show_bars
from foundry.ui.photos import view
from foundry.ui.photos.choice import load_chosen
from foundry.ui.photos.examples import EXAMPLES, open_example
from foundry.ui.photos.look import LOOK_HINT
from foundry.ui.photos.variants import tell_answers

PHOTO_HINT = "Upload, drop, paste or take a photo: five names for it appear here."


def on_photo(
    path: str | None, name: str, variant: str = DENSE.name, answered: Answered | None = None
) -> list[Any]:
    """Name what is on a photo.

    Args:
        path: The file as it was sent.
        name: The chosen model.
        variant: The name of the variant.
        answered: What the variants answered so far, if they did.

    Returns:
        The answer, a note with the time it took, what there is to press, what the variants
        answered, and their bars.
    """
    answered = answered or Answered()
    if path is None:
        nothing = show_bars(answered.clear(), variant, available_variants(name))
        return [view.hint(PHOTO_HINT), "", "", *nothing]
    try:
        # The first one loads it; that is no part of an answer.
        model = load_chosen(name, variant)
        started = time.perf_counter()
        image = load_photo(path)
        guesses = rank(model, classify_photo(model, image), NUM_GUESSES)
        elapsed_ms = 1000 * (time.perf_counter() - started)
        sentences = [f"From the file to the names in {elapsed_ms:.0f} ms."]
        told = tell_answers(path, image, name, variant, answered)
        sentences.append(inspect_file(path).remark)
    except (InputError, ArtifactError) as error:
        nothing = show_bars(answered.clear(), variant, available_variants(name))
        return [view.hint(str(error)), "", "", *nothing]
    note = " ".join(filter(None, sentences))
    return [view.answer_html(model, guesses), note, view.hint(LOOK_HINT), *told]


def on_photo_again(path: str | None, *settings: Any) -> list[Any]:
    """Name what is on a photo once `on_ready()` has said its piece. As `on_photo()`."""
    told = on_photo(path, *settings)
    if path is None:
        # There is nothing to say but what went wrong with the model.
        told[1] = gr.skip()
    return told


def on_ready(name: str, variant: str) -> Iterator[str]:
    """Make a model ready, saying how far it is, before it is asked.

    Args:
        name: The chosen model.
        variant: The name of the variant.

    Yields:
        A sentence, the last one empty unless something went wrong.
    """
    try:
        steps = watch(
            lambda on_progress: load_chosen(name, variant, on_progress), f"Loading {variant}"
        )
        for step in steps:
            if isinstance(step, Loading):
                yield f"{step.sentence}: {step.share:.0%}"
    except (InputError, ArtifactError) as error:
        yield str(error)
        return
    yield ""


def on_example(event: gr.EventData) -> Any:
    """Return the photo whose button was pressed.

    Args:
        event: Carries its title.
    """
    title = str(event.example)
    return open_example(title) if title in EXAMPLES else gr.skip()
