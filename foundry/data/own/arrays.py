"""NPZ files in MedMNIST's form: `train_images`, `train_labels`, and the same for `val` and `test`.

`class_names` or `label_names`, an array of texts, may name the labels.

Source: Yang et al., MedMNIST v2, 2023.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from foundry.data.archives import open_archive, read_entry
from foundry.data.mnist import IMAGE_SIZE
from foundry.data.own.found import (
    MAX_NAME,
    SPLITS,
    Found,
    check_count,
    check_pair,
    name_classes,
    shape_of,
    tidy_name,
)
from foundry.data.own.framing import reduce_arrays
from foundry.errors import InputError

# What may name the classes, in the order of their labels.
_NAMES = ("class_names", "label_names")


def read_arrays(path: Path) -> Found:
    """Read an NPZ file.

    Args:
        path: Of the file.

    Raises:
        InputError: If it holds no such arrays, or something else than plain numbers.
    """
    parts = {}
    notes: list[str] = []
    with open_archive(path) as (archive, entries):
        by_name = {entry.filename: entry for entry in entries}
        names = _read_names(archive, by_name, notes)
        for split in SPLITS:
            images = _read(archive, by_name, f"{split}_images")
            labels = _read(archive, by_name, f"{split}_labels")
            if images is None and labels is None:
                continue
            if images is None or labels is None:
                raise InputError(f"Of {split}_images and {split}_labels the NPZ has only one.")
            parts[split] = (
                _check_images(f"{split}_images", images),
                _check_labels(f"{split}_labels", labels),
            )
            check_pair(split, *parts[split])
            if images.ndim == 4:
                notes.append(f"The colours of {split}_images were turned into greys.")
            if images.shape[1:3] != (IMAGE_SIZE, IMAGE_SIZE):
                notes.append(f"{split}_images of {shape_of(images)} were resized to 28x28.")
    if "train" not in parts:
        raise InputError("The NPZ has no train_images and train_labels, which are needed.")
    check_count(sum(len(labels) for _, labels in parts.values()))
    found = name_classes(parts, names)
    found.notes.extend(notes)
    return found


def _read_names(
    archive: zipfile.ZipFile, by_name: dict[str, zipfile.ZipInfo], notes: list[str]
) -> tuple[str, ...]:
    """Return the names of the labels, from 0; none where the file does not say them in plain text.

    Args:
        archive: The NPZ.
        by_name: Its entries.
        notes: Is added why names were left out.
    """
    array = next((one for one in _NAMES if f"{one}.npy" in by_name), None)
    if array is None:
        return ()
    try:
        values = _read(archive, by_name, array)
    except InputError as error:
        # The pictures can be learned without.
        notes.append(f"The classes keep their numbers. {error}")
        return ()
    if values is None or values.ndim != 1 or values.dtype.kind not in "US":
        notes.append(f"The classes keep their numbers: {array} is no list of texts.")
        return ()
    texts = [
        one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in values.tolist()
    ]
    for text in texts:
        if not tidy_name(text):
            raise InputError(
                f"Among {array} is “{' '.join(text.split())[:MAX_NAME]}”, which cannot name a "
                f"class; up to {MAX_NAME} printable characters are accepted."
            )
    return tuple(map(tidy_name, texts))


def _read(
    archive: zipfile.ZipFile, by_name: dict[str, zipfile.ZipInfo], name: str
) -> np.ndarray | None:
    entry = by_name.get(f"{name}.npy")
    if entry is None:
        return None
    try:
        array: np.ndarray = np.lib.format.read_array(
            io.BytesIO(read_entry(archive, entry)), allow_pickle=False
        )
    except ValueError as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise InputError(
                f"{name} holds Python objects, which are never loaded; plain numbers are accepted."
            ) from None
        raise InputError(f"{name} is damaged and cannot be read.") from None
    except (EOFError, SyntaxError, TypeError):
        raise InputError(f"{name} is damaged and cannot be read.") from None
    return array


def _check_images(name: str, images: np.ndarray) -> np.ndarray:
    is_grey = images.ndim == 3
    is_colour = images.ndim == 4 and images.shape[3] == 3
    if not (is_grey or is_colour) or not all(images.shape[1:]):
        raise InputError(
            f"{name} is {shape_of(images)}; NxHxW or NxHxWx3 is accepted, such as 100x28x28."
        )
    if images.dtype != np.uint8:
        raise InputError(f"{name} is of type {images.dtype}; uint8 from 0 to 255 is accepted.")
    return reduce_arrays(images)


def _check_labels(name: str, labels: np.ndarray) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InputError(f"{name} is {shape_of(labels)}; one label for each picture is accepted.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"{name} is of type {labels.dtype}; whole numbers are accepted.")
    return labels.astype(np.int64)
