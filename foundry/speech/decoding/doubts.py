"""Which of the words that were found are likely to be others, or none that the model knows.

A search over a list of words finds words in anything. What gives a wrong one away is that the
model, left free, would have spelled something else over the same frames, that it is undecided
there, and that it is so about the words beside it. A model's folder says by a file `doubts.json`
how much each of these counts; `python -m foundry.recipes.speech.doubts` makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from foundry.errors import ArtifactError
from foundry.speech.words import UNKNOWN_WORD, Alphabet, Span, read_path

DOUBTS_FILE = "doubts.json"
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
# Words further apart than so many frames (2 s in the usual 20 ms) are not beside each other.
_BESIDE_FRAMES = 100
# Frames on either side of a word in which the model is undecided about this word and no other.
_AROUND = 8
# A stretch of unknown words goes on over a pause of so many frames (0.5 s).
_JOINED_FRAMES = 25
# Of a symbol that is less probable than this nothing is left to be undecided about.
_LEAST_LOG_PROB = -30.0
_MOST_OTHER_LETTERS = 2.0
_NUM_CACHED = 8


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
        Float64 (words, `EVIDENCE` and `BESIDE`). A word that is alone stands for its neighbours.
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


@dataclass(frozen=True)
class Doubts:
    """When a word is in doubt.

    Attributes:
        weights: How much each of `EVIDENCE`, and of `BESIDE` with `beside_` before its name, counts
            in the logarithm of the odds that a word is wrong; what is not named does not count.
        bias: Where there is no evidence.
        doubtful: Chance of being wrong from which a word is in doubt.
        unknown: And from which it is shown as `UNKNOWN_WORD`; None shows every word.
    """

    weights: Mapping[str, float]
    bias: float
    doubtful: float
    unknown: float | None = None

    def estimate(self, spans: Sequence[Span], evidence: np.ndarray) -> np.ndarray:
        """Estimate how likely each word is to be another.

        Args:
            spans: Words, in order.
            evidence: From `measure_evidence()`.

        Returns:
            Float64 (words,) in [0, 1].
        """
        names = (*EVIDENCE, *(f"beside_{name}" for name in BESIDE))
        factors = np.array([self.weights.get(name, 0.0) for name in names])
        return 1 / (1 + np.exp(-(add_context(spans, evidence) @ factors + self.bias)))

    def judge(self, spans: Sequence[Span], evidence: np.ndarray) -> list[Span]:
        """Mark what is in doubt.

        Args:
            spans: Words, in order.
            evidence: From `measure_evidence()`.

        Returns:
            The words; those that are none of the model's become `UNKNOWN_WORD`, one for each
            stretch of them, and nothing at all if no other word is left.
        """
        judged: list[Span] = []
        for span, doubt in zip(spans, self.estimate(spans, evidence).tolist(), strict=True):
            if self.unknown is None or doubt < self.unknown:
                judged.append(replace(span, doubtful=doubt >= self.doubtful))
                continue
            unknown = replace(span, word=UNKNOWN_WORD, doubtful=True)
            before = judged[-1] if judged else None
            if (
                before
                and before.word == UNKNOWN_WORD
                and span.first - before.last <= _JOINED_FRAMES
            ):
                least = min(before.confidence, span.confidence)
                judged[-1] = replace(unknown, first=before.first, confidence=least)
            else:
                judged.append(unknown)
        return judged if any(span.word != UNKNOWN_WORD for span in judged) else []


# Of a model that says nothing about its doubts: below half confidence a word is in doubt.
PLAIN = Doubts({"unsure": 1.0}, -math.log(2), 0.5)


def write_doubts(doubts: Mapping[str, Doubts], folder: Path) -> None:
    """Write how much a model's evidence counts.

    Args:
        doubts: By decoding.
        folder: Of the model.
    """
    contents = {
        decoding: {one.name: getattr(its, one.name) for one in fields(Doubts)}
        for decoding, its in doubts.items()
    }
    (folder / DOUBTS_FILE).write_text(json.dumps(contents, indent=1) + "\n", "utf-8")


def load_doubts(folder: Path) -> Mapping[str, Doubts]:
    """Load how much a model's evidence counts, by decoding; nothing if it does not say.

    Args:
        folder: Of the model.

    Raises:
        ArtifactError: If the file is damaged.
    """
    path = folder / DOUBTS_FILE
    return _load_cached(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=_NUM_CACHED)
def _load_cached(path: Path, modified_ns: int) -> Mapping[str, Doubts]:
    try:
        contents = json.loads(path.read_text("utf-8"))
        return {decoding: _read(its) for decoding, its in contents.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path} is damaged: {error}.") from None


def _read(contents: Mapping[str, Any]) -> Doubts:
    weights, unknown = contents["weights"], contents["unknown"]
    numbers = [contents["bias"], contents["doubtful"], *weights.values()]
    if not all(math.isfinite(float(number)) for number in numbers):
        raise ValueError("a number is not finite")
    return Doubts(
        {str(name): float(weight) for name, weight in weights.items()},
        float(contents["bias"]),
        float(contents["doubtful"]),
        None if unknown is None else float(unknown),
    )
