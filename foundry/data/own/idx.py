"""Pairs of IDX files, in a ZIP or loose, gzipped or not, as MNIST and its siblings are published.

Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, "File formats".
"""

import gzip
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from foundry.data.archives import MAX_FILE_BYTES, open_archive, read_entry
from foundry.data.mnist import IMAGE_SIZE
from foundry.data.own.found import Found, check_count, check_pair, name_classes, shape_of
from foundry.errors import InputError, counted

_NAME = re.compile(r"(.*?)-?(images|labels)[-.]idx([13])(-ubyte)?(\.gz)?", re.IGNORECASE)
_UINT8 = 8


def is_idx(name: str) -> bool:
    """Tell whether a file's name is that of an IDX file: `train-images-idx3-ubyte.gz`."""
    return _NAME.fullmatch(PurePosixPath(name).name) is not None


def read_idx_pairs(path: Path) -> Found:
    """Read a ZIP with two IDX files, or four: images and labels to learn from, and to test on.

    Args:
        path: Of the file.

    Raises:
        InputError: If a file has no partner, is cut short, or is of another form.
    """
    with open_archive(path) as (archive, entries):
        return _pair_up(
            (PurePosixPath(entry.filename).name, partial(read_entry, archive, entry))
            for entry in entries
        )


def read_idx_files(paths: Sequence[Path]) -> Found:
    """Read what `read_idx_pairs()` finds in a ZIP from as many loose files.

    Args:
        paths: Of the files, by whose names they are paired.

    Raises:
        InputError: As `read_idx_pairs()` does.
    """
    return _pair_up((path.name, partial(_read_file, path)) for path in paths)


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(
            f"“{path.name}” has more than {MAX_FILE_BYTES / 1e6:,.0f} MB, the most that is "
            "accepted."
        )
    return path.read_bytes()


def _pair_up(files: Iterable[tuple[str, Callable[[], bytes]]]) -> Found:
    """Return what files hold, each given by its name and by what reads it."""
    arrays: dict[str, dict[str, np.ndarray]] = {}
    notes = []
    for name, read in files:
        match = _NAME.fullmatch(name)
        if match is None:
            notes.append(f"“{name}” is no IDX file and was left out.")
            continue
        pair, kind = match[1].lower(), match[2].lower()
        if kind in arrays.setdefault(pair, {}):
            raise InputError(f"“{name}” is there twice.")
        arrays[pair][kind] = read_idx(name, _unpack(name, read()))
    parts = {}
    for pair, found in arrays.items():
        if len(found) < 2:
            missing = "labels" if "images" in found else "images"
            raise InputError(
                f"The {missing} that belong to “{pair}” are missing; bring both files."
            )
        images, labels = found["images"], found["labels"]
        if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or labels.ndim != 1:
            raise InputError(
                f"“{pair}” has pictures of {shape_of(images)} and labels of {shape_of(labels)}; "
                "Nx28x28 and N are accepted."
            )
        check_pair(f"“{pair}”", images, labels)
        split = _guess_split(pair, len(arrays))
        if split in parts:
            raise InputError(
                "There are several pairs of IDX files to learn from; one is accepted, and one "
                "whose name says test or t10k."
            )
        if "emnist" in pair:
            # Published with rows and columns exchanged.
            images = images.transpose(0, 2, 1)
            notes.append(f"EMNIST lies on its side as it is published; “{pair}” was set upright.")
        parts[split] = (np.ascontiguousarray(images), labels.astype(np.int64))
    if "train" not in parts:
        raise InputError("There are IDX files to test on and none to learn from.")
    check_count(sum(len(labels) for _, labels in parts.values()))
    result = name_classes(parts)
    result.notes.extend(notes)
    return result


def read_idx(name: str, raw: bytes) -> np.ndarray:
    """Read an IDX file of bytes.

    Args:
        name: Of the file, for messages.
        raw: Its content, unpacked.

    Returns:
        uint8, of one to three dimensions; shares memory with `raw`.

    Raises:
        InputError: If it is cut short or holds something else.
    """
    # Two zero bytes, a type, the number of dimensions, then each as a big-endian int32.
    if len(raw) < 4 or raw[:2] != b"\0\0":
        raise InputError(f"“{name}” is no IDX file.")
    kind, num_dims = raw[2], raw[3]
    if kind != _UINT8 or not 1 <= num_dims <= 3:
        raise InputError(f"“{name}” is an IDX file of another kind; unsigned bytes are accepted.")
    start = 4 + 4 * num_dims
    if len(raw) < start:
        raise InputError(f"“{name}” is cut short: its header ends early.")
    shape = struct.unpack(f">{num_dims}I", raw[4:start])
    wanted = 1
    for size in shape:
        wanted *= size
    if len(raw) - start != wanted:
        raise InputError(
            f"“{name}” has {counted(len(raw) - start, 'byte')} of data where its header says "
            f"{wanted:,}."
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _unpack(name: str, raw: bytes) -> bytes:
    if not name.lower().endswith(".gz"):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            unpacked = file.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise InputError(f"“{name}” is damaged and cannot be unpacked.") from None
    if len(unpacked) > MAX_FILE_BYTES:
        raise InputError(
            f"“{name}” unpacks to more than {MAX_FILE_BYTES / 1e6:,.0f} MB, the most that is "
            "accepted."
        )
    return unpacked


def _guess_split(pair: str, num_pairs: int) -> str:
    is_test = "test" in pair or "t10k" in pair
    return "test" if is_test and num_pairs > 1 else "train"
