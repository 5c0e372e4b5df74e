"""WAV files, RF64 and W64 too, whose header lacks what was never written, and where channels are.

A recorder writes the sizes when it stops. One that was killed, or whose output was a pipe, leaves
0 or the largest number there is; what was recorded is in the file nevertheless.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from foundry.speech.channels import Layout

# As libsndfile calls them.
MENDED_FORMATS = ("WAV", "WAVEX", "RF64", "W64")
_EXTENSIBLE = 0xFFFE
# A file with more of them before its sound was never recorded.
_MAX_CHUNKS = 1000
# What follows the four letters in W64's names of chunks.
_W64_REST = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


@dataclass(frozen=True)
class _Kind:
    """How a family of files writes its chunks.

    Attributes:
        order: Of the bytes of a number.
        first: Where the first chunk begins.
        name_bytes: Of a chunk's name.
        size_bytes: Of a chunk's size, and of the file's own.
        align: Chunks begin at its multiples.
        does_count_head: Whether a chunk's size includes its name and size, the file's all of it.
    """

    order: Literal["little", "big"] = "little"
    first: int = 12
    name_bytes: int = 4
    size_bytes: int = 4
    align: int = 2
    does_count_head: bool = False

    @property
    def head_bytes(self) -> int:
        """Of a chunk's name and size."""
        return self.name_bytes + self.size_bytes

    def read(self, data: bytes) -> int:
        """Return a number."""
        return int.from_bytes(data, self.order)

    def write(self, number: int) -> bytes:
        """Return a size as bytes, the largest one if it is larger."""
        largest = 256**self.size_bytes - 1
        return min(number, largest).to_bytes(self.size_bytes, self.order)


@dataclass(frozen=True)
class _Chunk:
    """A part of a file: its name, where its content begins, and how long it says it is."""

    name: bytes
    start: int
    size: int


class MendedFile(io.RawIOBase):
    """A sound file for libsndfile to read, with sizes in its header that are right.

    It has no name, because libsndfile would believe what a name ends with.

    Args:
        path: Of any file; what is no WAV file is left as it is.

    Attributes:
        layout: Of its channels; None if it does not say.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._patches: dict[int, bytes] = {}
        self.layout: Layout | None = None
        self._num_bytes = self._file.seek(0, io.SEEK_END)
        if kind := _tell_kind(self._file):
            self._mend(kind)
        self._file.seek(0)

    def _mend(self, kind: _Kind) -> None:
        long_sizes = None
        for chunk in _list_chunks(self._file, kind, kind.first, self._num_bytes):
            if chunk.name == b"fmt ":
                self.layout = _read_layout(_read_at(self._file, chunk.start, 24), kind)
            elif chunk.name == b"ds64":
                long_sizes = chunk.start
            elif chunk.name == b"data":
                self._mend_sizes(kind, chunk, long_sizes)
                return

    def _mend_sizes(self, kind: _Kind, data: _Chunk, long_sizes: int | None) -> None:
        there = self._num_bytes - data.start
        stated = data.size
        if long_sizes is not None:
            stated = kind.read(_read_at(self._file, long_sizes + 8, 8))
        if 0 < stated <= there or not there:
            return
        if stated <= 0 and _are_chunks(self._file, kind, data.start, self._num_bytes):
            return
        head = kind.head_bytes if kind.does_count_head else 0
        whole = self._num_bytes - (0 if kind.does_count_head else 8)
        self._patches[data.start - kind.size_bytes] = kind.write(there + head)
        self._patches[kind.first - 16 - 8 if kind.does_count_head else 4] = kind.write(whole)
        if long_sizes is not None:
            self._patches[4] = self._patches[data.start - 4] = b"\xff" * 4
            sizes = whole.to_bytes(8, kind.order) + there.to_bytes(8, kind.order)
            self._patches[long_sizes] = sizes

    def readinto(self, buffer: Any) -> int:
        """Read as files do, with what is mended."""
        start = self._file.tell()
        num_bytes = self._file.readinto(buffer)
        for place, patch in self._patches.items():
            first, last = max(place, start), min(place + len(patch), start + num_bytes)
            if first < last:
                buffer[first - start : last - start] = patch[first - place : last - place]
        return num_bytes

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move as files do."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _tell_kind(file: BinaryIO) -> _Kind | None:
    head = _read_at(file, 0, 40)
    if head[:4] == b"riff" and head[24:] == b"wave" + _W64_REST:
        return _Kind(first=40, name_bytes=16, size_bytes=8, align=8, does_count_head=True)
    if head[8:12] != b"WAVE" or head[:4] not in (b"RIFF", b"RIFX", b"RF64"):
        return None
    return _Kind("big") if head[:4] == b"RIFX" else _Kind()


def _list_chunks(file: BinaryIO, kind: _Kind, start: int, end: int) -> Iterator[_Chunk]:
    for _ in range(_MAX_CHUNKS):
        # Where a damaged chunk says that it ends there may be no place that can be asked for.
        if start >= end:
            return
        head = _read_at(file, start, kind.head_bytes)
        if len(head) < kind.head_bytes:
            return
        size = kind.read(head[kind.name_bytes :])
        size -= kind.head_bytes if kind.does_count_head else 0
        name, rest = head[:4], head[4 : kind.name_bytes]
        yield _Chunk(name if rest in (b"", _W64_REST) else b"", start + kind.head_bytes, size)
        start += kind.head_bytes + max(0, size)
        start += -start % kind.align


def _are_chunks(file: BinaryIO, kind: _Kind, start: int, end: int) -> bool:
    """Tell whether there are well-formed chunks to the file's end, which is not sound."""
    for chunk in _list_chunks(file, kind, start, end):
        if not chunk.name.isascii() or not chunk.name.decode("ascii").isprintable():
            return False
        if chunk.start + chunk.size >= end:
            return chunk.start + chunk.size == end
    return False


def _read_layout(chunk: bytes, kind: _Kind) -> Layout | None:
    if kind.read(chunk[:2]) != _EXTENSIBLE:
        return None
    return Layout.of_mask(kind.read(chunk[20:24]), kind.read(chunk[2:4]))


def _read_at(file: BinaryIO, start: int, num_bytes: int) -> bytes:
    file.seek(start)
    return file.read(num_bytes)
