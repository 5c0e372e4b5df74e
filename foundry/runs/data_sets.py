"""Data sets that visitors brought, on disk beside the runs, each named by the hash of its content.

data.safetensors    images and labels of the three splits
about.json          its classes, and how many pictures there are of each
owners/HASH         of each visitor who brought it, named by their hash: what their file is called,
                    and what there was to say of it
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from foundry.data import DataSet, Split, load_mnist
from foundry.data.own.found import SPLITS
from foundry.data.own.splitting import OwnData
from foundry.errors import ArtifactError, InputError
from foundry.models.calibration import Calibration, describe_digits, digit_samples
from foundry.runs.folders import hash_owner, remove_folder, runs_dir, write_json

MNIST = "mnist"
# How 28x28 was made of pictures; files of arrays do not say.
AS_IT_IS, AS_HANDWRITING = "as it is", "as handwriting"
PREPARATIONS = (AS_IT_IS, AS_HANDWRITING)
MAX_OWN = 20

_DATA_FILE = "data.safetensors"
_ABOUT_FILE = "about.json"
_ID = re.compile(r"[0-9a-f]{24}")
_MAX_TITLE = 60


@dataclass(frozen=True)
class About:
    """What is known of a data set without reading its pictures.

    Attributes:
        data_id: Names it: a hash of its pictures, labels and names of classes.
        title: The name of the file that it came from.
        classes: Their names, in the order of the labels.
        counts: By the name of a split, pictures of each class.
        notes: Sentences on what was converted, left out or split.
        preparation: One of `PREPARATIONS`; empty for arrays, which were 28x28 already or reduced.
    """

    data_id: str
    title: str
    classes: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    notes: tuple[str, ...]
    preparation: str = ""

    @property
    def num_train(self) -> int:
        """Training images."""
        return sum(self.counts["train"])


def data_sets_dir() -> Path:
    """Return the folder of all data sets that visitors brought."""
    return runs_dir() / "data-sets"


def is_data_id(value: object) -> bool:
    """Tell whether a value may name a data set that somebody brought."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def keep_data_set(own: OwnData, title: str, owner: str, preparation: str = "") -> About:
    """Write a data set to disk; what is there already is only given one more owner.

    Args:
        own: What was read.
        title: The name of its file.
        owner: The visitor's secret token.
        preparation: As in `About`.

    Raises:
        InputError: If the visitor keeps too many.
        ArtifactError: If it cannot be written; then nothing is left of it.
    """
    data_id = _hash(own.data)
    mine = list_data_sets(owner)
    if len(mine) >= MAX_OWN and data_id not in [about.data_id for about in mine]:
        raise InputError(f"You keep {MAX_OWN} data sets, the most there can be; delete one first.")
    shown = "".join(sign for sign in title if sign.isprintable())[-_MAX_TITLE:]
    about = About(data_id, shown, own.data.classes, dict(own.counts), own.notes, preparation)
    folder = data_sets_dir() / data_id
    is_written = False
    try:
        if _read_values(folder) is None:
            _write(folder, own.data, about)
            is_written = True
        mark = _mark_of(folder, owner)
        mark.parent.mkdir(exist_ok=True)
        told = {"title": shown, "notes": own.notes, "preparation": preparation}
        write_json(mark, told)
        os.utime(folder)
    except OSError as error:
        if is_written and not _has_owner(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise ArtifactError(
            f"The data set could not be kept in {data_sets_dir()} ({error.strerror}); make room "
            "there, then try again."
        ) from None
    return about


def _write(folder: Path, data: DataSet, about: About) -> None:
    partial = folder.with_name(f"partial-{folder.name}-{os.getpid()}-{time.monotonic_ns()}")
    try:
        partial.mkdir(parents=True)
        tensors: dict[str, torch.Tensor] = {}
        for name in SPLITS:
            part: Split = getattr(data, name)
            tensors |= {f"{name}_images": part.images, f"{name}_labels": part.labels}
        save_file(tensors, partial / _DATA_FILE)
        write_json(
            partial / _ABOUT_FILE,
            {"classes": about.classes, "counts": about.counts},
        )
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        # Of safetensors' own errors only the text says that the disk was meant.
        if isinstance(error, SafetensorError):
            raise OSError(0, str(error)) from None
        raise


def read_about(data_id: str, owner: str) -> About:
    """Return what is known of one of a visitor's data sets.

    Args:
        data_id: As the visitor gave it.
        owner: The visitor's secret token.

    Raises:
        InputError: If there is no such data set, or it is someone else's; the two look alike.
    """
    if is_data_id(data_id):
        mark = _mark_of(data_sets_dir() / data_id, owner)
        if mark.exists() and (about := _find_about(mark)):
            return about
    raise InputError(f"You have no data set “{data_id}”; add its file first, or use “{MNIST}”.")


def _mark_of(folder: Path, owner: str) -> Path:
    """Return the file that says that a data set is also a visitor's."""
    return folder / "owners" / hash_owner(owner)


def _has_owner(folder: Path) -> bool:
    return any(mark.suffix != ".partial" for mark in folder.glob("owners/*"))


def _read_values(folder: Path) -> dict[str, Any] | None:
    """Return what is known of a data set, whosever it is; None if it cannot be read."""
    try:
        values = json.loads((folder / _ABOUT_FILE).read_text("utf-8"))
        counts = {name: tuple(counts) for name, counts in values["counts"].items()}
        return {**values, "classes": tuple(values["classes"]), "counts": counts}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _find_about(mark: Path) -> About | None:
    """Return what is known of a visitor's data set; None if it cannot be read."""
    folder = mark.parents[1]
    values = _read_values(folder)
    if values is None:
        return None
    try:
        # An earlier version kept all in one file, and its marks are empty.
        values |= json.loads(mark.read_text("utf-8") or "{}")
        return About(
            folder.name,
            values["title"],
            values["classes"],
            values["counts"],
            tuple(values["notes"]),
            values["preparation"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_kept(data_id: str) -> bool:
    """Tell whether a data set that somebody brought is still there, whosever it is."""
    return is_data_id(data_id) and _read_values(data_sets_dir() / data_id) is not None


def list_data_sets(owner: str) -> list[About]:
    """Return what is known of a visitor's data sets, the newest first."""
    if not isinstance(owner, str) or not owner:
        return []
    owned = data_sets_dir().glob(f"*/owners/{hash_owner(owner)}")
    newest_first = sorted(owned, key=_time_of, reverse=True)
    return [about for mark in newest_first if (about := _find_about(mark))]


def load_data(data_id: str) -> DataSet:
    """Load MNIST or a data set that somebody brought; the last few are kept in memory.

    Args:
        data_id: `mnist`, or from an `About`. Whose it is has been asked before.

    Raises:
        ArtifactError: If it is gone, or no longer what its name says.
    """
    return load_mnist() if data_id == MNIST else _load_own(data_sets_dir() / data_id)


def calibrate_on(data_id: str) -> Calibration | None:
    """Return what int8 is calibrated on for a network that learned a data set.

    Args:
        data_id: As `load_data()` takes it; its errors come when the inputs are made.

    Returns:
        None for MNIST, on which networks are calibrated that are not told otherwise.
    """
    if data_id == MNIST:
        return None
    return Calibration(lambda: digit_samples(load_data(data_id).train), describe_digits(data_id))


@lru_cache(maxsize=3)
def _load_own(folder: Path) -> DataSet:
    try:
        tensors = load_file(folder / _DATA_FILE)
        splits = {
            name: Split(tensors[f"{name}_images"], tensors[f"{name}_labels"]) for name in SPLITS
        }
        classes = json.loads((folder / _ABOUT_FILE).read_text("utf-8"))["classes"]
        data = DataSet(**splits, classes=tuple(classes))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        raise ArtifactError(
            f"The data set {folder.name} is no longer here; bring its file again, then go on."
        ) from None
    if _hash(data) != folder.name:
        raise ArtifactError(
            f"The data set {folder.name} is damaged: it is not what its name says. Delete it, and "
            "bring its file again."
        )
    # What is in use is not old; where that cannot be written, it is trained on all the same.
    with contextlib.suppress(OSError):
        os.utime(folder)
    return data


def remove_data_set(data_id: str, owner: str) -> None:
    """Take a data set from a visitor; with its last owner it goes.

    Args:
        data_id: One of the visitor's.
        owner: The visitor's secret token.

    Raises:
        InputError: If there is no such data set of theirs.
    """
    read_about(data_id, owner)
    mark = _mark_of(data_sets_dir() / data_id, owner)
    mark.unlink(missing_ok=True)
    if not _has_owner(mark.parents[1]):
        remove_folder(mark.parents[1])


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _hash(data: DataSet) -> str:
    digest = hashlib.sha256(json.dumps(data.classes).encode())
    for name in SPLITS:
        part: Split = getattr(data, name)
        digest.update(f"{name} {len(part)}".encode())
        digest.update(part.images.numpy().tobytes())
        digest.update(part.labels.numpy().tobytes())
    return digest.hexdigest()[:24]
