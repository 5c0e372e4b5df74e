"""Which words pulled an answer which way: Integrated Gradients over whole words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from foundry.errors import InputError
from foundry.models.runtime import on_compute_thread
from foundry.sentiment.pieces import Piece, clean_text, label_names, longest_input, split_texts
from foundry.sentiment.readable import make_readable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Integration takes dozens of passes with gradients, so it is kept to a few pieces.
MAX_TOKENS = 1_024
# Points on the integration path: doubled from the first until the sum of the scores is within
# MAX_RELATIVE_ERROR of what it should be, or the last has been tried.
FIRST_STEPS = 16
LAST_STEPS = 256
MAX_RELATIVE_ERROR = 0.02
# Margins smaller than this differ by rounding alone, so a share of them says nothing.
SMALLEST_DIFFERENCE = 0.1
# Tokens in one pass through the model, all path points together.
PASS_TOKENS = 2_048

# Scripts written without spaces: each sign is taken as a word.
_SIGN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"


@dataclass(frozen=True)
class WordScore:
    """One word and its pull.

    Attributes:
        text: The word as typed.
        start: Its first character in the explained text.
        end: One past its last character.
        score: Its part of the margin, in logits: above 0 it pulls towards the explained label.
    """

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Explanation:
    """The answer for a text taken apart by word.

    Attributes:
        text: The text explained, as cleaned; `start` and `end` of the words count in it.
        words: Every word, in order.
        label: The label explained.
        margin: Its logit less the mean logit of the other labels; for a text of several pieces the
            mean of theirs, weighted by tokens.
        baseline_margin: The same with every token replaced by padding.
        completeness_error: |sum of the scores - (margin - baseline_margin)|, in logits: 0 if the
            integration were exact.
        num_steps: Points on the integration path.
        num_pieces: Pieces the text was split into.
        num_tokens: Tokens read, special tokens not counted; those in an overlap count twice.
        num_unknown: Those of them that stand for something the model has no word for.
    """

    text: str
    words: tuple[WordScore, ...]
    label: str
    margin: float
    baseline_margin: float
    completeness_error: float
    num_steps: int
    num_pieces: int
    num_tokens: int = 0
    num_unknown: int = 0


@lru_cache
def compile_words() -> re.Pattern[str]:
    """Return what finds words; made when it is first needed, for it takes as long as a short text.

    Vowel signs and accents go with the letter before, joiners are within a word, and punctuation
    that stands together is one.
    """
    marks = "".join(
        sign for sign in map(chr, range(0x300, 0x1E950)) if unicodedata.category(sign)[0] == "M"
    )
    letters = rf"(?:(?![{_SIGN}])\w[{marks}\u200c\u200d]*+)+"
    return re.compile(rf"[{_SIGN}]|{letters}(?:['’-]{letters})*|[^\w\s]+")


def explain_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    label: str | None = None,
) -> Explanation:
    """Attribute a classifier's answer to the words of a text.

    Gradients are integrated along the line from padding tokens to the text's own, in the space of
    the token embeddings. No hooks are set on the model, so others may use it meanwhile.

    Args:
        model: A transformers sequence classifier in evaluation mode; not modified.
        tokenizer: Its fast tokenizer.
        text: What a visitor typed.
        label: The label to explain; None takes the likeliest.

    Returns:
        The explanation. Scores of words read in two overlapping pieces are added with the pieces'
        weights, so the sum is complete for long texts as well.

    Raises:
        InputError: If there is no text, it is longer than `MAX_TOKENS`, or there is no such label.

    Source:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, equation 1 and
        proposition 1 (completeness).
    """
    text = clean_text(text)
    readable = make_readable(tokenizer, [text])[0]
    pieces = split_texts(tokenizer, longest_input(model, tokenizer), [readable.text])[0]
    num_tokens = sum(piece.num_tokens for piece in pieces)
    if num_tokens > MAX_TOKENS:
        raise InputError(
            f"This text has {num_tokens:,} tokens, too many to explain word by word; at most "
            f"{MAX_TOKENS:,} are. Its score is not affected."
        )
    words = [(found.start(), found.end()) for found in compile_words().finditer(text)]
    if not num_tokens or not words:
        raise InputError("There is no word in this text to explain.")
    weights = [piece.num_tokens / num_tokens for piece in pieces]
    target = _find_label(model, pieces, weights, label)

    starts = [readable.origins[start] for start in _token_starts(tokenizer, readable.text)]
    num_steps = FIRST_STEPS
    while True:
        scores = [0.0] * len(words)
        margin = baseline_margin = 0.0
        for piece, weight in zip(pieces, weights, strict=True):
            token_scores, own, baseline = _integrate(model, tokenizer, piece, target, num_steps)
            for offset, score in enumerate(token_scores):
                scores[_word_at(words, starts[piece.first_token + offset])] += weight * score
            margin += weight * own
            baseline_margin += weight * baseline
        error = abs(sum(scores) - (margin - baseline_margin))
        difference = max(abs(margin - baseline_margin), SMALLEST_DIFFERENCE)
        if error <= MAX_RELATIVE_ERROR * difference or num_steps >= LAST_STEPS:
            break
        num_steps *= 2
    return Explanation(
        text=text,
        words=tuple(
            WordScore(text[start:end], start, end, score)
            for (start, end), score in zip(words, scores, strict=True)
        ),
        label=label_names(model)[target],
        margin=margin,
        baseline_margin=baseline_margin,
        completeness_error=error,
        num_steps=num_steps,
        num_pieces=len(pieces),
        num_tokens=num_tokens,
        num_unknown=sum(piece.num_unknown for piece in pieces),
    )


def remove_word(text: str, start: int, end: int) -> str:
    """Give a text without one word, and without the doubled space that would leave.

    Args:
        text: The text.
        start: First character of the word.
        end: One past its last character.

    Returns:
        The rest; may be empty.
    """
    before, after = text[:start], text[end:]
    if before[-1:].isspace() and after[:1].isspace():
        after = after[1:]
    return (before + after).strip()


@on_compute_thread
def _find_label(
    model: PreTrainedModel, pieces: Sequence[Piece], weights: Sequence[float], label: str | None
) -> int:
    names = label_names(model)
    if label is not None:
        if label not in names:
            raise InputError(f"The model has no label {label!r}; it has {', '.join(names)}.")
        return names.index(label)
    with torch.inference_mode():
        probs = [
            weight * model(input_ids=torch.tensor([piece.input_ids])).logits[0].softmax(dim=0)
            for piece, weight in zip(pieces, weights, strict=True)
        ]
    return int(torch.stack(probs).sum(dim=0).argmax())


@on_compute_thread
def _integrate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    piece: Piece,
    target: int,
    num_steps: int,
) -> tuple[list[float], float, float]:
    """Give the score of each token that is not special, the margin, and that of the baseline."""
    from captum.attr import IntegratedGradients

    input_ids = torch.tensor([piece.input_ids])
    # Special tokens stand at the two ends only, and are the same in the baseline.
    num_prefix = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"].index(0)
    content = slice(num_prefix, num_prefix + piece.num_tokens)
    baseline_ids = input_ids.clone()
    baseline_ids[:, content] = tokenizer.pad_token_id or 0
    with torch.no_grad():
        embed = model.get_input_embeddings()
        embeddings, baseline = embed(input_ids), embed(baseline_ids)  # (1, tokens, hidden)

    def margin(inputs_embeds: Tensor) -> Tensor:
        mask = torch.ones(inputs_embeds.shape[:2], dtype=torch.long)
        logits = model(inputs_embeds=inputs_embeds, attention_mask=mask).logits
        others = (logits.sum(dim=1) - logits[:, target]) / (logits.shape[1] - 1)
        return logits[:, target] - others

    attributions = IntegratedGradients(margin).attribute(
        embeddings,
        baselines=baseline,
        n_steps=num_steps,
        internal_batch_size=max(1, PASS_TOKENS // input_ids.shape[1]),
    )
    with torch.no_grad():
        ends = margin(torch.cat([embeddings, baseline])).tolist()
    scores = attributions.sum(dim=2)[0, content].tolist()
    return scores, ends[0], ends[1]


def _token_starts(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
    # Some tokenizers count the space before a word with its first token.
    return [
        next((place for place in range(start, end) if not text[place].isspace()), start)
        for start, end in encoded["offset_mapping"]
    ]


def _word_at(words: Sequence[tuple[int, int]], position: int) -> int:
    # A token that lies in no word, such as a lone mark, counts with the word before it.
    return max(bisect_right(words, position, key=lambda word: word[0]) - 1, 0)
