"""Drawings that visitors put right, on disk beside the runs, each named by the hash of its pixels.

drawings/OWNER/drawings.json    which class each is of, and whether it is set aside
drawings/OWNER/HASH.png         as a network sees it: 28x28, 255 = ink
"""

import hashlib
import io
import json
import logging
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from foundry.data import DIGITS, IMAGE_SIZE
from foundry.data.holding_out import hold_out
from foundry.data.names import check_class_name
from foundry.errors import ArtifactError, InputError
from foundry.runs.cleaning import measure_folder
from foundry.runs.folders import RUNS_DIR_VARIABLE, hash_owner, remove_folder, runs_dir, write_json

MAX_DRAWINGS = 500
# Beside the digits.
MAX_OWN_CLASSES = 10
MAX_AGE_S = 30 * 24 * 3600.0
MAX_BYTES = 500_000_000

_ABOUT_FILE = "drawings.json"
_LOCK_S = 20.0
_SPLIT_SEED = 0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """One that was put right.

    Attributes:
        digest: Names it: equal ones have equal digests.
        label: The class that it is of.
        is_held_out: Whether it is set aside to judge by; None before it was decided.
    """

    digest: str
    label: str
    is_held_out: bool | None = None


@dataclass(frozen=True)
class Collection:
    """One reading of a visitor's drawings.

    Attributes:
        folder: Where they are; it need not be there before the first.
        drawings: In the order in which they came.
    """

    folder: Path
    drawings: tuple[Drawing, ...] = ()

    @property
    def own_classes(self) -> tuple[str, ...]:
        """The classes beside the digits, in the order in which they came."""
        labels = dict.fromkeys(drawing.label for drawing in self.drawings)
        return tuple(label for label in labels if label not in DIGITS)

    @property
    def counts(self) -> Counter[str]:
        """By class, how many drawings there are."""
        return Counter(drawing.label for drawing in self.drawings)

    def file_of(self, digest: str) -> Path:
        """Return where a drawing's picture is kept."""
        return self.folder / f"{digest}.png"

    def read_image(self, digest: str) -> np.ndarray:
        """Return a drawing as a network sees it, uint8 (28, 28).

        Raises:
            ArtifactError: If its file is gone or damaged.
        """
        try:
            with Image.open(self.file_of(digest)) as picture:
                image = np.array(picture.convert("L"))
        except (OSError, SyntaxError, ValueError):
            image = np.empty(0, np.uint8)
        if image.shape != (IMAGE_SIZE, IMAGE_SIZE):
            raise ArtifactError("One of your drawings can no longer be read; remove it first.")
        return image


def drawings_dir() -> Path:
    """Return the folder of everybody's drawings."""
    return runs_dir() / "drawings"


def read_collection(owner: object) -> Collection:
    """Return a visitor's drawings, none if there are none.

    Args:
        owner: The visitor's secret token; anything but a text owns nothing.
    """
    name = hash_owner(owner) if isinstance(owner, str) and owner else "nobody"
    return _read(drawings_dir() / name)


def keep_drawing(image: np.ndarray, label: object, owner: str) -> Collection:
    """Keep a drawing; one that is there already is from now on of the class that is named.

    Args:
        image: As a network sees it, uint8 (28, 28), 255 = ink.
        label: A digit, or what a class of the visitor's own is called.
        owner: The visitor's secret token.

    Raises:
        InputError: If the class cannot be called that, or there are too many drawings or classes.
        ArtifactError: If it cannot be written.
    """
    name = check_class_name(label)
    if not isinstance(owner, str) or not owner:
        raise InputError("Drawings need an owner; reload the page, which names every visitor.")
    digest = hashlib.sha256(image.tobytes()).hexdigest()[:24]

    def keep(now: Collection) -> Collection:
        # As it was first written: “Heart” and “heart” are one class.
        known = {own.casefold(): own for own in now.own_classes}
        drawing = Drawing(digest, known.get(name.casefold(), name))
        kept = [one for one in now.drawings if one.digest != digest]
        changed = replace(now, drawings=(*kept, drawing))
        if len(changed.drawings) > MAX_DRAWINGS:
            raise InputError(
                f"You keep {MAX_DRAWINGS} drawings, the most there can be; remove some first."
            )
        if len(changed.own_classes) > MAX_OWN_CLASSES:
            raise InputError(
                f"You have {MAX_OWN_CLASSES} classes beside the digits, the most there can be."
            )
        Image.fromarray(image).save(now.file_of(digest), "PNG")
        return changed

    collection = read_collection(owner)
    try:
        collection.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(error) from None
    return _change(collection, keep)


def remove_drawing(digest: str, owner: str) -> Collection:
    """Remove a drawing at once; one that is not there is no error."""

    def remove(now: Collection) -> Collection:
        for drawing in now.drawings:
            if drawing.digest == digest:
                now.file_of(drawing.digest).unlink(missing_ok=True)
        return replace(now, drawings=tuple(one for one in now.drawings if one.digest != digest))

    collection = read_collection(owner)
    return _change(collection, remove) if collection.drawings else collection


def remove_collection(owner: str) -> None:
    """Remove all of a visitor's drawings at once."""
    _remove(read_collection(owner).folder)


def set_aside(owner: str) -> Collection:
    """Decide which drawings judge and are not learned: a fifth of each class, for good.

    Args:
        owner: The visitor's secret token.

    Returns:
        The drawings, none of them undecided.
    """

    def decide(now: Collection) -> Collection:
        decisions = hold_out(
            [one.label for one in now.drawings],
            [one.digest for one in now.drawings],
            [one.is_held_out for one in now.drawings],
            _SPLIT_SEED,
        )
        pairs = zip(now.drawings, decisions, strict=True)
        return replace(now, drawings=tuple(replace(one, is_held_out=held) for one, held in pairs))

    collection = read_collection(owner)
    return _change(collection, decide) if collection.drawings else collection


def write_archive(collection: Collection, path: Path) -> None:
    """Write drawings as a ZIP file with a folder for each class, which a data set is read from.

    Args:
        collection: A visitor's.
        path: Where to write.

    Raises:
        InputError: If there are none.
    """
    if not collection.drawings:
        raise InputError("There are no drawings to take home.")
    with zipfile.ZipFile(path, "w") as archive:
        for drawing in collection.drawings:
            file = io.BytesIO()
            Image.fromarray(collection.read_image(drawing.digest)).save(file, "PNG")
            archive.writestr(f"{drawing.label}/{drawing.digest}.png", file.getvalue())


def remove_old_collections(max_age_s: float = MAX_AGE_S, max_bytes: int = MAX_BYTES) -> None:
    """Remove what was not changed for too long, and the oldest while all are too large.

    Args:
        max_age_s: Since the last change.
        max_bytes: Of everybody's drawings together.
    """
    num_bytes = 0
    for folder in sorted(drawings_dir().glob("*"), key=_changed_at, reverse=True):
        num_bytes += measure_folder(folder)
        if time.time() - _changed_at(folder) > max_age_s or num_bytes > max_bytes:
            _remove(folder)
            _logger.info("Removed the drawings %s", folder.name)


def _read(folder: Path) -> Collection:
    try:
        values = json.loads((folder / _ABOUT_FILE).read_text("utf-8"))
        return Collection(folder, tuple(Drawing(**one) for one in values["drawings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Collection(folder)


def _change(collection: Collection, change: Callable[[Collection], Collection]) -> Collection:
    folder = collection.folder
    try:
        with FileLock(folder / "lock", timeout=_LOCK_S):
            changed = change(_read(folder))
            values = [asdict(drawing) for drawing in changed.drawings]
            write_json(folder / _ABOUT_FILE, {"drawings": values})
            return changed
    except Timeout:
        raise InputError("Your drawings are being changed elsewhere; try again.") from None
    except FileNotFoundError:
        raise InputError("Your drawings were deleted meanwhile.") from None
    except OSError as error:
        raise _cannot_write(error) from None


def _cannot_write(error: OSError) -> ArtifactError:
    return ArtifactError(
        f"Drawings need to write to {drawings_dir()}, which failed ({error.strerror}). "
        f"Set {RUNS_DIR_VARIABLE} to a folder with room that can be written."
    )


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        remove_folder(folder)


def _changed_at(folder: Path) -> float:
    for path in (folder / _ABOUT_FILE, folder):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0
