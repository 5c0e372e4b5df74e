"""Text -> tokens -> label probabilities, one text or many, with nothing cut off."""

from __future__ import annotations

import unicodedata
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from foundry.errors import InputError
from foundry.models.runtime import Predictor
from foundry.sentiment.encoder import PredictLogits, build_predictor
from foundry.sentiment.pieces import Piece, clean_text, label_names, longest_input, split_texts
from foundry.sentiment.readable import make_readable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Tokens in one batch: enough to keep matrix products efficient, few enough that what passes between
# layers stays in the processor's cache and that cancelling is prompt.
BATCH_TOKENS = 512
UNREAD = "The model knows no word of this text, so it has no answer."
# The tokenizer keeps every token's string until its call ends: a large file would fill the memory.
_TEXTS_AT_ONCE = 1_000


@dataclass(frozen=True)
class SentimentModel:
    """A classifier, whatever runs it.

    Attributes:
        predict_logits: Maps texts, each the ids of its tokens with special ones included, to
            float32 logits (texts, labels).
        tokenizer: A fast tokenizer: it tells where in the text each token is.
        labels: Names of the labels, in the order of the logits.
        max_tokens: Longest input, special tokens included.
    """

    predict_logits: PredictLogits
    tokenizer: PreTrainedTokenizerBase
    labels: tuple[str, ...]
    max_tokens: int = 512


@dataclass(frozen=True)
class SentimentScore:
    """The answer for one text.

    Attributes:
        probs: Probability of each label by name, in the model's order; they sum to 1.
        num_tokens: Tokens read, special tokens not counted; those in an overlap count twice.
        num_unknown: Those of them that stand for something the model has no word for.
        num_pieces: Pieces the text was split into, at least 1.
        is_read: Whether the model knows any word of it; if not, all labels are equally probable.
    """

    probs: dict[str, float]
    num_tokens: int
    num_unknown: int
    num_pieces: int
    is_read: bool = True

    @property
    def label(self) -> str:
        """The likeliest label."""
        return max(self.probs, key=self.probs.__getitem__)


@dataclass(frozen=True)
class ScoredText:
    """One text of many.

    Attributes:
        index: Its position among the texts.
        score: Its score, or None if it has none.
        problem: Why it has none, or one that says nothing: a sentence. "" for most.
    """

    index: int
    score: SentimentScore | None
    problem: str = ""


@dataclass(frozen=True)
class BatchEvent:
    """Progress through many texts.

    Attributes:
        num_done: Texts finished so far, these included.
        num_texts: All texts.
        share: The work done, by tokens, in [0, 1].
        finished: The texts finished since the event before.
    """

    num_done: int
    num_texts: int
    share: float
    finished: tuple[ScoredText, ...]


def wrap_classifier(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, compiled: Predictor | None = None
) -> SentimentModel:
    """Make any transformers sequence classifier usable here.

    Args:
        model: The classifier, in evaluation mode; not modified.
        tokenizer: Its tokenizer.
        compiled: What runs in its place, if it was quantized; see `Pretrained.compiled`.

    Returns:
        The same model behind one call.

    Raises:
        InputError: If the tokenizer cannot tell where its tokens are, or the model gives something
            else than one probability for each label.
    """
    if not tokenizer.is_fast:
        raise InputError("This model's tokenizer has no fast version, so it cannot be used here.")
    config: Any = model.config
    if config.num_labels < 2:
        raise InputError("This model gives a single score, not probabilities of labels.")

    if config.problem_type == "multi_label_classification":
        raise InputError("This model gives labels that do not exclude each other.")
    return SentimentModel(
        predict_logits=build_predictor(model, tokenizer, compiled),
        tokenizer=tokenizer,
        labels=label_names(model),
        max_tokens=longest_input(model, tokenizer),
    )


def score_text(model: SentimentModel, text: str) -> SentimentScore:
    """Give the probability of each label for one text of any accepted length.

    Args:
        model: The classifier.
        text: What a visitor typed; see `clean_text`.

    Returns:
        The score. A text of several pieces has the mean of their probabilities, each weighted by
        its number of tokens. One in which no word is known has no answer: see `is_read`.

    Raises:
        InputError: If there is no text, or too much.
    """
    readable = make_readable(model.tokenizer, [clean_text(text)])[0]
    pieces = split_texts(model.tokenizer, model.max_tokens, [readable.text])[0]
    _check_readable(pieces)
    if not _is_read(model.tokenizer, pieces):
        return _score_unread(model, pieces)
    # One at a time: the pieces of a long text are long.
    probs = [_softmax(model, [piece])[0] for piece in pieces]
    return _combine(model, pieces, probs)


def score_texts(
    model: SentimentModel, texts: Sequence[str], batch_tokens: int = BATCH_TOKENS
) -> Generator[BatchEvent, None, None]:
    """Score many texts, those of like length together; close the generator to stop early.

    Args:
        model: The classifier.
        texts: The texts. One that cannot be scored does not stop the others.
        batch_tokens: Most tokens in a batch, counted as if padded to its longest text.

    Yields:
        An event for each thousand texts read, with those that cannot be scored, then one for each
        batch scored. Every text is in exactly one event; short texts come first.
    """
    pieces_of: dict[int, list[Piece]] = {}
    num_done = 0
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        found, finished = _read(model, texts, range(start, min(start + _TEXTS_AT_ONCE, len(texts))))
        pieces_of |= found
        num_done += len(finished)
        yield BatchEvent(num_done, len(texts), 0.0, tuple(finished))

    queue = [
        (index, number) for index, pieces in pieces_of.items() for number in range(len(pieces))
    ]
    queue.sort(key=lambda entry: len(pieces_of[entry[0]][entry[1]].input_ids))
    num_tokens = sum(len(piece.input_ids) for pieces in pieces_of.values() for piece in pieces)
    tokens_done = 0
    probs_of: dict[int, dict[int, list[float]]] = {index: {} for index in pieces_of}
    for batch in _batches(queue, pieces_of, batch_tokens):
        some = [pieces_of[index][number] for index, number in batch]
        finished = []
        for (index, number), row in zip(batch, _softmax(model, some), strict=True):
            pieces, done = pieces_of[index], probs_of[index]
            done[number] = row
            if len(done) == len(pieces):
                ordered = [done[position] for position in range(len(pieces))]
                finished.append(ScoredText(index, _combine(model, pieces, ordered)))
        num_done += len(finished)
        tokens_done += sum(len(piece.input_ids) for piece in some)
        yield BatchEvent(num_done, len(texts), tokens_done / num_tokens, tuple(finished))


def _read(
    model: SentimentModel, texts: Sequence[str], indices: Sequence[int]
) -> tuple[dict[int, list[Piece]], list[ScoredText]]:
    """Split some of the texts into pieces, and finish those that the model cannot read."""
    cleaned: dict[int, str] = {}
    pieces_of: dict[int, list[Piece]] = {}
    finished: list[ScoredText] = []
    for index in indices:
        try:
            cleaned[index] = clean_text(texts[index])
        except InputError as error:
            finished.append(ScoredText(index, None, str(error)))
    readable = make_readable(model.tokenizer, list(cleaned.values()))
    split = split_texts(model.tokenizer, model.max_tokens, [one.text for one in readable])
    for index, pieces in zip(cleaned, split, strict=True):
        try:
            _check_readable(pieces)
            if _is_read(model.tokenizer, pieces):
                pieces_of[index] = pieces
            else:
                finished.append(ScoredText(index, _score_unread(model, pieces), UNREAD))
        except InputError as error:
            finished.append(ScoredText(index, None, str(error)))
    return pieces_of, finished


def _softmax(model: SentimentModel, pieces: Sequence[Piece]) -> list[list[float]]:
    probs: list[list[float]] = (
        model.predict_logits([piece.input_ids for piece in pieces]).softmax(dim=1).tolist()
    )
    return probs


def _check_readable(pieces: Sequence[Piece]) -> None:
    if not any(piece.num_tokens for piece in pieces):
        raise InputError("The model can read nothing in this text: it holds no letters or signs.")


def _is_read(tokenizer: PreTrainedTokenizerBase, pieces: Sequence[Piece]) -> bool:
    """Tell whether a token of a word or a symbol is known, where any is unknown."""
    if not any(piece.num_unknown for piece in pieces):
        return True
    special = set(tokenizer.all_special_ids)
    known = {token for piece in pieces for token in piece.input_ids if token not in special}
    words: Any = tokenizer.convert_ids_to_tokens(list(known))
    # SentencePiece writes a space as a symbol.
    return any(unicodedata.category(sign)[0] in "LNS" for word in words for sign in word.strip("▁"))


def _score_unread(model: SentimentModel, pieces: Sequence[Piece]) -> SentimentScore:
    equal = [1 / len(model.labels)] * len(model.labels)
    return replace(_combine(model, pieces, [equal] * len(pieces)), is_read=False)


def _combine(
    model: SentimentModel, pieces: Sequence[Piece], probs: Sequence[Sequence[float]]
) -> SentimentScore:
    num_tokens = sum(piece.num_tokens for piece in pieces)
    weights = [piece.num_tokens / num_tokens for piece in pieces]
    mean = [
        sum(weight * prob for weight, prob in zip(weights, of_label, strict=True))
        for of_label in zip(*probs, strict=True)
    ]
    return SentimentScore(
        probs=dict(zip(model.labels, mean, strict=True)),
        num_tokens=num_tokens,
        num_unknown=sum(piece.num_unknown for piece in pieces),
        num_pieces=len(pieces),
    )


def _batches(
    queue: Sequence[tuple[int, int]], pieces_of: dict[int, list[Piece]], batch_tokens: int
) -> Iterator[list[tuple[int, int]]]:
    batch: list[tuple[int, int]] = []
    for index, number in queue:
        # The queue is sorted, so the newest is the longest and sets the width of the batch.
        length = len(pieces_of[index][number].input_ids)
        if batch and length * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append((index, number))
    if batch:
        yield batch
