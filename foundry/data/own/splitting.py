"""From what a file had to three splits, with what there is to say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from foundry.data.own.found import SPLITS, Found
from foundry.data.splits import DataSet, Split
from foundry.errors import InputError, counted

_SEED = 0
# Of each class, for a split that was not brought.
_SHARE = 0.1
_TITLES = {"train": "training", "val": "validation", "test": "test"}

Parts = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class OwnData:
    """A data set that somebody brought.

    Attributes:
        data: Its splits, each in a random but fixed order.
        notes: Sentences on what was converted, left out, split or is in two splits.
        is_of_pictures: As in `Found`.
    """

    data: DataSet
    notes: tuple[str, ...]
    is_of_pictures: bool

    @property
    def counts(self) -> Mapping[str, tuple[int, ...]]:
        """By the name of a split, how many pictures there are of each class."""
        return {
            name: tuple(
                torch.bincount(
                    getattr(self.data, name).labels, minlength=len(self.data.classes)
                ).tolist()
            )
            for name in SPLITS
        }


def split(found: Found) -> OwnData:
    """Make the splits that were not brought, a tenth of each class, the same for the same file.

    Args:
        found: What the file had.

    Raises:
        InputError: If a class has too few pictures, or is in a split but not to be learned.
    """
    parts: Parts = {name: part for name, part in found.parts.items() if len(part[1])}
    missing = [name for name in SPLITS if name not in parts]
    _check(parts, found.classes, len(missing))
    generator = np.random.default_rng(_SEED)
    sizes = np.maximum(1, np.rint(_SHARE * np.bincount(parts["train"][1]))).astype(int)
    for name in missing:
        parts["train"], parts[name] = _take(parts["train"], sizes, generator)
    notes = list(found.notes)
    if missing:
        names = " and ".join(_TITLES[name] for name in missing)
        notes.append(
            f"A tenth of each class was set aside for {names}, with a fixed seed, because the file "
            "does not say which."
        )
    notes += _count_duplicates(parts)
    splits = {name: _build(*parts[name], generator) for name in SPLITS}
    data = DataSet(**splits, classes=found.classes)
    return OwnData(data, tuple(notes), found.is_of_pictures)


def _check(parts: Parts, classes: Sequence[str], num_missing: int) -> None:
    learned = np.bincount(
        parts["train"][1] if "train" in parts else np.empty(0, np.int64), minlength=len(classes)
    )
    # One to learn from beside each that is set aside; a class of one picture is none.
    wanted = max(2, 1 + num_missing)
    for name, count in zip(classes, learned.tolist(), strict=True):
        if count < wanted:
            raise InputError(
                f"The class “{name}” has {counted(count, 'picture')} to learn from; at least "
                f"{wanted} of each class are needed."
            )


def _take(
    part: tuple[np.ndarray, np.ndarray], sizes: np.ndarray, generator: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return what is left of a part, and so many of each class that were taken from it."""
    images, labels = part
    taken = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        places = generator.permutation(np.flatnonzero(labels == label))
        taken[places[: sizes[label]]] = True
    return (images[~taken], labels[~taken]), (images[taken], labels[taken])


def _count_duplicates(parts: Parts) -> list[str]:
    known = {name: {image.tobytes() for image in parts[name][0]} for name in SPLITS}
    notes = []
    for one, other in (("val", "train"), ("test", "train"), ("test", "val")):
        count = sum(image.tobytes() in known[other] for image in parts[one][0])
        if count:
            notes.append(
                f"{counted(count, 'picture')} for {_TITLES[one]} can be found among those for "
                f"{_TITLES[other]}, too: what they say is too good."
            )
    return notes


def _build(images: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Split:
    order = generator.permutation(len(labels))
    return Split(torch.from_numpy(images[order]), torch.from_numpy(labels[order]))
