"""What each variant of the chosen model sees on the photo."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from PIL import Image

from foundry.data.pictures import load_photo
from foundry.errors import InputError
from foundry.models import available_variants
from foundry.models.hub import OnProgress
from foundry.models.runtime import count_weight_bytes
from foundry.photos import PhotoModel, classify_photo, rank
from foundry.photos.classification import Guess
from foundry.ui.components.variants.answers import Answered, Candidate, measure_beside_dense
from foundry.ui.components.variants.bars import compare_all, show_bars
from foundry.ui.page.feedback import shows_errors
from foundry.ui.photos.choice import load_chosen

_NUM_ROUNDS = 3


def tell_answers(
    path: str, image: Image.Image, name: str, variant: str, answered: Answered
) -> list[Any]:
    """Let the chosen variant and the dense one answer in turns.

    Args:
        path: The file of the photo.
        image: What is on it, upright.
        name: The chosen model.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Returns:
        As `show_bars()`.
    """
    measured = measure_beside_dense(variant, partial(_load, image, name), _NUM_ROUNDS)
    return show_bars(answered.add((path, name), measured), variant, available_variants(name))


@shows_errors
def on_compare(
    path: str | None, name: str, variant: str, answered: Answered
) -> Iterator[list[Any]]:
    """Let all variants answer.

    Args:
        path: The file of the photo.
        name: The chosen model.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Yields:
        As `compare_all()`.
    """
    if path is None:
        raise InputError("There is nothing to compare yet; upload or take a photo.")
    image = load_photo(path)
    yield from compare_all(
        answered,
        (path, name),
        available_variants(name),
        variant,
        partial(_load, image, name),
        _NUM_ROUNDS,
    )


def _name(model: PhotoModel, guess: Guess) -> str:
    # Two classes may have one label: the bird and the machine are both a crane.
    return model.names[guess.index].shown if model.names else guess.label


def _load(
    image: Image.Image, name: str, variant: str, on_progress: OnProgress | None = None
) -> Candidate:
    model = load_chosen(name, variant, on_progress)
    return Candidate(
        lambda: _name(model, rank(model, classify_photo(model, image), 1)[0]),
        count_weight_bytes(model.predict),
    )
