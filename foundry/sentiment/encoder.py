"""Token ids -> logits: through BERT laid end to end, through any other network padded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from foundry.models.networks.bert import is_bert_classifier, run_bert
from foundry.models.runtime import Predictor, on_compute_thread, on_narrow_thread

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Maps texts, each the ids of its tokens with special ones included, to logits (texts, labels).
PredictLogits = Callable[[Sequence[Sequence[int]]], Tensor]

_WIDTH_STEP = 8
# A batch that one core computes as soon as two, if anything else goes on, and for less.
_SHORT_TOKENS = 32


def build_predictor(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, compiled: Predictor | None = None
) -> PredictLogits:
    """Make one call of a network.

    Args:
        model: A transformers classifier in evaluation mode; not modified.
        tokenizer: Its tokenizer; says how to pad.
        compiled: What runs in its place: from ids and mask to logits.

    Returns:
        The call. Without `compiled` it gives the network's own logits but for the order of float32
        sums.
    """
    config: Any = model.config
    is_packable = is_bert_classifier(model)

    def predict_logits(texts: Sequence[Sequence[int]]) -> Tensor:
        with torch.inference_mode():
            if compiled:
                return compiled(*_pad(texts, tokenizer.pad_token_id or 0, _bucket(texts, config)))
            if is_packable:
                return _run_packed(model, texts)
            return _run_padded(model, texts, tokenizer.pad_token_id or 0)

    narrow, wide = on_narrow_thread(predict_logits), on_compute_thread(predict_logits)
    return lambda texts: (narrow if sum(map(len, texts)) <= _SHORT_TOKENS else wide)(texts)


def _bucket(texts: Sequence[Sequence[int]], config: Any) -> int:
    """Return the width to pad to: OpenVINO prepares anew for every width that it has not seen."""
    longest = max(map(len, texts))
    width = math.ceil(longest / _WIDTH_STEP) * _WIDTH_STEP
    limit = getattr(config, "max_position_embeddings", None) or width
    return max(longest, min(width, limit))


def _pad(texts: Sequence[Sequence[int]], pad_id: int, width: int) -> tuple[Tensor, Tensor]:
    """Return ids and mask, int64 (texts, width)."""
    input_ids = torch.tensor([[*text, *[pad_id] * (width - len(text))] for text in texts])
    lengths = torch.tensor([len(text) for text in texts])
    return input_ids, (torch.arange(width) < lengths[:, None]).long()


def _run_padded(model: PreTrainedModel, texts: Sequence[Sequence[int]], pad_id: int) -> Tensor:
    input_ids, mask = _pad(texts, pad_id, max(map(len, texts)))
    # Without padding no mask, which spares the network the work of applying it.
    needed = None if mask.all() else mask
    logits: Tensor = model(input_ids=input_ids, attention_mask=needed).logits
    return logits.float()


def _run_packed(model: Any, texts: Sequence[Sequence[int]]) -> Tensor:
    """Run BERT's layers over all tokens of all texts as one matrix (tokens, hidden).

    Nothing is computed for padding.
    """
    lengths = [len(text) for text in texts]
    # Neighbours of equal length share one call of attention: (texts, tokens in each).
    runs = [(len(list(run)), length) for length, run in groupby(lengths)]
    first_tokens = torch.tensor([0, *lengths[:-1]]).cumsum(0)
    logits = run_bert(
        model,
        input_ids=torch.tensor([token for text in texts for token in text]),
        positions=torch.cat([torch.arange(length).repeat(count) for count, length in runs]),
        take_first=lambda hidden: hidden[first_tokens],
        attend=partial(_attend, runs, model.config.num_attention_heads),
    )
    return logits.float()


def _attend(
    runs: Sequence[tuple[int, int]],
    num_heads: int,
    _: int,
    query: Tensor,
    key: Tensor,
    value: Tensor,
) -> Tensor:
    """Let the tokens of each text attend to one another: (tokens, hidden) -> (queries, hidden)."""
    mixed: list[Tensor] = []
    asked = told = 0
    one_query = len(query) < len(key)
    for count, length in runs:
        num_queries = count if one_query else count * length
        q, k, v = (
            tensor.view(count, -1, num_heads, tensor.shape[1] // num_heads).transpose(1, 2)
            for tensor in (
                query[asked : asked + num_queries],
                key[told : told + count * length],
                value[told : told + count * length],
            )
        )
        heads = F.scaled_dot_product_attention(q, k, v)  # (texts, heads, queries, head)
        mixed.append(heads.transpose(1, 2).reshape(num_queries, -1))
        asked, told = asked + num_queries, told + count * length
    return torch.cat(mixed)
