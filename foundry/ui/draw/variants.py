"""What each variant of the chosen network answers to the drawing, and beside it to a photo."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from foundry.data import DIGITS
from foundry.digits.reading import classify_digits
from foundry.errors import InputError
from foundry.models.hub import OnProgress
from foundry.models.runtime import count_weight_bytes
from foundry.ui.components.model_choice import (
    find_own_data_run,
    list_any_variants,
    load_any_predictor,
    load_digit_predictor,
)
from foundry.ui.components.pad import read_pad, see_drawing
from foundry.ui.components.variants.answers import Answered, Candidate, measure_beside_dense
from foundry.ui.components.variants.bars import compare_all, show_bars
from foundry.ui.page.feedback import shows_errors


def tell_answers(
    images: np.ndarray, model_name: str, token: str, device: str, variant: str, answered: Answered
) -> list[Any]:
    """Let the chosen variant and the dense one answer in turns.

    Args:
        images: float32 (1, 28, 28): the drawing as the network sees it.
        model_name: The chosen model.
        token: The visitor's token.
        device: Where float32 models run.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Returns:
        As `show_bars()`.
    """
    load = partial(_load, images, model_name, token, device)
    asked, measured = _identify(images, model_name), measure_beside_dense(variant, load)
    return show_bars(answered.add(asked, measured), variant, list_any_variants(model_name, token))


@shows_errors
def on_compare(
    device: str, drawing: Any, model_name: str, token: str, variant: str, answered: Answered
) -> Iterator[list[Any]]:
    """Let all variants answer the drawing.

    Args:
        device: Where float32 models run.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Yields:
        As `compare_all()`.
    """
    if own := find_own_data_run(model_name, token):
        seen = see_drawing(own, drawing)
    else:
        reading = read_pad(load_digit_predictor(model_name, token, device), drawing)
        seen = reading.image if reading else None
    if seen is None:
        raise InputError("There is nothing to compare yet; draw a digit on the pad.")
    images = seen[None]
    yield from compare_all(
        answered,
        _identify(images, model_name),
        list_any_variants(model_name, token),
        variant,
        partial(_load, images, model_name, token, device),
    )


def compare_readings(
    images: np.ndarray, number: str, model_name: str, token: str, device: str
) -> str:
    """Say whether the dense model reads the same on a photo.

    Args:
        images: float32 (N, 28, 28): its digits as the network sees them.
        number: What the chosen variant reads.
        model_name: The chosen model.
        token: The visitor's token.
        device: Where float32 models run.
    """
    dense = _tell(classify_digits(load_digit_predictor(model_name, token, device), images))
    return "The dense model reads the same." if dense == number else f"Dense reads {dense}."


def _load(
    images: np.ndarray,
    model_name: str,
    token: str,
    device: str,
    variant: str,
    on_progress: OnProgress | None = None,
) -> Candidate:
    own = find_own_data_run(model_name, token)
    classes = own.classes if own else DIGITS
    predictor = load_any_predictor(model_name, token, device, variant, on_progress)
    return Candidate(
        lambda: _tell(classify_digits(predictor, images), classes), count_weight_bytes(predictor)
    )


def _tell(probs: np.ndarray, classes: Sequence[str] = DIGITS) -> str:
    return "".join(classes[place] for place in probs.argmax(1))


def _identify(images: np.ndarray, model_name: str) -> tuple[str, bytes]:
    return model_name, images.tobytes()
