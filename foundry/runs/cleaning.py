"""Making room: old runs and data sets, and temporary files of servers that were killed."""

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from foundry.errors import InputError
from foundry.models.cache import cache_dir
from foundry.runs.data_sets import data_sets_dir, is_data_id
from foundry.runs.folders import ACTIVE, AnyRun, is_run_id, list_run_folders, remove_folder

MAX_AGE_S = 30 * 24 * 3600.0
MAX_BYTES = 5_000_000_000
# Whatever the clock says: one that jumps must not empty the folder.
NUM_KEPT = 20

MAX_UPLOADS_BYTES = 10_000_000_000
_MAX_VARIANTS_BYTES = 5_000_000_000
_MAX_DATA_SETS_BYTES = 5_000_000_000
# Somebody may still be writing what is younger.
_MAX_PARTIAL_AGE_S = 3600.0
# Somebody is still at work with those.
_YOUNG_S = 900.0
_EXIT_S = 30.0

_DOWNLOADS = "foundry-downloads"
_DOWNLOADS_NAME = re.compile(rf"{_DOWNLOADS}-(\d+)-\w{{8}}")
_MAX_DOWNLOADS_AGE_S = 2 * 24 * 3600.0

_logger = logging.getLogger(__name__)


def remove_old_runs(
    parents: Sequence[Path],
    max_age_s: float = MAX_AGE_S,
    max_bytes: int = MAX_BYTES,
    num_kept: int = NUM_KEPT,
) -> list[str]:
    """Remove runs of every kind that are too old, and the oldest while all are too large.

    What a server that was killed has half removed goes too.

    Args:
        parents: Folders that hold runs, one for each kind.
        max_age_s: Since they last changed.
        max_bytes: Of all runs together.
        num_kept: So many of the newest are never too old.

    Returns:
        The ids of those removed. A run that a server looks after is left alone.
    """
    for parent in parents:
        _remove_halves(parent)
    removed, num_bytes = [], 0
    folders = [folder for parent in parents for folder in list_run_folders(parent)]
    folders.sort(key=lambda folder: folder.name, reverse=True)
    for place, folder in enumerate(folders):
        size = measure_folder(folder)
        num_bytes += size
        is_old = place >= num_kept and _age_s(folder) > max_age_s
        if not is_old and num_bytes <= max_bytes:
            continue
        is_removed = _remove(folder)
        if is_removed:
            removed.append(folder.name)
        if not is_removed or size > max_bytes:
            # Else all older runs would go for this one.
            num_bytes -= size
    return removed


def _remove_halves(parent: Path) -> None:
    for folder in parent.glob("removed-*-*"):
        if is_run_id(folder.name.removeprefix("removed-").rpartition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)


def remove_run(run: AnyRun) -> None:
    """Remove a run with all its files.

    Args:
        run: The visitor's own.

    Raises:
        InputError: If a server looks after it.
    """
    # The worker of a run that has just ended may still be on its way out.
    wait_s = 0.0 if run.status in ACTIVE else _EXIT_S
    if not _remove(run.folder, wait_s):
        raise InputError("This run is under way; stop it first.")


def remove_old_data_sets(
    max_age_s: float = MAX_AGE_S, max_bytes: int = _MAX_DATA_SETS_BYTES
) -> list[str]:
    """Remove data sets that were not used for too long, and the oldest while all are too large.

    Args:
        max_age_s: Since one was brought or trained on.
        max_bytes: Of all of them together.

    Returns:
        The ids of those removed; what a reading that was killed has left goes too.
    """
    folder = data_sets_dir()
    remove_unfinished(folder)
    removed, num_bytes = [], 0
    kept = [path for path in folder.glob("*") if is_data_id(path.name)]
    for path in sorted(kept, key=_age_s):
        num_bytes += measure_folder(path)
        if num_bytes > max_bytes or _age_s(path) > max_age_s:
            remove_folder(path)
            removed.append(path.name)
    return removed


def remove_unfinished(parent: Path) -> None:
    """Remove what a server that was killed has half made or half removed, once nobody is at it.

    Args:
        parent: Folder of data sets or of classes.
    """
    for kind in ("making", "partial", "removed"):
        for folder in parent.glob(f"{kind}-*"):
            if _age_s(folder) > _MAX_PARTIAL_AGE_S:
                shutil.rmtree(folder, ignore_errors=True)


def remove_stray_downloads() -> None:
    """Remove what servers that were killed have left of `make_downloads_folder()`."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_DOWNLOADS}-*"):
        made_by = _DOWNLOADS_NAME.fullmatch(folder.name)
        if made_by is None or psutil.pid_exists(int(made_by[1])):
            continue
        # Where processes are counted anew in every container, its number alone says little.
        if _age_s(folder) > _MAX_DOWNLOADS_AGE_S:
            shutil.rmtree(folder, ignore_errors=True)


def remove_old_variants() -> None:
    """Remove the compiled models that were made first while all are too large."""
    remove_oldest_files(cache_dir(), _MAX_VARIANTS_BYTES)


def remove_oldest_files(
    folder: Path, max_bytes: int = MAX_UPLOADS_BYTES, kept: Collection[str] = ()
) -> int:
    """Remove the oldest files while all are too large; those of the last quarter of an hour stay.

    Args:
        folder: Of uploads, of what was made for downloads, or of what can be made again.
        max_bytes: Of all files together.
        kept: Paths of files that stay.

    Returns:
        Bytes of the files that are left.
    """
    files = sorted(_list_files(folder), key=lambda entry: entry[1].st_mtime, reverse=True)
    num_bytes = num_left = 0
    for file, found in files:
        num_bytes += found.st_size
        is_old = time.time() - found.st_mtime > _YOUNG_S
        if num_bytes > max_bytes and is_old and file not in kept:
            Path(file).unlink(missing_ok=True)
        else:
            num_left += found.st_size
    return num_left


def make_downloads_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for downloads; it is removed with this process."""
    return tempfile.TemporaryDirectory(prefix=f"{_DOWNLOADS}-{os.getpid()}-")


def _remove(folder: Path, wait_s: float = 0.0) -> bool:
    try:
        with (
            FileLock(folder / "queue.lock", timeout=wait_s),
            FileLock(folder / "worker.lock", timeout=wait_s),
        ):
            # First the name, by which others would find it half removed.
            gone = folder.rename(folder.with_name(f"removed-{folder.name}-{os.getpid()}"))
    except (Timeout, OSError):
        return False
    shutil.rmtree(gone, ignore_errors=True)
    _logger.info("Removed the run %s", folder.name)
    return True


def measure_folder(folder: Path) -> int:
    """Return the bytes of all files in a folder; what goes meanwhile counts for nothing."""
    return sum(found.st_size for _, found in _list_files(folder))


def _list_files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path of every file in a folder, and what is known of it; what goes is left out."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with suppress(OSError):
                yield path, os.stat(path)


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0
