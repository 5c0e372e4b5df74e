"""ZIP files, opened without trusting what they say of themselves."""

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath

from foundry.errors import InputError

MAX_FILES = 160_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_FILE_BYTES = 400_000_000
# What is packed tighter than this is made to fill a disk; blank pictures come near it.
_MAX_RATIO = 200
_SMALL_BYTES = 10_000_000
# What systems add to a ZIP beside what was meant.
_LITTER = ("__macosx", "thumbs.db", "desktop.ini")
# Unpacked at a time. Where a piece of what is packed is unpacked whole, it has to be small.
_PIECE_BYTES, _SMALL_PIECE_BYTES = 1 << 18, 1 << 12
_UNPACKED_AS_ASKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Flags of an entry.
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_MAX_SHOWN = 100


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open a ZIP file and look at all that it says is in it; nothing is unpacked.

    Args:
        path: Of the file.

    Yields:
        The archive and its files, without folders and what systems add.

    Raises:
        InputError: If it is damaged, encrypted, has a link or a path that leads out of it, or is
            too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = list_entries(archive)
            if len(entries) > MAX_FILES:
                raise InputError(
                    f"The ZIP has {len(entries):,} files; at most {MAX_FILES:,} are accepted."
                )
            parts = [split_path(entry) for entry in entries]
            files = [
                entry
                for entry, place in zip(entries, parts, strict=True)
                if not entry.is_dir() and not is_litter(place)
            ]
            unpacked = sum(entry.file_size for entry in files)
            packed = sum(entry.compress_size for entry in files)
            if unpacked > MAX_UNPACKED_BYTES or (
                unpacked > _SMALL_BYTES and unpacked > _MAX_RATIO * packed
            ):
                raise InputError(
                    f"The ZIP unpacks to {unpacked / 1e6:,.0f} MB, which is too much; at most "
                    f"{MAX_UNPACKED_BYTES / 1e6:,.0f} MB are accepted, and no more than "
                    f"{_MAX_RATIO} times the size of what was packed."
                )
            yield archive, files
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeDecodeError):
        raise InputError("The ZIP file is damaged and cannot be read; pack it again.") from None


def list_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files and folders of an archive, by names that are read as they were meant.

    Args:
        archive: Open for reading.
    """
    for entry in archive.infolist():
        if not entry.flag_bits & _UTF_8:
            # Some systems, macOS among them, do not say that they write UTF-8, and most do.
            with suppress(UnicodeError):
                entry.filename = entry.filename.encode("cp437").decode("utf-8")
    # Some begin with an entry for the folder that was packed.
    return [entry for entry in archive.infolist() if entry.filename != "./"]


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack one file of an archive into memory.

    Args:
        archive: From `open_archive()`.
        entry: One of its files.

    Raises:
        InputError: If it is larger than one file may be, or damaged.
    """
    if entry.file_size > MAX_FILE_BYTES:
        raise InputError(
            f"A file of the ZIP has {entry.file_size / 1e6:,.0f} MB; at most "
            f"{MAX_FILE_BYTES / 1e6:,.0f} MB are accepted."
        )
    is_as_asked = entry.compress_type in _UNPACKED_AS_ASKED
    num_bytes = _PIECE_BYTES if is_as_asked else _SMALL_PIECE_BYTES
    try:
        with archive.open(entry) as file:
            # Stops at the size that was checked. Asked for everything at once, it would unpack
            # whatever is packed before it cut that off.
            return b"".join(iter(partial(file.read, num_bytes), b""))
    except Exception as error:
        # zlib, lzma and bz2 each have errors of their own.
        if isinstance(error, MemoryError):
            raise
        raise InputError(f"“{entry.filename}” is damaged and cannot be unpacked.") from None


def split_path(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return the parts of an entry's path, once it can be trusted.

    Raises:
        InputError: If the path leads out of the archive, or it is a link or encrypted.
    """
    name = entry.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        raise InputError(f"The ZIP has a path that leads out of it, “{name[:_MAX_SHOWN]}”.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InputError(f"The ZIP has a link, “{name[:_MAX_SHOWN]}”; only files are accepted.")
    if entry.flag_bits & _ENCRYPTED:
        raise InputError("The ZIP is locked with a password; pack it without one.")
    return parts


def is_litter(parts: tuple[str, ...]) -> bool:
    """Say whether a file is hidden, or one that systems add to a ZIP unasked.

    Args:
        parts: Of its path.
    """
    return any(part.casefold() in _LITTER or part.startswith(".") for part in parts)
