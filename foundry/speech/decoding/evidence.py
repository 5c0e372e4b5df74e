"""What speaks against a word that was found.

A search over a list of words finds words in anything. What gives a wrong one away is that the
model, left free, would have spelled something else over the same frames, that it is undecided
there, and that it is so about the words beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from foundry.speech.words import Alphabet, Span, read_path

# What speaks against a word, in this order: see `measure_evidence()`.
EVIDENCE = (
    "unsure",
    "other_path",
    "other_letters",
    "undecided",
    "undecided_within",
    "short",
)
# The same of the words beside it, on average.
BESIDE = ("unsure", "other_path", "undecided")
# What `add_context()` gives, in its order.
CONTEXT = (*EVIDENCE, *(f"beside_{name}" for name in BESIDE))
# Words further apart than so many frames (2 s in the usual 20 ms) are not beside each other.
_BESIDE_FRAMES = 100
# Frames on either side of a word in which the model is undecided about this word and no other.
_AROUND = 8
# Of a symbol that is less probable than this nothing is left to be undecided about.
_LEAST_LOG_PROB = -30.0
_MOST_OTHER_LETTERS = 2.0


@dataclass(frozen=True)
class Frames:
    """What of a model's answer tells how far a path through it can be trusted.

    Attributes:
        labels: Int16 (frames,): the path.
        path: Float32 (frames,): log-probabilities of its labels.
        free: Int16 (frames,): the most probable labels.
        best: Float32 (frames,): log-probabilities of those.
        entropy: Float32 (frames,): of the symbols, in nats.
    """

    labels: np.ndarray
    path: np.ndarray
    free: np.ndarray
    best: np.ndarray
    entropy: np.ndarray

    @classmethod
    def along(cls, log_probs: np.ndarray, labels: np.ndarray) -> Frames:
        """Look along a path.

        Args:
            log_probs: Float32 (frames, symbols).
            labels: Int (frames,): the path.
        """
        finite = np.maximum(log_probs, _LEAST_LOG_PROB)
        return cls(
            labels.astype(np.int16),
            log_probs[np.arange(len(labels)), labels],
            log_probs.argmax(1).astype(np.int16),
            log_probs.max(1),
            -(np.exp(finite) * finite).sum(1),
        )

    @classmethod
    def join(cls, parts: Sequence[Frames]) -> Frames:
        """Put stretches one after another."""
        empty = np.zeros(0, np.float32)
        nothing = cls(empty.astype(np.int16), empty, empty.astype(np.int16), empty, empty)
        columns = ([getattr(part, one.name) for part in (nothing, *parts)] for one in fields(cls))
        return cls(*map(np.concatenate, columns))


def measure_evidence(spans: Sequence[Span], frames: Frames, alphabet: Alphabet) -> np.ndarray:
    """Measure what speaks against words.

    Args:
        spans: Words on the path, in order.
        frames: Of the path.
        alphabet: What labels stand for.

    Returns:
        Float64 (words, `EVIDENCE`), nothing below 0. How unsure its letters are; by how much the
        most probable path over its stretch, which reaches half the way to its neighbours, is more
        probable than this one, as a logarithm; how many other letters that path has, for each of
        the word's own; how undecided the model is around the word and within it, in nats; and one
        over the number of letters.
    """
    rows = []
    for number, span in enumerate(spans):
        start, end = _find_stretch(spans, number, len(frames.path))
        near = slice(max(start, span.first - _AROUND), min(end, span.last + 1 + _AROUND))
        lost = float((frames.best[start:end] - frames.path[start:end]).sum())
        free = frames.free[start:end]
        spelled = "".join(one.word for one in read_path(free, np.ones(len(free)), alphabet))
        other = _edit_distance(span.word, spelled) / len(span.word)
        rows.append(
            (
                -math.log(max(span.confidence, 1e-10)),
                math.log1p(max(0.0, lost)),
                min(_MOST_OTHER_LETTERS, other),
                float(frames.entropy[near].mean()),
                float(frames.entropy[span.first : span.last + 1].mean()),
                1 / len(span.word),
            )
        )
    return np.array(rows, float).reshape(-1, len(EVIDENCE))


def _find_stretch(spans: Sequence[Span], number: int, num_frames: int) -> tuple[int, int]:
    """Return the frames that are nearer to a word than to its neighbours."""
    span = spans[number]
    start = (spans[number - 1].last + span.first + 1) // 2 if number else 0
    is_last = number + 1 == len(spans)
    return start, num_frames if is_last else (span.last + spans[number + 1].first + 1) // 2


def _edit_distance(one: str, other: str) -> int:
    """Count the letters that have to be changed, put in or left out."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        above, row = row, [number]
        for place, its in enumerate(other, start=1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != its)))
    return row[-1]


def add_context(spans: Sequence[Span], evidence: np.ndarray) -> np.ndarray:
    """Add what speaks against the words beside each word.

    Args:
        spans: Words, in order.
        evidence: Float64 (words, `EVIDENCE`).

    Returns:
        Float64 (words, `CONTEXT`). A word that is alone stands for its neighbours.
    """
    columns = [EVIDENCE.index(name) for name in BESIDE]
    beside = np.empty((len(spans), len(columns)))
    for number, span in enumerate(spans):
        near = [
            other
            for other in (number - 1, number + 1)
            if 0 <= other < len(spans)
            and max(spans[other].first - span.last, span.first - spans[other].last)
            <= _BESIDE_FRAMES
        ]
        beside[number] = evidence[near or [number]][:, columns].mean(axis=0)
    return np.concatenate([evidence, beside], axis=1)
