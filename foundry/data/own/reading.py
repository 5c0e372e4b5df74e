"""From a file of any accepted form to a data set."""

import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path

from foundry.data.archives import open_archive
from foundry.data.own.arrays import read_arrays
from foundry.data.own.folders import Frame, read_folders
from foundry.data.own.found import Found
from foundry.data.own.framing import reduce_by_area
from foundry.data.own.idx import is_idx, read_idx_files, read_idx_pairs
from foundry.data.own.splitting import OwnData, split
from foundry.data.own.table import read_table
from foundry.errors import InputError

ACCEPTED = (
    "a ZIP of folders of pictures (a folder for each class), an NPZ in MedMNIST's form, a pair "
    "of IDX files (both, or a ZIP with them), or a CSV with a label and 784 pixels in each row"
)


def read_data_set(
    path: Path | Sequence[Path], frame: Frame = reduce_by_area
) -> Generator[float, None, OwnData]:
    """Read a file that somebody brought, or several; nothing is written.

    Args:
        path: Of the file; its content says what it is, not its name. Of several files, which are
            pairs of IDX files, the names do.
        frame: Turns a picture of a ZIP of folders into uint8 (28, 28).

    Yields:
        The share done, in [0, 1].

    Returns:
        The data set.

    Raises:
        InputError: If it is of no accepted form, or something in it is not accepted.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if len(paths) == 1 and not is_idx(paths[0].name):
        found = yield from _read(paths[0], frame)
        return split(found)
    for one in paths:
        if not is_idx(one.name):
            raise InputError(
                f"“{one.name}” is no IDX file; only pairs of those are brought as several files. "
                f"Accepted is {ACCEPTED}."
            )
    return split(read_idx_files(paths))


def finish(reading: Generator[float, None, OwnData]) -> OwnData:
    """Return what a reading comes to, without saying how far it is."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            result: OwnData = end.value
            return result


def _read(path: Path, frame: Frame) -> Generator[float, None, Found]:
    if not path.stat().st_size:
        raise InputError(f"The file is empty; accepted is {ACCEPTED}.")
    if zipfile.is_zipfile(path):
        with open_archive(path) as (_, entries):
            names = [entry.filename for entry in entries]
        if any(name.endswith(".npy") for name in names):
            return read_arrays(path)
        if any(map(is_idx, names)):
            return read_idx_pairs(path)
        return (yield from read_folders(path, frame))
    with open(path, "rb") as file:
        start = file.read(1_000)
    if b"\0" in start or start.startswith((b"\x1f\x8b", b"PK")):
        raise InputError(f"This file cannot be read; accepted is {ACCEPTED}.")
    return (yield from read_table(path))
