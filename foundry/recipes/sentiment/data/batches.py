"""Texts as batches of token ids: like lengths together, a new draw every epoch."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from foundry.recipes.sentiment.data.corpus import (
    EDITORIALS,
    LABELS,
    PHRASES,
    PRODUCT_REVIEWS,
    REVIEW_SENTENCES,
    SST2,
    TWEETS,
    Example,
)
from foundry.recipes.sentiment.data.rules import draw_pair
from foundry.recipes.sentiment.data.spelling import respell, vary
from foundry.sentiment.readable import make_readable

MAX_TOKENS = 128
EVAL_BATCH_SIZE = 64

# The treebank's phrases are two thirds of all examples, and no domain is to be learnt by heart.
SHARES = {
    SST2: 0.14,
    PHRASES: 0.44,
    PRODUCT_REVIEWS: 0.07,
    REVIEW_SENTENCES: 0.05,
    TWEETS: 0.22,
    EDITORIALS: 0.08,
}


@dataclass(frozen=True)
class DrawConfig:
    """How an epoch is made of examples.

    Attributes:
        epoch_size: Examples in an epoch, of each domain as many as `SHARES` says.
        batch_size: Texts in a batch.
        join_share: Share of examples joined to another of the same label, in [0, 1], so that texts
            of several sentences are in domain.
        pair_share: Share of examples that are in their batch twice, in [0, 1]: in other spellings,
            with other names, behind other dropout.
        rules_share: Texts made by rule, over the examples of the epoch.
    """

    epoch_size: int = 6_000
    batch_size: int = 64
    join_share: float = 0.05
    pair_share: float = 0.15
    rules_share: float = 0.05


@dataclass(frozen=True)
class Batch:
    """Texts of like length, some of them with another that is to have the same answer.

    Attributes:
        input_ids: int64 (texts, tokens).
        attention_mask: int64 (texts, tokens).
        labels: int64 (texts,).
        told: float32 (texts, labels): a teacher's probabilities, or the label's alone where none
            was asked.
        has_partner: bool (texts,).
        partner_ids: int64 (texts, tokens of the longest partner); meaningless without a partner.
        partner_mask: int64, as `partner_ids`.
    """

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    told: Tensor
    has_partner: Tensor
    partner_ids: Tensor
    partner_mask: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: slice) -> "Batch":
        """Return some of the texts."""
        return Batch(*(getattr(self, field.name)[rows] for field in fields(self)))


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Turn texts into token ids, with the special tokens, at most `MAX_TOKENS` each.

    Args:
        tokenizer: The tokenizer.
        texts: The texts; respelled in signs that the tokenizer has, as the app does.

    Returns:
        One list of ids for each text.
    """
    readable = [one.text for one in make_readable(tokenizer, texts)]
    ids: list[list[int]] = tokenizer(readable, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    return ids


def predict_logits(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> Tensor:
    """Score texts in batches of like length.

    Args:
        model: The classifier; left in evaluation mode.
        tokenizer: Its tokenizer.
        texts: The texts.

    Returns:
        float32 logits of shape (texts, labels), in the order of `texts`.
    """
    model.eval()
    encoded = encode(tokenizer, texts)
    by_length = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    rows: list[Tensor] = [torch.empty(0)] * len(encoded)
    with torch.inference_mode():
        for start in range(0, len(by_length), EVAL_BATCH_SIZE):
            chosen = by_length[start : start + EVAL_BATCH_SIZE]
            input_ids, attention_mask = pad([encoded[index] for index in chosen])
            logits = model(input_ids=input_ids, attention_mask=attention_mask).logits.float()
            for index, row in zip(chosen, logits, strict=True):
                rows[index] = row
    return torch.stack(rows)


def draw_examples(
    train: Sequence[Example], num_examples: int, seed: int, epoch: int
) -> list[Example]:
    """Draw the examples of one epoch: so many of each domain, all of them in turn.

    Args:
        train: Examples of any domains; one that `SHARES` does not name has as much of the epoch as
            it is of these.
        num_examples: How many to draw.
        seed: Of the order.
        epoch: From 0; the next epoch goes on where this one ends.

    Returns:
        The examples, in no order that matters.
    """
    by_domain: dict[str, list[Example]] = defaultdict(list)
    for example in train:
        by_domain[example.domain].append(example)
    weights = {
        domain: SHARES.get(domain, len(some) / len(train)) for domain, some in by_domain.items()
    }
    drawn = []
    for domain, some in by_domain.items():
        size = max(1, round(num_examples * weights[domain] / sum(weights.values())))
        first = epoch * size
        orders: dict[int, list[Example]] = {}
        for place in range(first, first + size):
            turn, position = divmod(place, len(some))
            if turn not in orders:
                orders[turn] = some.copy()
                random.Random(f"{seed}/{domain}/{turn}").shuffle(orders[turn])
            drawn.append(orders[turn][position])
    return drawn


def draw_batches(
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    config: DrawConfig,
    rng: random.Random,
) -> list[Batch]:
    """Make one epoch's batches: some texts joined, some twice in other words, alike in length.

    Args:
        tokenizer: The tokenizer.
        examples: Those of the epoch.
        config: How.
        rng: Decides all of it.

    Returns:
        Batches in random order.
    """
    by_label: dict[int, list[Example]] = defaultdict(list)
    for example in examples:
        by_label[example.label].append(example)
    rows: list[tuple[str, str, int, Tensor]] = []
    for example in examples:
        text, told = example.text, _told(example)
        if rng.random() < config.join_share:
            other = rng.choice(by_label[example.label])
            text, told = f"{text} {other.text}", (told + _told(other)) / 2
        partner = vary(text, rng) if rng.random() < config.pair_share else ""
        rows.append((vary(text, rng), partner, example.label, told))
    for _ in range(round(config.rules_share * len(examples))):
        made, partner = draw_pair(rng)
        rows.append((respell(made.text, rng), respell(partner, rng), made.label, _told(made)))
    texts = encode(tokenizer, [text for text, _, _, _ in rows])
    partners = encode(tokenizer, [partner for _, partner, _, _ in rows])
    # A little noise on the length gives every epoch other batches.
    order = sorted(range(len(rows)), key=lambda row: len(texts[row]) + rng.uniform(0, 3))
    batches = []
    for start in range(0, len(order), config.batch_size):
        chosen = order[start : start + config.batch_size]
        input_ids, attention_mask = pad([texts[row] for row in chosen])
        partner_ids, partner_mask = pad([partners[row] for row in chosen])
        batches.append(
            Batch(
                input_ids=input_ids,
                attention_mask=attention_mask,
                labels=torch.tensor([rows[row][2] for row in chosen]),
                told=torch.stack([rows[row][3] for row in chosen]),
                has_partner=torch.tensor([bool(rows[row][1]) for row in chosen]),
                partner_ids=partner_ids,
                partner_mask=partner_mask,
            )
        )
    rng.shuffle(batches)
    return batches


def _told(example: Example) -> Tensor:
    if example.told is not None:
        return torch.tensor(example.told)
    return torch.tensor([float(label == example.label) for label in LABELS])


def pad(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Make sequences of token ids one batch.

    Args:
        sequences: At least one, of any lengths.

    Returns:
        int64 `input_ids` and `attention_mask`, both (sequences, longest).
    """
    # BERT's padding id is 0, and so is the mask's.
    length = max(len(sequence) for sequence in sequences)
    input_ids = torch.zeros(len(sequences), length, dtype=torch.long)
    attention_mask = torch.zeros_like(input_ids)
    for row, sequence in enumerate(sequences):
        input_ids[row, : len(sequence)] = torch.tensor(sequence)
        attention_mask[row, : len(sequence)] = 1
    return input_ids, attention_mask
