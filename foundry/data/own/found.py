"""What the readers of all forms find in a file, before it is split."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from foundry.data.mnist import IMAGE_SIZE
from foundry.data.names import is_seen, tidy
from foundry.errors import InputError, counted

SPLITS = ("train", "val", "test")
MIN_CLASSES, MAX_CLASSES = 2, 100
MAX_PICTURES = 150_000
MAX_NAME = 60


@dataclass
class Found:
    """Pictures with labels, as a file had them.

    Attributes:
        parts: By the name of a split, images uint8 (N, 28, 28) and labels int64 (N,). What came
            without splits is all in `train`.
        classes: Their names, in the order of the labels.
        notes: Sentences on what was converted or left out.
        is_of_pictures: Whether there were pictures to make 28x28 of, rather than arrays.
    """

    parts: dict[str, tuple[np.ndarray, np.ndarray]]
    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    is_of_pictures: bool = False


def name_classes(
    parts: dict[str, tuple[np.ndarray, np.ndarray]], names: Sequence[str] = ()
) -> Found:
    """Give numbers as labels the names that they have, and places without gaps.

    Args:
        parts: Images uint8 (N, 28, 28), labels of any whole numbers (N,).
        names: Of the labels 0, 1, 2 and so on, if the file says them.

    Raises:
        InputError: If a label is negative or has no name, there are too few or too many classes, or
            two have the same name.
    """
    values = np.unique(np.concatenate([labels for _, labels in parts.values()]))
    if len(values) and values[0] < 0:
        raise InputError(f"A label is {values[0]}; whole numbers from 0 are accepted.")
    check_classes(len(values))
    placed = {
        name: (images, np.searchsorted(values, labels).astype(np.int64))
        for name, (images, labels) in parts.items()
    }
    if not names:
        return Found(placed, tuple(map(str, values.tolist())))
    if values[-1] >= len(names):
        raise InputError(
            f"The list of classes has {counted(len(names), 'name')}, and a label is {values[-1]}."
        )
    classes = tuple(names[value] for value in values.tolist())
    if twice := next((name for name in classes if classes.count(name) > 1), None):
        raise InputError(f"Two classes are called “{twice}”; each needs a name of its own.")
    return Found(placed, classes)


def tidy_name(text: str) -> str:
    """Return what names a class, on one line; empty if it cannot name one."""
    name = tidy(text)
    return name if len(name) <= MAX_NAME and is_seen(name) else ""


def check_classes(num_classes: int) -> None:
    """Refuse a number of classes that cannot be learned here.

    Raises:
        InputError: If there are too few or too many.
    """
    if not MIN_CLASSES <= num_classes <= MAX_CLASSES:
        raise InputError(
            f"There are pictures of {counted(num_classes, 'class')}; {MIN_CLASSES} to "
            f"{MAX_CLASSES} are accepted."
        )


def check_count(num_pictures: int) -> None:
    """Refuse more pictures than are kept.

    Raises:
        InputError: If there are more.
    """
    if num_pictures > MAX_PICTURES:
        raise InputError(
            f"The file has {num_pictures:,} pictures; at most {MAX_PICTURES:,} are accepted."
        )


def check_pair(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Refuse pictures and labels that do not belong together.

    Args:
        name: Of the pair, as people know it.
        images: One picture a row.
        labels: One label a row.

    Raises:
        InputError: If there are not as many of both.
    """
    if len(images) != len(labels):
        raise InputError(
            f"{name} has {counted(len(images), 'picture')} and {counted(len(labels), 'label')}."
        )


def shape_of(array: np.ndarray) -> str:
    """Return the shape of an array as people write it: `100x28x28`."""
    return "x".join(map(str, array.shape)) or "a single number"


PIXELS = IMAGE_SIZE**2
