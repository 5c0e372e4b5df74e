"""What a model said of every frame of a recording, kept for whoever wants to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from foundry.speech.words import Alphabet

_PROBS_FILE, _LABELS_FILE = "log_probs.f16", "labels.i16"


@dataclass(frozen=True)
class Letters:
    """Every frame of a recording, or of its beginning.

    Attributes:
        log_probs: Float16 (frames, symbols).
        labels: Int16 (frames,): the path that was taken through them.
    """

    log_probs: np.ndarray
    labels: np.ndarray

    def write(self, folder: Path) -> list[Path]:
        """Write both as plain numbers, and return where they are."""
        paths = [folder / _PROBS_FILE, folder / _LABELS_FILE]
        self.log_probs.astype("<f2").tofile(paths[0])
        self.labels.astype("<i2").tofile(paths[1])
        return paths

    @classmethod
    def read(cls, folder: Path, num_symbols: int) -> Letters:
        """Open what `write()` wrote; only what is looked at is read.

        Args:
            folder: Of the files.
            num_symbols: Of the model's alphabet.

        Raises:
            OSError: If it is not there any more.
            ValueError: If it is of another alphabet.
        """
        probs = _open(folder / _PROBS_FILE, "<f2").reshape(-1, num_symbols)
        return cls(probs, _open(folder / _LABELS_FILE, "<i2"))

    def cut(self, start: int, end: int) -> Letters:
        """Return a stretch of it.

        Args:
            start: Its first frame.
            end: The frame after its last one.
        """
        return Letters(np.array(self.log_probs[start:end]), np.array(self.labels[start:end]))

    @property
    def free_labels(self) -> np.ndarray:
        """Int16 (frames,): the most probable symbol of every frame."""
        return self.log_probs.argmax(1).astype(np.int16)


def _open(path: Path, kind: str) -> np.ndarray:
    # Of less than a frame there is nothing, and an empty file cannot be mapped.
    return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)


@dataclass(frozen=True)
class Collapse:
    """How CTC reads a path, step by step.

    Attributes:
        frames: The symbol of every frame.
        merged: Without repetitions.
        text: Without blanks, and with spaces for delimiters.
    """

    frames: tuple[str, ...]
    merged: tuple[str, ...]
    text: str


def collapse_path(labels: Sequence[int] | np.ndarray, alphabet: Alphabet) -> Collapse:
    """Read a path, and tell what each step leaves.

    Args:
        labels: Int (frames,).
        alphabet: What labels stand for.

    Returns:
        Symbols as the alphabet has them; an empty string for the blank.

    Source:
        Graves et al., Connectionist temporal classification, 2006, section 3.1.
    """
    names = ["" if number == alphabet.blank else one for number, one in enumerate(alphabet.symbols)]
    frames = [int(label) for label in labels]
    merged = [label for label, _ in groupby(frames)]
    text = "".join(names[label] for label in merged).replace(alphabet.delimiter, " ")
    text = " ".join(text.split())
    return Collapse(
        tuple(names[label] for label in frames),
        tuple(names[label] for label in merged),
        text.lower() if alphabet.is_lower else text,
    )
