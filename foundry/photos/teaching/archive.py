"""Examples in a ZIP file: a folder for each class, its pictures inside.

Nothing is ever unpacked by the name that the file gives: pictures are read one by one, each up to a
bound.
"""

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from foundry.data.archives import is_litter, list_entries, split_path
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
from foundry.photos.teaching.pictures import Square, read_square

PROJECT_FILE = "project.json"
HEAD_FILE = "head.safetensors"
TUNED_FILE = "tuned.safetensors"
_MAX_PICTURE_BYTES = 50_000_000
_MAX_BYTES = 1_000_000_000
_CHUNK_BYTES = 1 << 20
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
    found: list[tuple[tuple[str, ...], zipfile.ZipInfo]] = []
    for entry in list_entries(archive):
        parts = split_path(entry)
        if _is_ignored(parts):
            continue
        found.append((parts, entry))
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
    outer = {parts[0] for parts, _ in found}
    has_outer = len(outer) == 1 and any(len(parts) > 2 for parts, _ in found)
    classes: dict[str, list[zipfile.ZipInfo]] = {}
    for parts, entry in found:
        inner = parts[1:] if has_outer else parts
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
    with open_archive(path) as archive, tempfile.TemporaryDirectory() as folder:
        classes = list_pictures(archive)
        labels = tuple(dict.fromkeys([*map(check_label, own_labels or ()), *classes]))
        check_labels(labels)
        if own_labels is None:
            # What is too few by number alone need not be read.
            check_enough(labels, [Example("", of) for of, all_ in classes.items() for _ in all_])
        squares: dict[Square, str] = {}
        num_twice = 0
        for label, entry in _each(classes):
            file = Path(folder) / PurePosixPath(entry.filename).name
            _unpack(archive, entry, file)
            try:
                square = read_square(file)
            except InputError as error:
                raise InputError(f"“{entry.filename}”: {error}") from None
            finally:
                file.unlink()
            known = [Example(one.digest, of) for one, of in squares.items()]
            find_elsewhere(known, square.digest, label)
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


def _is_ignored(parts: tuple[str, ...]) -> bool:
    return is_litter(parts) or parts[-1] in (PROJECT_FILE, HEAD_FILE, TUNED_FILE)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path) -> None:
    """Write one file out, however much its header claims there is."""
    left = _MAX_PICTURE_BYTES
    with archive.open(entry) as packed, file.open("wb") as unpacked:
        while chunk := packed.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise InputError(f"“{entry.filename}” unpacks to more than it says.")
            unpacked.write(chunk)
