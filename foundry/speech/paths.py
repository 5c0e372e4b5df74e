"""From the log-probabilities of frames, as they come, to words: the best path, or beam search."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from foundry.speech.beam import BeamDecoder
from foundry.speech.words import Alphabet, Span, read_path

# Beam search starts anew after a pause of so many frames (0.6 s in the usual 20 ms), or within a
# stretch of so many: its memory grows with what it searches.
_PAUSE_FRAMES, _LONGEST_FRAMES = 30, 1500


class PathFinder(Protocol):
    """Takes log-probabilities as they come and gives words at the end."""

    def add(self, log_probs: np.ndarray) -> None:
        """Take the next frames, float32 (frames, symbols)."""

    def finish(self) -> list[Span]:
        """Return the words of everything that was added."""


class GreedyFinder:
    """Takes the best symbol of every frame; keeps eight bytes a frame."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._labels = [np.zeros(0, np.int32)]
        self._probs = [np.zeros(0, np.float32)]

    def add(self, log_probs: np.ndarray) -> None:
        """Take the next frames, float32 (frames, symbols)."""
        self._labels.append(log_probs.argmax(1).astype(np.int32))
        self._probs.append(np.exp(log_probs.max(1)))

    def finish(self) -> list[Span]:
        """Return the words of everything that was added."""
        return read_path(np.concatenate(self._labels), np.concatenate(self._probs), self._alphabet)


class BeamFinder:
    """Searches every stretch between two pauses for the most probable words of a list."""

    def __init__(self, decoder: BeamDecoder, alphabet: Alphabet) -> None:
        self._decoder, self._alphabet = decoder, alphabet
        self._delimiter = alphabet.symbols.index(alphabet.delimiter)
        self._silent = (alphabet.blank, self._delimiter)
        self._waiting = np.zeros((0, len(alphabet.symbols)), np.float32)
        self._first = 0  # frame of the recording where what is waiting starts
        self._spans: list[Span] = []

    def add(self, log_probs: np.ndarray) -> None:
        """Take the next frames, float32 (frames, symbols)."""
        self._waiting = np.concatenate([self._waiting, log_probs])
        while (end := self._find_pause()) is not None:
            self._search(end)

    def finish(self) -> list[Span]:
        """Return the words of everything that was added."""
        self._search(len(self._waiting))
        return self._spans

    def _find_pause(self) -> int | None:
        """Return a frame in the middle of the first pause that follows a word."""
        is_silent = np.isin(self._waiting.argmax(1), self._silent)
        heard = np.flatnonzero(~is_silent)
        if not len(heard):
            return len(is_silent) - _PAUSE_FRAMES if len(is_silent) > 2 * _PAUSE_FRAMES else None
        gaps = np.diff(np.append(heard, len(is_silent)))
        pauses = np.flatnonzero(gaps > _PAUSE_FRAMES)
        if len(pauses):
            return int(heard[pauses[0]]) + _PAUSE_FRAMES // 2 + 1
        if len(is_silent) > _LONGEST_FRAMES:
            # Nobody breathed for so long: cut where a word most surely ended.
            half = _LONGEST_FRAMES // 2
            return half + 1 + int(self._waiting[half:_LONGEST_FRAMES, self._delimiter].argmax())
        return None

    def _search(self, end: int) -> None:
        stretch, self._waiting = self._waiting[:end], self._waiting[end:]
        if not np.isin(stretch.argmax(1), self._silent).all():
            labels = self._decoder.find_path(stretch)
            probs = np.exp(stretch[np.arange(len(stretch)), labels])
            for span in read_path(labels, probs, self._alphabet):
                first, last = span.first + self._first, span.last + self._first
                self._spans.append(replace(span, first=first, last=last))
        self._first += end
