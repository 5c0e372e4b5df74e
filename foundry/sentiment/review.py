"""Which of many answered texts to look at: by their answer, and the least certain ones first."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from foundry.sentiment.scoring import ScoredText


# Not compared: the page keeps it for a visitor, and would look at every text to see a change.
@dataclass(frozen=True, eq=False, repr=False)
class AnsweredTexts:
    """Many texts with their answers, in little memory.

    Attributes:
        texts: What was to be scored.
        labels: The model's, in its order.
        indices: int64 (rows,), those of the texts that have been scored, in their order.
        probs: float64 (rows, labels), not a number where there is no answer.
        problems: Why there is none, by index.
    """

    texts: Sequence[str]
    labels: tuple[str, ...]
    indices: np.ndarray
    probs: np.ndarray
    problems: dict[int, str]


@dataclass(frozen=True)
class Choice:
    """What to look at.

    Attributes:
        labels: Only these answers; none for all.
        least: Lowest probability of the answer, in [0, 1].
        most: Highest, in [0, 1].
        is_doubt_first: Whether the least certain come first, and not in the order of the texts.
    """

    labels: Collection[str] = ()
    least: float = 0.0
    most: float = 1.0
    is_doubt_first: bool = False


def keep_answers(
    texts: Sequence[str], labels: tuple[str, ...], scored: Sequence[ScoredText]
) -> AnsweredTexts:
    """Keep of the scores what is needed to choose among them.

    Args:
        texts: What was to be scored.
        labels: The model's, in its order.
        scored: Any number of the texts, in any order.
    """
    ordered = sorted(scored, key=lambda one: one.index)
    probs = np.full((len(ordered), len(labels)), np.nan)
    for row, one in enumerate(ordered):
        if one.score and not one.problem:
            probs[row] = [one.score.probs[label] for label in labels]
    return AnsweredTexts(
        texts=texts,
        labels=labels,
        indices=np.array([one.index for one in ordered], dtype=np.int64),
        probs=probs,
        problems={one.index: one.problem for one in ordered if one.problem},
    )


def choose_rows(answered: AnsweredTexts, choice: Choice, most_rows: int) -> tuple[list[int], int]:
    """Choose the answers to look at.

    Args:
        answered: The texts with their answers.
        choice: Which. A text without an answer is there if nothing was asked for, and comes last
            if the least certain come first.
        most_rows: How many to return at most.

    Returns:
        The first of them as rows of `answered.probs`, and how many there are.
    """
    has_answer = ~np.isnan(answered.probs[:, 0])
    certainty = np.nan_to_num(answered.probs.max(axis=1), nan=np.inf)
    most = math.inf if choice.most >= 1 else choice.most
    fits = has_answer & (certainty >= choice.least) & (certainty <= most)
    if choice.labels:
        wanted = np.array([label in choice.labels for label in answered.labels])
        fits &= wanted[answered.probs.argmax(axis=1)]
    if not choice.labels and choice.least <= 0 and choice.most >= 1:
        fits |= ~has_answer
    rows = np.flatnonzero(fits)
    if choice.is_doubt_first:
        rows = rows[np.argsort(certainty[rows], kind="stable")]
    return rows[:most_rows].tolist(), len(rows)
