"""Examples in a ZIP file: a folder for each class, its pictures inside.

Nothing is ever unpacked by the name that the file gives: pictures are read one by one, each up to a
bound.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from foundry.data.archives import is_litter, list_entries, read_entry, split_path
from foundry.errors import InputError
from foundry.photos.teaching.examples import (
    MAX_EXAMPLES,
    MAX_PICTURES,
    MIN_EXAMPLES,
    Example,
    check_enough,
    check_label,
    check_labels,
    find_elsewhere,
)
from foundry.photos.teaching.pictures import Square, parse_square

PROJECT_FILE = "project.json"
HEAD_FILE = "head.safetensors"
TUNED_FILE = "tuned.safetensors"
# What a project that was saved has beside its pictures.
_LEARNED = (PROJECT_FILE, HEAD_FILE, TUNED_FILE)
_MAX_PICTURE_BYTES = 50_000_000
_MAX_BYTES = 1_000_000_000
_ACCEPTED = (
    "a ZIP file with a folder for each class and the pictures inside, such as cats/one.jpg, is "
    "accepted"
)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    UnicodeDecodeError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP file that somebody has sent, for as long as it is read.

    Args:
        path: The file.

    Raises:
        InputError: If it is none, or turns out to be damaged while it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _BROKEN:
        raise InputError(f"This file is damaged or no ZIP file; {_ACCEPTED}.") from None


def list_pictures(archive: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    """Return the pictures of each class, by what the file's own list says of them.

    Args:
        archive: Open for reading.

    Returns:
        Class -> its files, both in the order of the list. A folder around all of them is passed
        over, as are hidden files; a class without files is empty.

    Raises:
        InputError: If a path climbs, something is a link, encrypted or too large, a file lies in no
            class's folder, or there are too many.
    """
    found = [(inner, entry) for inner, entry in _list_inner(archive) if not _is_learned(inner)]
    num_pictures = sum(not entry.is_dir() for _, entry in found)
    if num_pictures > MAX_PICTURES:
        raise InputError(
            f"There are {num_pictures:,} pictures in the ZIP file; at most {MAX_PICTURES:,} are "
            f"accepted, {MAX_EXAMPLES} of each class."
        )
    if sum(entry.file_size for _, entry in found) > _MAX_BYTES:
        raise InputError(
            "The ZIP file would unpack to more than 1 GB, which no "
            f"{MAX_PICTURES:,} pictures need; send smaller ones."
        )
    classes: dict[str, list[zipfile.ZipInfo]] = {}
    for inner, entry in found:
        if entry.is_dir():
            if len(inner) == 1:
                classes.setdefault(check_label(inner[0]), [])
            continue
        if len(inner) != 2:
            raise InputError(f"“{entry.filename}” lies in no class's folder; {_ACCEPTED}.")
        if entry.file_size > _MAX_PICTURE_BYTES:
            raise InputError(
                f"“{entry.filename}” unpacks to more than {_MAX_PICTURE_BYTES // 1_000_000} MB; "
                "send a smaller picture."
            )
        classes.setdefault(check_label(inner[0]), []).append(entry)
    return classes


def list_learned(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a project that was saved, by name, as far as they lie beside the classes.

    Args:
        archive: Open for reading.

    Raises:
        InputError: If a path climbs, or something is a link or encrypted.
    """
    return {
        inner[0]: entry
        for inner, entry in _list_inner(archive)
        if len(inner) == 1 and _is_learned(inner)
    }


def _list_inner(archive: zipfile.ZipFile) -> list[tuple[tuple[str, ...], zipfile.ZipInfo]]:
    """Return the parts of each path, less a folder around all the pictures, and its entry."""
    found = [(split_path(entry), entry) for entry in list_entries(archive)]
    found = [(parts, entry) for parts, entry in found if not is_litter(parts)]
    pictures = [parts for parts, _ in found if not _is_learned(parts)]
    outer = {parts[0] for parts in pictures}
    if len(outer) != 1 or not any(len(parts) > 2 for parts in pictures):
        return found
    return [(parts[1:] if parts[0] in outer else parts, entry) for parts, entry in found]


def _is_learned(parts: tuple[str, ...]) -> bool:
    return bool(parts) and parts[-1] in _LEARNED


def read_archive(
    path: Path, own_labels: Sequence[object] | None = None
) -> tuple[tuple[str, ...], dict[Square, str], int]:
    """Read all examples of a ZIP file, or none.

    Args:
        path: The file.
        own_labels: Of a project that was saved: its classes, of which some may have too few
            pictures so far. None asks for enough to learn from.

    Returns:
        The classes, the class of each picture, and how many pictures a class has twice, of which
        one is kept.

    Raises:
        InputError: If it is no such file, or what is in it is not enough or too much to learn from.
    """
    with open_archive(path) as archive:
        classes = list_pictures(archive)
        labels = tuple(dict.fromkeys([*map(check_label, own_labels or ()), *classes]))
        check_labels(labels)
        if own_labels is None:
            # What is too few by number alone need not be read.
            check_enough(labels, [Example("", of) for of, all_ in classes.items() for _ in all_])
        squares: dict[Square, str] = {}
        num_twice = 0
        for label, entry in _each(classes):
            content = read_entry(archive, entry)
            try:
                square = parse_square(content, split_path(entry)[-1])
                if square in squares:
                    there = Example(square.digest, squares[square])
                    find_elsewhere([there], square.digest, label)
            except InputError as error:
                raise InputError(f"“{entry.filename}”: {error}") from None
            num_twice += square in squares
            squares[square] = label
    examples = [Example(square.digest, label) for square, label in squares.items()]
    if own_labels is None:
        check_enough(labels, examples)
    for label in labels:
        if sum(example.label == label for example in examples) > MAX_EXAMPLES:
            raise InputError(
                f"The class “{label}” has more than {MAX_EXAMPLES} pictures; {MIN_EXAMPLES} to "
                f"{MAX_EXAMPLES} are accepted."
            )
    return labels, squares, num_twice


def _each(
    classes: dict[str, list[zipfile.ZipInfo]],
) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for label, entries in classes.items():
        for entry in entries:
            yield label, entry
