"""From a picture to the likeliest names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from foundry.models.runtime import on_narrow_thread
from foundry.photos.model import PhotoModel

NUM_GUESSES = 5


@dataclass(frozen=True)
class Guess:
    """One of the names that a picture may have.

    Attributes:
        index: Of the class.
        label: As the model calls it; of ImageNet's classes the first English name.
        prob: In [0, 1].
    """

    index: int
    label: str
    prob: float


@on_narrow_thread
def classify_photo(model: PhotoModel, image: Image.Image) -> np.ndarray:
    """Return the probability of every label, float32 (labels,).

    Args:
        model: The classifier.
        image: Upright, of any size.
    """
    return model.predict(model.prepare(image)).softmax(1)[0].numpy()


def rank(model: PhotoModel, probs: Sequence[float] | np.ndarray, count: int) -> list[Guess]:
    """Return the likeliest labels, the likeliest first.

    Args:
        model: Whose labels they are.
        probs: Of every label.
        count: How many, at most.
    """
    order = np.argsort(-np.asarray(probs), kind="stable")[:count]
    return [
        Guess(int(index), _call(model, int(index)), float(probs[int(index)])) for index in order
    ]


def _call(model: PhotoModel, index: int) -> str:
    return model.names[index].name if model.names else model.labels[index]
