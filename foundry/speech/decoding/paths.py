"""From the log-probabilities of frames, as they come, to words: the best path, or beam search."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from foundry.speech.decoding.beam import BeamDecoder
from foundry.speech.decoding.doubts import Doubts
from foundry.speech.decoding.evidence import EVIDENCE, Frames, measure_evidence
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

    @property
    def labels(self) -> np.ndarray:
        """Int16 (frames,): the path that was taken, as far as it is known."""

    @property
    def evidence(self) -> np.ndarray:
        """Float64 (words, `EVIDENCE`): what speaks against the words, when all have been found."""


class GreedyFinder:
    """Takes the best symbol of every frame; keeps sixteen bytes a frame."""

    def __init__(self, alphabet: Alphabet, doubts: Doubts | None = None) -> None:
        """Begin.

        Args:
            alphabet: What labels stand for.
            doubts: Marks words that are likely to be others; None marks none.
        """
        self._alphabet, self._doubts = alphabet, doubts
        self._parts: list[Frames] = []
        self.evidence = np.zeros((0, len(EVIDENCE)))

    def add(self, log_probs: np.ndarray) -> None:
        """Take the next frames, float32 (frames, symbols)."""
        self._parts.append(Frames.along(log_probs, log_probs.argmax(1)))

    def finish(self) -> list[Span]:
        """Return the words of everything that was added."""
        frames = Frames.join(self._parts)
        spans = read_path(frames.labels, np.exp(frames.path), self._alphabet)
        self.evidence = measure_evidence(spans, frames, self._alphabet)
        return self._doubts.judge(spans, self.evidence) if self._doubts else spans

    @property
    def labels(self) -> np.ndarray:
        """Int16 (frames,): the path that was taken."""
        return Frames.join(self._parts).labels


class BeamFinder:
    """Searches every stretch between two pauses for the most probable words of a list."""

    def __init__(
        self, decoder: BeamDecoder, alphabet: Alphabet, doubts: Doubts | None = None
    ) -> None:
        """Begin.

        Args:
            decoder: Searches.
            alphabet: What labels stand for.
            doubts: Marks words that are likely to be others; None marks none.
        """
        self._decoder, self._alphabet, self._doubts = decoder, alphabet, doubts
        self._silent = (alphabet.blank, decoder.delimiter)
        self._waiting = np.zeros((0, len(alphabet.symbols)), np.float32)
        self._first = 0  # frame of the recording where what is waiting starts
        self._spans: list[Span] = []
        self._evidence = [np.zeros((0, len(EVIDENCE)))]
        self._labels = [np.zeros(0, np.int16)]

    def add(self, log_probs: np.ndarray) -> None:
        """Take the next frames, float32 (frames, symbols)."""
        self._waiting = np.concatenate([self._waiting, log_probs])
        while (end := self._find_pause()) is not None:
            self._search(end)

    def finish(self) -> list[Span]:
        """Return the words of everything that was added."""
        self._search(len(self._waiting))
        return self._doubts.judge(self._spans, self.evidence) if self._doubts else self._spans

    @property
    def labels(self) -> np.ndarray:
        """Int16 (frames,): the path that was taken, up to the last pause or the end."""
        return np.concatenate(self._labels)

    @property
    def evidence(self) -> np.ndarray:
        """Float64 (words, `EVIDENCE`): what speaks against the words that were found so far."""
        return np.concatenate(self._evidence)

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
            return (
                half
                + 1
                + int(self._waiting[half:_LONGEST_FRAMES, self._decoder.delimiter].argmax())
            )
        return None

    def _search(self, end: int) -> None:
        stretch, self._waiting = self._waiting[:end], self._waiting[end:]
        labels = np.full(len(stretch), self._alphabet.blank, np.int16)
        if not np.isin(stretch.argmax(1), self._silent).all():
            labels = self._decoder.find_path(stretch).astype(np.int16)
            frames = Frames.along(stretch, labels)
            spans = read_path(labels, np.exp(frames.path), self._alphabet)
            self._evidence.append(measure_evidence(spans, frames, self._alphabet))
            for span in spans:
                first, last = span.first + self._first, span.last + self._first
                self._spans.append(replace(span, first=first, last=last))
        self._labels.append(labels)
        self._first += end
