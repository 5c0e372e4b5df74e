"""ZIP files of folders of pictures: a folder is a class."""

import io
import re
import zipfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from foundry.data.archives import open_archive, read_entry
from foundry.data.own.found import MAX_NAME, Found, check_classes, check_count, tidy_name
from foundry.data.pictures import load_image
from foundry.errors import InputError

Frame = Callable[[Image.Image], np.ndarray]

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_MAX_PICTURE_BYTES = 40_000_000
_NUM_NAMED = 5
# The first answer to "how far" comes soon, and a file of thousands does not drown in them.
_TELL_EVERY = 100


def read_folders(path: Path, frame: Frame) -> Generator[float, None, Found]:
    """Read a ZIP of pictures in folders, which may lie in folders for each split.

    Args:
        path: Of the file.
        frame: Turns a picture into uint8 (28, 28); raises `InputError` for what it cannot.

    Yields:
        The share done, in [0, 1].

    Returns:
        What was found.

    Raises:
        InputError: If there is nothing to learn from.
    """
    with open_archive(path) as (archive, entries):
        pictures = [entry for entry in entries if _parts(entry)[-1].lower().endswith(_PICTURES)]
        check_count(len(pictures))
        if not pictures:
            raise InputError(
                "The ZIP has no pictures; PNG, JPEG, WebP and BMP files in folders are accepted, a "
                "folder for each class."
            )
        placed, loose = _place(pictures)
        classes = _sort_classes({name for _, name, _ in placed})
        check_classes(len(classes))
        numbers = {name: number for number, name in enumerate(classes)}
        images: dict[str, list[np.ndarray]] = {}
        labels: dict[str, list[int]] = {}
        unreadable: list[str] = []
        for done, (split, name, entry) in enumerate(placed):
            if done % _TELL_EVERY == 0:
                yield done / len(placed)
            try:
                image = _open(archive, entry, frame)
            except InputError:
                unreadable.append(entry.filename)
                continue
            images.setdefault(split, []).append(image)
            labels.setdefault(split, []).append(numbers[name])
    notes = []
    if others := len(entries) - len(pictures):
        notes.append(f"Files other than PNG, JPEG, WebP and BMP were left out: {others:,}.")
    if loose:
        notes.append(f"Pictures in no folder of a class were left out: {_name_some(loose)}.")
    if unreadable:
        notes.append(f"Pictures that cannot be read were left out: {_name_some(unreadable)}.")
    if not images:
        raise InputError(f"None of the pictures can be read: {_name_some(unreadable)}.")
    parts = {
        split: (np.stack(images[split]), np.array(labels[split], np.int64)) for split in images
    }
    return Found(parts, classes, notes, is_of_pictures=True)


def _open(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, frame: Frame) -> np.ndarray:
    if entry.file_size > _MAX_PICTURE_BYTES:
        raise InputError("The picture is too large.")
    return frame(load_image(io.BytesIO(read_entry(archive, entry))))


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(entry.filename.replace("\\", "/")).parts


def _place(
    pictures: Sequence[zipfile.ZipInfo],
) -> tuple[list[tuple[str, str, zipfile.ZipInfo]], list[str]]:
    """Return the split, the class and the entry of each picture; and the names of loose ones."""
    folders = [_parts(entry)[:-1] for entry in pictures]
    depth = _count_shared(folders)
    folders = [folder[depth:] for folder in folders]
    has_splits = _has_splits(folders)
    placed, loose = [], []
    for folder, entry in zip(folders, pictures, strict=True):
        split, inner = "train", folder
        if has_splits:
            known = _SPLIT_NAMES.get(folder[0].lower()) if folder else None
            split, inner = (known, folder[1:]) if known else ("train", ())
        if inner:
            placed.append((split, _name_class(inner[0]), entry))
        else:
            loose.append(entry.filename)
    return placed, loose


def _has_splits(folders: Sequence[tuple[str, ...]]) -> bool:
    """Tell whether the outer folders are splits rather than classes.

    Pictures may lie beside: unlabelled ones to test on, as of competitions, or those of a text.
    """
    outer = {folder[0].lower() for folder in folders if folder}
    splits = {
        _SPLIT_NAMES[folder[0].lower()]
        for folder in folders
        if len(folder) > 1 and folder[0].lower() in _SPLIT_NAMES
    }
    return len(splits) > 1 or (len(splits) == 1 and outer <= _SPLIT_NAMES.keys())


def _count_shared(folders: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders lie around those of the classes, or of the splits."""
    depth = 0
    while any(len(folder) > depth + 1 for folder in folders):
        names = {folder[depth] for folder in folders if len(folder) > depth}
        if len(names) > 1 or next(iter(names)).lower() in _SPLIT_NAMES:
            break
        depth += 1
    return depth


def _name_class(folder: str) -> str:
    name = tidy_name(folder)
    if not name:
        shown = " ".join(folder.split())[:MAX_NAME]
        raise InputError(
            f"The folder “{shown}” cannot name a class; up to {MAX_NAME} printable characters are "
            "accepted."
        )
    return name


def _sort_classes(names: set[str]) -> tuple[str, ...]:
    """Sort as people do: 2 comes before 10."""

    def key(name: str) -> list[tuple[int, str]]:
        return [
            (int(part), "") if part.isascii() and part.isdigit() else (-1, part.casefold())
            for part in re.split(r"(\d+)", name)
        ]

    return tuple(sorted(names, key=lambda name: (key(name), name)))


def _name_some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NUM_NAMED])
    rest = len(names) - _NUM_NAMED
    return f"{len(names):,} ({shown}{f' and {rest:,} more' if rest > 0 else ''})"
