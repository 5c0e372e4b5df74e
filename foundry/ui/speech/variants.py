"""What each variant of the chosen model hears in the recording."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from gradio.components import Component
from gradio.events import Dependency

from foundry.errors import InputError
from foundry.models import available_variants
from foundry.models.hub import OnProgress
from foundry.models.loading import check_variant
from foundry.models.runtime import count_weight_bytes
from foundry.speech import load_recogniser, transcribe
from foundry.speech.audio import AudioFile, open_audio
from foundry.ui.components.variants.answers import (
    Answered,
    Candidate,
    measure_beside_dense,
)
from foundry.ui.components.variants.bars import VariantBars, compare_all, show_bars
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.page.variants import VariantChoice
from foundry.ui.server.queues import OWN_QUEUE
from foundry.ui.speech.model import name_of

# Longer sound is not heard again to compare.
_MAX_COMPARED_S = 60.0
_NUM_ROUNDS = 1


@shows_errors
def on_heard(
    path: str | None,
    name: str | None,
    decoding: str,
    variant: str,
    by_channel: bool,
    answered: Answered,
) -> list[Any]:
    """Let the chosen variant and the dense one hear in turns what has just been transcribed.

    Args:
        path: The sound file.
        name: The chosen model.
        decoding: `greedy` or `beam`.
        variant: The name of the chosen variant.
        by_channel: Whether every channel is transcribed by itself; then nothing is compared.
        answered: What the variants answered so far.

    Returns:
        As `show_bars()`.
    """
    name = name_of(name)
    offered = available_variants(name)
    if not path or by_channel or (audio := open_audio(path)).duration_s > _MAX_COMPARED_S:
        return show_bars(answered.clear(), variant, offered)
    measured = measure_beside_dense(variant, partial(_load, audio, name, decoding), _NUM_ROUNDS)
    return show_bars(answered.add((path, name, decoding), measured), variant, offered)


def on_variant_bars(name: str | None, variant: str, answered: Answered) -> list[Any]:
    """Mark the variant that was chosen, on whichever tab.

    Args:
        name: The chosen model.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Returns:
        As `show_bars()`.
    """
    return show_bars(answered, variant, available_variants(name_of(name)))


@shows_errors
def on_compare(
    path: str | None, name: str | None, decoding: str, variant: str, answered: Answered
) -> Iterator[list[Any]]:
    """Let all variants hear the recording.

    Args:
        path: The sound file.
        name: The chosen model.
        decoding: `greedy` or `beam`.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Yields:
        As `compare_all()`.
    """
    if not path:
        raise InputError("There is nothing to compare yet; record yourself or upload a file.")
    name = name_of(name)
    audio = open_audio(path)
    if audio.duration_s > _MAX_COMPARED_S:
        raise InputError(
            f"This recording has {audio.duration_s:,.0f} s; at most {_MAX_COMPARED_S:.0f} s are "
            "compared."
        )
    yield from compare_all(
        answered,
        (path, name, decoding),
        available_variants(name),
        variant,
        partial(_load, audio, name, decoding),
        _NUM_ROUNDS,
    )


def _load(
    audio: AudioFile,
    name: str,
    decoding: str,
    variant: str,
    on_progress: OnProgress | None = None,
) -> Candidate:
    checked = check_variant(name, variant)
    recogniser = load_recogniser(name, on_progress, checked)
    return Candidate(
        lambda: transcribe(recogniser, audio, decoding).text,
        count_weight_bytes(recogniser.pretrained.predict),
    )


def connect_bars(
    compared: VariantBars,
    choice: VariantChoice,
    run: Dependency,
    heard: Sequence[Component],
    by_channel: Component,
) -> list[Dependency]:
    """Fill the bars after every transcription.

    Args:
        compared: The bars.
        choice: Which variant answers.
        run: Transcribes.
        heard: The sound, the model and the decoding.
        by_channel: Whether every channel is transcribed by itself.

    Returns:
        What listens to the sound again, and is of no use once there is another one.
    """
    variant, answered = choice.variant, compared.answered
    heard_again = run.success(
        on_heard,
        [*heard, variant, by_channel, answered],
        compared.outputs(),
        **OWN_QUEUE,
        **QUIET,
    )
    choice.follow().change(
        on_variant_bars, [heard[1], variant, answered], compared.outputs(), **QUIET
    )
    return [heard_again, compared.connect(on_compare, [*heard, variant])]
