"""Text -> tokens -> label probabilities, one text or many, with nothing cut off."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from foundry.errors import InputError
from foundry.sentiment_pieces import Piece, clean_text, longest_input, split_texts

# Tokens in one batch, padding included: enough to keep matrix products efficient, few enough that
# what passes between layers stays in the processor's cache and that cancelling is prompt.
BATCH_TOKENS = 512


@dataclass(frozen=True)
class SentimentModel:
    """A classifier, whatever runs it.

    Attributes:
        predict_logits: Maps int64 `input_ids` (batch, tokens) and `attention_mask` (batch, tokens)
            to float logits (batch, labels). A mask of None means no padding.
        tokenizer: A fast tokenizer: it tells where in the text each token is.
        labels: Names of the labels, in the order of the logits.
        max_tokens: Longest input, special tokens included.
    """

    predict_logits: Callable[[Tensor, Tensor | None], Tensor]
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
    """

    probs: dict[str, float]
    num_tokens: int
    num_unknown: int
    num_pieces: int

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
        problem: Why it has none: a sentence, or "" if it has.
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
        finished: The texts finished since the event before.
    """

    num_done: int
    num_texts: int
    finished: tuple[ScoredText, ...]


def wrap_classifier(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> SentimentModel:
    """Make any transformers sequence classifier usable here.

    Args:
        model: The classifier, in evaluation mode; not modified.
        tokenizer: Its tokenizer.

    Returns:
        The same model behind one call.

    Raises:
        InputError: If the tokenizer cannot tell where its tokens are, or the model gives one score
            in place of label probabilities.
    """
    if not tokenizer.is_fast:
        raise InputError("This model's tokenizer has no fast version, so it cannot be used here.")
    config: Any = model.config
    if config.num_labels < 2:
        raise InputError("This model gives a single score, not probabilities of labels.")

    def predict_logits(input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
        with torch.inference_mode():
            logits: Tensor = model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits.float()

    return SentimentModel(
        predict_logits=predict_logits,
        tokenizer=tokenizer,
        labels=tuple(config.id2label[index] for index in range(config.num_labels)),
        max_tokens=longest_input(model, tokenizer),
    )


def score_text(model: SentimentModel, text: str) -> SentimentScore:
    """Give the probability of each label for one text of any accepted length.

    Args:
        model: The classifier.
        text: What a visitor typed; see `clean_text`.

    Returns:
        The score. A text of several pieces has the mean of their probabilities, each weighted by
        its number of tokens.

    Raises:
        InputError: If there is no text, or too much.
    """
    pieces = split_texts(model.tokenizer, model.max_tokens, [clean_text(text)])[0]
    _check_readable(pieces)
    probs = []
    for piece in pieces:
        logits = model.predict_logits(torch.tensor([piece.input_ids]), None)
        probs.append(torch.softmax(logits[0], dim=0))
    return _combine(model, pieces, probs)


def score_texts(
    model: SentimentModel, texts: Sequence[str], batch_tokens: int = BATCH_TOKENS
) -> Generator[BatchEvent, None, None]:
    """Score many texts, those of like length together; close the generator to stop early.

    Args:
        model: The classifier.
        texts: The texts. One that cannot be scored does not stop the others.
        batch_tokens: Most tokens in a batch, padding included.

    Yields:
        An event for each batch. Every text is in exactly one event; short texts come first.
    """
    cleaned: dict[int, str] = {}
    unusable: list[ScoredText] = []
    for index, text in enumerate(texts):
        try:
            cleaned[index] = clean_text(text)
        except InputError as error:
            unusable.append(ScoredText(index, None, str(error)))
    pieces_of: dict[int, list[Piece]] = {}
    split = split_texts(model.tokenizer, model.max_tokens, list(cleaned.values()))
    for index, pieces in zip(cleaned, split, strict=True):
        try:
            _check_readable(pieces)
            pieces_of[index] = pieces
        except InputError as error:
            unusable.append(ScoredText(index, None, str(error)))
    num_done = len(unusable)
    if unusable:
        yield BatchEvent(num_done, len(texts), tuple(unusable))

    queue = [
        (index, number) for index, pieces in pieces_of.items() for number in range(len(pieces))
    ]
    queue.sort(key=lambda entry: len(pieces_of[entry[0]][entry[1]].input_ids))
    probs_of: dict[int, dict[int, Tensor]] = {index: {} for index in pieces_of}
    for batch in _batches(queue, pieces_of, batch_tokens):
        sequences = [pieces_of[index][number].input_ids for index, number in batch]
        probs = torch.softmax(model.predict_logits(*_pad(sequences, model.tokenizer)), dim=1)
        finished = []
        for (index, number), row in zip(batch, probs, strict=True):
            pieces, done = pieces_of[index], probs_of[index]
            done[number] = row
            if len(done) == len(pieces):
                ordered = [done[position] for position in range(len(pieces))]
                finished.append(ScoredText(index, _combine(model, pieces, ordered)))
        num_done += len(finished)
        yield BatchEvent(num_done, len(texts), tuple(finished))


def _check_readable(pieces: Sequence[Piece]) -> None:
    if not any(piece.num_tokens for piece in pieces):
        raise InputError("The model can read nothing in this text: it holds no letters or signs.")


def _combine(
    model: SentimentModel, pieces: Sequence[Piece], probs: Sequence[Tensor]
) -> SentimentScore:
    weights = torch.tensor([float(piece.num_tokens) for piece in pieces])
    mean = (torch.stack(list(probs)) * weights[:, None]).sum(dim=0) / weights.sum()
    return SentimentScore(
        probs=dict(zip(model.labels, mean.tolist(), strict=True)),
        num_tokens=sum(piece.num_tokens for piece in pieces),
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


def _pad(
    sequences: Sequence[Sequence[int]], tokenizer: PreTrainedTokenizerBase
) -> tuple[Tensor, Tensor | None]:
    width = max(map(len, sequences))
    if all(len(sequence) == width for sequence in sequences):
        return torch.tensor(sequences), None
    input_ids = torch.full((len(sequences), width), tokenizer.pad_token_id or 0)
    attention_mask = torch.zeros_like(input_ids)
    for row, sequence in enumerate(sequences):
        input_ids[row, : len(sequence)] = torch.tensor(sequence)
        attention_mask[row, : len(sequence)] = 1
    return input_ids, attention_mask
