"""Which pictures are watched while a network learns, and which are read beside a visitor's own."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from foundry.data import NUM_CLASSES, Split, load_test_split
from foundry.runs.data_sets import MNIST, load_data
from foundry.ui.components.plots import ink_mask

# Of the test split, one of each class: the one that the shipped LeNet, which reads all of these
# right, is least sure of. The first of each class, which is easy, stands above it.
_HARD = (6597, 6572, 9664, 4443, 3534, 1737, 4571, 1226, 6555, 9692)
_NUM_WATCHED = 20
# Of the validation split, in the order of their classes: 0, 1, 2 and 5 are the first ones, which
# are easy; 3, 4, 7 and 9 are those that the shipped LeNet, right as it is, nearly takes for others.
_BESIDE = (0, 7, 6, 2608, 4337, 8, 1221, 4806)
# Those that training itself looks at along the way.
NUM_COUNTED = 500


@lru_cache(maxsize=8)
def watched_pictures(dataset: str) -> Split:
    """Return the pictures of a data set that the page watches: twenty, if there are so many."""
    if dataset != MNIST:
        return _spread(load_data(dataset).test, _NUM_WATCHED)
    test = load_test_split()
    easy = [int((test.labels == digit).int().argmax()) for digit in range(NUM_CLASSES)]
    chosen = [*easy, *_HARD]
    return Split(test.images[chosen], test.labels[chosen])


def _spread(pictures: Split, most: int) -> Split:
    """Return the first picture of each class, then the second, and so on.

    Args:
        pictures: Of a split.
        most: How many to return, if there are so many.
    """
    labels = pictures.labels.numpy()
    places = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = labels == label
        places[own] = np.arange(own.sum())
    chosen = np.lexsort((labels, places))[:most].tolist()
    return Split(pictures.images[chosen], pictures.labels[chosen])


@lru_cache(maxsize=8)
def draw_sprite(dataset: str) -> str:
    """Return these pictures side by side, as `ink_mask()` does."""
    return ink_mask(np.concatenate(list(watched_pictures(dataset).images.numpy()), axis=1))


@dataclass(frozen=True)
class Beside:
    """What is read beside the visitor's drawing, all of the validation split.

    Attributes:
        shown: A card each.
        counted: In the confusion matrix, and of MNIST on the map.
        sprite: A mask of those that are shown, side by side.
    """

    shown: Split
    counted: Split
    sprite: str


@lru_cache(maxsize=4)
def pictures_beside(dataset: str) -> Beside:
    """Return what is read beside the visitor's drawing of a run on a data set."""
    val, chosen = load_data(dataset).val, list(_BESIDE)
    if dataset == MNIST:
        shown = Split(val.images[chosen], val.labels[chosen])
    else:
        shown = _spread(val, len(chosen))
    sprite = ink_mask(np.concatenate(list(shown.images.numpy()), axis=1))
    return Beside(shown, val.head(NUM_COUNTED), sprite)
