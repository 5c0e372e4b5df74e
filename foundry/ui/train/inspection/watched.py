"""Which pictures are watched while a network learns: twenty that it never learns from."""

from functools import lru_cache

import numpy as np

from foundry.data import NUM_CLASSES, Split, load_test_split
from foundry.runs.data_sets import MNIST, load_data
from foundry.ui.components.plots import ink_mask

# Of the test split, one of each class: the one that the shipped LeNet, which reads all of these
# right, is least sure of. The first of each class, which is easy, stands above it.
_HARD = (6597, 6572, 9664, 4443, 3534, 1737, 4571, 1226, 6555, 9692)
_NUM_WATCHED = 20


@lru_cache(maxsize=8)
def watched_pictures(dataset: str) -> Split:
    """Return the pictures of a data set that the page watches: twenty, if there are so many."""
    if dataset != MNIST:
        return _spread(load_data(dataset).test)
    test = load_test_split()
    easy = [int((test.labels == digit).int().argmax()) for digit in range(NUM_CLASSES)]
    chosen = [*easy, *_HARD]
    return Split(test.images[chosen], test.labels[chosen])


def _spread(test: Split) -> Split:
    """Return the first picture of each class, then the second, and so on, up to twenty."""
    labels = test.labels.numpy()
    places = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = labels == label
        places[own] = np.arange(own.sum())
    chosen = np.lexsort((labels, places))[:_NUM_WATCHED].tolist()
    return Split(test.images[chosen], test.labels[chosen])


@lru_cache(maxsize=8)
def draw_sprite(dataset: str) -> str:
    """Return these pictures side by side, as `ink_mask()` does."""
    return ink_mask(np.concatenate(list(watched_pictures(dataset).images.numpy()), axis=1))
