"""Which of the words that were found are likely to be others, or none that the model knows.

A model's folder says by a file `doubts.json` how much each piece of evidence against a word counts;
`python -m foundry.recipes.speech.doubts` makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from foundry.errors import ArtifactError
from foundry.speech.decoding.evidence import CONTEXT, add_context
from foundry.speech.words import UNKNOWN_WORD, Span

DOUBTS_FILE = "doubts.json"
# A stretch of unknown words goes on over a pause of so many frames (0.5 s).
_JOINED_FRAMES = 25
_NUM_CACHED = 8


@dataclass(frozen=True)
class Unit:
    """A hidden unit: what counts for more, or for less, where it comes together.

    Attributes:
        weights: By the names of `CONTEXT`; what is not named does not count.
        bias: Where there is no evidence.
        factor: How much its hyperbolic tangent counts in the logarithm of the odds.
    """

    weights: Mapping[str, float]
    bias: float
    factor: float


@dataclass(frozen=True)
class Doubts:
    """When a word is in doubt.

    Attributes:
        weights: How much each of `CONTEXT` counts in the logarithm of the odds that a word is
            wrong; what is not named does not count.
        bias: Where there is no evidence.
        doubtful: Chance of being wrong from which a word is in doubt.
        unknown: And from which it is shown as `UNKNOWN_WORD`; None shows every word.
        units: What several pieces of evidence count together.
    """

    weights: Mapping[str, float]
    bias: float
    doubtful: float
    unknown: float | None = None
    units: tuple[Unit, ...] = ()

    def estimate(self, spans: Sequence[Span], evidence: np.ndarray) -> np.ndarray:
        """Estimate how likely each word is to be another.

        Args:
            spans: Words, in order.
            evidence: From `measure_evidence()`.

        Returns:
            Float64 (words,) in [0, 1].
        """
        context = add_context(spans, evidence)
        odds = _weigh(context, self)
        for unit in self.units:
            odds += unit.factor * np.tanh(_weigh(context, unit))
        return 1 / (1 + np.exp(-odds))

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


def _weigh(context: np.ndarray, by: Doubts | Unit) -> np.ndarray:
    return context @ np.array([by.weights.get(name, 0.0) for name in CONTEXT]) + by.bias


# Of a model that says nothing about its doubts: below half confidence a word is in doubt.
PLAIN = Doubts({"unsure": 1.0}, -math.log(2), 0.5)


def write_doubts(doubts: Mapping[str, Doubts], folder: Path) -> None:
    """Write how much a model's evidence counts.

    Args:
        doubts: By decoding.
        folder: Of the model.
    """
    contents = {decoding: asdict(its) for decoding, its in doubts.items()}
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
    unknown = contents["unknown"]
    return Doubts(
        _read_weights(contents),
        _read_number(contents["bias"]),
        _read_number(contents["doubtful"]),
        None if unknown is None else _read_number(unknown),
        tuple(
            Unit(_read_weights(one), _read_number(one["bias"]), _read_number(one["factor"]))
            for one in contents.get("units", ())
        ),
    )


def _read_weights(contents: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _read_number(weight) for name, weight in contents["weights"].items()}


def _read_number(content: Any) -> float:
    number = float(content)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number
