"""Text made fit for a model: cleaned, tokenised, and split where it is too long."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from foundry.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# About fifty pieces of 512 tokens if it is English, two hundred if it is Chinese.
MAX_CHARACTERS = 100_000
OVERLAP_TOKENS = 64
# Where neither model nor tokenizer states a limit, and what is too little to split texts by.
_USUAL_TOKENS, _FEWEST_TOKENS = 512, 16

# A carriage return before a line feed ends no more than the line feed does.
_CONTROL_SPACE = re.compile(r"\r(?!\n)|[\v\f\x1c-\x1f\x85]")

# Unicode's categories Cc and Cs, less tab and line feed.
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

# Matches end where a sentence does, before the space that follows it.
_SENTENCE = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|[。！？]+[”’」』）]*|(?=\n)""")
# What ends a sentence may be doubled, or stand on a line of its own.
_MARKS_ONLY = re.compile(r"""[\s.!?…。！？"'”’)\]」』）]*""")


@dataclass(frozen=True)
class Piece:
    """A stretch of a text that fits the model.

    Attributes:
        start: First character.
        end: One past the last character.
        first_token: Its first token's place among all tokens of the text.
        input_ids: Its token ids, special tokens included.
        num_tokens: The same without the special tokens.
        num_unknown: Those of them that stand for something the model has no word for.
    """

    start: int
    end: int
    first_token: int
    input_ids: tuple[int, ...]
    num_tokens: int
    num_unknown: int


def clean_text(text: str) -> str:
    """Drop what no model reads: control characters, half surrogate pairs, outer space.

    Control characters that part words, such as a form feed between pages, become spaces.

    Args:
        text: What a visitor typed.

    Returns:
        The text, never empty.

    Raises:
        InputError: If nothing is left, or there is more than `MAX_CHARACTERS`.
    """
    text = _CONTROL_SPACE.sub(" ", text)
    text = _UNREADABLE.sub("", text).strip()
    if not text:
        raise InputError("There is no text yet: type or paste a sentence.")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"This text has {len(text):,} characters and at most {MAX_CHARACTERS:,} are scored at "
            "once. Split it into lines and score them as a file."
        )
    return text


def split_sentences(text: str) -> list[str]:
    """Split a text where sentences or lines end.

    Args:
        text: As `clean_text` leaves it.

    Returns:
        The sentences that have a word or a symbol, in order, without the space around them.
    """
    ends = [found.end() for found in _SENTENCE.finditer(text)]
    parts = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return [part for part in parts if not _MARKS_ONLY.fullmatch(part)]


def longest_input(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tell how many tokens a model reads at once, special tokens included.

    Args:
        model: A transformers classifier.
        tokenizer: Its tokenizer.

    Returns:
        The number; 512 if neither of the two states a limit.

    Raises:
        InputError: If it is too small for texts to be split.
    """
    config: Any = model.config
    positions = getattr(config, "max_position_embeddings", None) or 0
    # XLNet, which knows only distances, says -1.
    if positions <= 0:
        positions = _USUAL_TOKENS
    # These count positions from one past the padding's, so the first ones are never used.
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= config.pad_token_id + 1
    # A tokenizer that states no limit gives a huge number.
    longest = min(positions, tokenizer.model_max_length)
    if longest < _FEWEST_TOKENS:
        raise InputError(
            f"This model reads {longest} tokens at once, and at least {_FEWEST_TOKENS} are needed."
        )
    return longest


def label_names(model: PreTrainedModel) -> tuple[str, ...]:
    """Give the names of a classifier's labels in the order of its logits, each name once.

    Args:
        model: A transformers classifier.
    """
    config: Any = model.config
    names: list[str] = []
    for index in range(config.num_labels):
        name = config.id2label[index]
        while name in names:
            name += " (again)"
        names.append(name)
    return tuple(names)


def split_texts(
    tokenizer: PreTrainedTokenizerBase, max_tokens: int, texts: Sequence[str]
) -> list[list[Piece]]:
    """Split texts into pieces that fit the model, at sentence ends where there are any.

    Neighbouring pieces overlap by up to `OVERLAP_TOKENS`, so that a sentence at a seam is read
    with something before it.

    Args:
        tokenizer: A fast tokenizer.
        max_tokens: Longest input of the model, special tokens included; at least 16.
        texts: The texts, as `clean_text` leaves them.

    Returns:
        The pieces of each text, in order. Together they cover every character of it; a text that
        fits is one piece.
    """
    if not texts:
        return []
    # verbose=False: being longer than the model's input is expected and dealt with below.
    encoded = tokenizer(
        list(texts),
        return_attention_mask=False,
        return_token_type_ids=False,
        return_special_tokens_mask=True,
        verbose=False,
    )
    return [
        [_build_piece(tokenizer, 0, len(text), 0, ids, len(ids) - sum(special))]
        if len(ids) <= max_tokens
        else _split_long(tokenizer, max_tokens, text)
        for text, ids, special in zip(
            texts, encoded["input_ids"], encoded["special_tokens_mask"], strict=True
        )
    ]


def _split_long(tokenizer: PreTrainedTokenizerBase, max_tokens: int, text: str) -> list[Piece]:
    encoded = tokenizer(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
    )
    ids, special = encoded["input_ids"], encoded["special_tokens_mask"]
    content = slice(special.index(0), len(ids) - special[::-1].index(0))
    prefix, tokens, suffix = ids[: content.start], ids[content], ids[content.stop :]
    starts = [start for start, _ in encoded["offset_mapping"][content]]
    room = max_tokens - len(prefix) - len(suffix)
    return [
        _build_piece(
            tokenizer,
            starts[first] if first else 0,
            starts[last] if last < len(tokens) else len(text),
            first,
            [*prefix, *tokens[first:last], *suffix],
            last - first,
        )
        for first, last in _piece_bounds(text, starts, room)
    ]


def _build_piece(
    tokenizer: PreTrainedTokenizerBase,
    start: int,
    end: int,
    first_token: int,
    input_ids: Sequence[int],
    num_tokens: int,
) -> Piece:
    return Piece(
        start=start,
        end=end,
        first_token=first_token,
        input_ids=tuple(input_ids),
        num_tokens=num_tokens,
        num_unknown=input_ids.count(tokenizer.unk_token_id),
    )


def _piece_bounds(text: str, starts: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Choose the first token and one past the last token of every piece."""
    num_tokens = len(starts)
    if num_tokens <= room:
        return [(0, num_tokens)]
    overlap = min(OVERLAP_TOKENS, room // 4)
    sentence_starts = _tokens_at(starts, [found.end() for found in _SENTENCE.finditer(text)])
    word_starts = _tokens_at(starts, [found.start() for found in re.finditer(r"\s+", text)])
    bounds = []
    first = last = 0
    while True:
        previous_last, limit = last, first + room
        if limit >= num_tokens:
            bounds.append((first, num_tokens))
            return bounds
        # Past the previous overlap, so that every piece brings something new. A text without
        # sentence ends is split between words, one without spaces between tokens.
        last = (
            _last_between(sentence_starts, previous_last + overlap, limit)
            or _last_between(word_starts, previous_last + overlap, limit)
            or limit
        )
        bounds.append((first, last))
        first = (
            _first_between(sentence_starts, last - overlap, last)
            or _first_between(word_starts, last - overlap, last)
            or last - overlap
        )


def _tokens_at(starts: Sequence[int], positions: Sequence[int]) -> list[int]:
    # The first token that begins at or after each character position.
    return sorted({bisect_right(starts, position - 1) for position in positions})


def _last_between(values: Sequence[int], low: int, high: int) -> int | None:
    index = bisect_right(values, high) - 1
    return values[index] if index >= 0 and values[index] > low else None


def _first_between(values: Sequence[int], low: int, high: int) -> int | None:
    index = bisect_right(values, low - 1)
    return values[index] if index < len(values) and values[index] < high else None
