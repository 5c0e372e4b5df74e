"""What each variant of the chosen model answers to the text in the box."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from foundry.errors import InputError
from foundry.models import DENSE, available_variants, load_pretrained
from foundry.models.hub import OnProgress
from foundry.models.loading import check_variant
from foundry.models.runtime import count_weight_bytes
from foundry.sentiment import SentimentScore, score_text
from foundry.sentiment.scoring import UNREAD
from foundry.ui.components.variants.answers import (
    Answered,
    Candidate,
    VariantAnswer,
    measure_beside_dense,
)
from foundry.ui.components.variants.bars import compare_all, show_bars
from foundry.ui.page.feedback import shows_errors
from foundry.ui.sentiment.choice import load_sentiment_model, make_usable

# A text is soon read, and a network of this size takes long enough to be timed well.
_NUM_ROUNDS = 3


def tell_answers(
    text: str, name: str, variant: str, score: SentimentScore, elapsed_ms: float, answered: Answered
) -> list[Any]:
    """Tell what the chosen variant answered; let the dense one answer as well if it is another.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the chosen variant.
        score: What it answered. A text of several pieces is not read again unasked.
        elapsed_ms: How long that took, in milliseconds.
        answered: What the variants answered so far.

    Returns:
        As `show_bars()`.
    """
    offered = available_variants(name)
    if not score.is_read:
        return show_bars(answered.clear(), variant, offered)
    chosen = _load(text, name, variant)
    told = {variant: VariantAnswer(score.label, elapsed_ms, chosen.num_bytes)}
    if variant != DENSE.name and score.num_pieces == 1:
        told = measure_beside_dense(variant, partial(_load, text, name), 1)
    return show_bars(answered.add((name, text), told), variant, offered)


@shows_errors
def on_compare(text: str, name: str, variant: str, answered: Answered) -> Iterator[list[Any]]:
    """Let all variants answer the text.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the chosen variant.
        answered: What the variants answered so far.

    Yields:
        As `compare_all()`.
    """
    if not text or not text.strip():
        raise InputError("There is nothing to compare yet; type a text.")
    # All variants have the same tokens.
    if not score_text(load_sentiment_model(name)[1], text).is_read:
        raise InputError(UNREAD)
    yield from compare_all(
        answered,
        (name, text),
        available_variants(name),
        variant,
        partial(_load, text, name),
        _NUM_ROUNDS,
    )


def _load(text: str, name: str, variant: str, on_progress: OnProgress | None = None) -> Candidate:
    checked = check_variant(name, variant)
    pretrained = load_pretrained(name, "sentiment", on_progress, checked)
    model = make_usable(pretrained)
    return Candidate(
        lambda: score_text(model, text).label,
        count_weight_bytes(pretrained.predict),
    )
