"""CSV files in Kaggle's form: a label and 784 pixels in each row."""

from collections.abc import Generator
from pathlib import Path

import numpy as np

from foundry.data.mnist import IMAGE_SIZE
from foundry.data.own.found import PIXELS, Found, check_count, name_classes
from foundry.errors import InputError, counted

_COLUMNS = PIXELS + 1
# The longest line that can be one of ours; a file without line ends must not fill the memory.
_MAX_LINE = 20_000
_TELL_EVERY = 500


def read_table(path: Path) -> Generator[float, None, Found]:
    """Read a CSV file; the first row may name the columns.

    Args:
        path: Of the file.

    Yields:
        The share done, in [0, 1].

    Returns:
        What was found.

    Raises:
        InputError: If a row is of another form; names the line.
    """
    images, labels = [], []
    size, read = max(1, path.stat().st_size), 0
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE):
            number += 1
            read += len(line)
            if number % _TELL_EVERY == 0:
                yield read / size
            cells = line.removeprefix(b"\xef\xbb\xbf").strip().split(b",")
            if cells == [b""]:
                continue
            if len(cells) != _COLUMNS:
                raise InputError(
                    f"Line {number:,} has {counted(len(cells), 'column')}; {_COLUMNS} are "
                    f"accepted: a label, then {PIXELS} pixels."
                )
            if number == 1 and not _is_number(cells[-1]):
                continue
            label, pixels = _read_row(number, cells)
            labels.append(label)
            images.append(pixels)
            check_count(len(labels))
    if not labels:
        raise InputError("The CSV has no rows with a label and pixels.")
    shaped = np.stack(images).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    return name_classes({"train": (shaped, np.array(labels, np.int64))})


def _read_row(number: int, cells: list[bytes]) -> tuple[int, np.ndarray]:
    try:
        label, *pixels = map(int, cells)
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        shown = wrong.decode("utf-8", "replace")[:20]
        raise InputError(
            f"Line {number:,} has “{shown}”; whole numbers are accepted, as label and as pixels."
        ) from None
    if min(pixels) < 0 or max(pixels) > 255:
        raise InputError(f"Line {number:,} has pixels that are not from 0 to 255.")
    if not 0 <= label < 2**31:
        raise InputError(f"Line {number:,} has the label {label}; 0 and above are accepted.")
    return label, np.array(pixels, np.uint8)


def _is_number(cell: bytes) -> bool:
    try:
        int(cell)
    except ValueError:
        return False
    return True
