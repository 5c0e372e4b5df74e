"""Sentences as batches of token ids: like lengths together, a new draw every epoch."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

MAX_TOKENS = 128
EVAL_BATCH_SIZE = 64


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Turn texts into token ids, with the special tokens, at most `MAX_TOKENS` each.

    Args:
        tokenizer: The tokenizer.
        texts: The texts.

    Returns:
        One list of ids for each text.
    """
    ids: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)[
        "input_ids"
    ]
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


def draw_epoch(
    spelled: Sequence[Sequence[list[int]]],
    labels: Sequence[int],
    batch_size: int,
    join_share: float,
    rng: random.Random,
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Draw one epoch: a spelling for each sentence, some sentences joined, like lengths together.

    Args:
        spelled: For each spelling, the token ids of every sentence.
        labels: The label of every sentence.
        batch_size: Sentences in a batch.
        join_share: Chance that a sentence is followed by another one, if that has its label.
        rng: Decides all of it.

    Returns:
        Batches of int64 `input_ids` (batch, tokens), `attention_mask` (batch, tokens) and labels
        (batch,), in random order.
    """
    sentences: list[tuple[list[int], int]] = []
    for index, label in enumerate(labels):
        ids = rng.choice(spelled)[index]
        if rng.random() < join_share:
            other = rng.randrange(len(labels))
            if labels[other] == label:
                ids = (ids[:-1] + rng.choice(spelled)[other][1:])[:MAX_TOKENS]
        sentences.append((ids, label))
    # A little noise on the length gives every epoch other batches.
    sentences.sort(key=lambda sentence: len(sentence[0]) + rng.uniform(0, 3))
    batches = []
    for start in range(0, len(sentences), batch_size):
        chosen = sentences[start : start + batch_size]
        input_ids, attention_mask = pad([ids for ids, _ in chosen])
        batches.append((input_ids, attention_mask, torch.tensor([label for _, label in chosen])))
    rng.shuffle(batches)
    return batches


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
