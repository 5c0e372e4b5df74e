"""BERT as a classifier, without what its answer does not need.

The answer is read from the first token alone, so the last layer computes nothing else. The logits
are the network's own but for the order of float32 sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Number of the layer, query, key and value -> what each query takes along.
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


def is_bert_classifier(model: nn.Module) -> bool:
    """Return whether `run_bert()` can run a network."""
    from transformers import BertForSequenceClassification

    config: Any = getattr(model, "config", None)
    return type(model) is BertForSequenceClassification and not config.is_decoder


def run_bert(
    model: Any,
    input_ids: Tensor,
    positions: Tensor,
    take_first: Callable[[Tensor], Tensor],
    attend: Attend,
) -> Tensor:
    """Run BERT's layers.

    Args:
        model: As `is_bert_classifier()` accepts it, in evaluation mode.
        input_ids: Int64, in any arrangement of the tokens of the texts (...).
        positions: Of each token in its text, int64 that broadcasts to the ids.
        take_first: From (..., hidden) to that of the first token of each text.
        attend: Lets the tokens of each text attend to one another; in the last layer the queries
            are those of the first tokens.

    Returns:
        The logits (..., labels) of what `take_first` gives.

    Source: transformers, models/bert/modeling_bert.py, of which this is the inference path.
    """
    embeddings = model.bert.embeddings
    hidden = embeddings.word_embeddings(input_ids) + embeddings.position_embeddings(positions)
    hidden = embeddings.LayerNorm(hidden + embeddings.token_type_embeddings.weight[0])
    layers = model.bert.encoder.layer
    for index, layer in enumerate(layers):
        attention = layer.attention.self
        key, value = attention.key(hidden), attention.value(hidden)
        if index == len(layers) - 1:
            hidden = take_first(hidden)
        mixed = attend(index, attention.query(hidden), key, value)
        hidden = layer.attention.output(mixed, hidden)
        hidden = layer.output(layer.intermediate(hidden), hidden)
    pooled = torch.tanh(model.bert.pooler.dense(hidden))
    logits: Tensor = model.classifier(pooled)
    return logits


class _Attention(nn.Module):
    """The products inside attention; a module, by whose name they are found in a graph."""

    def __init__(self, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads

    def forward(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
        """Return (texts, queries, hidden)."""
        q, k, v = (
            tensor.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for tensor in (query, key, value)
        )
        heads = F.scaled_dot_product_attention(q, k, v, allowed)  # (texts, heads, queries, head)
        return heads.transpose(1, 2).flatten(2)


class PaddedBert(nn.Module):
    """Runs a BERT on padded texts; from ids and mask, int64 (texts, tokens), to logits."""

    def __init__(self, model: nn.Module) -> None:
        """Take the network.

        Args:
            model: As `run_bert()` takes it; not modified.
        """
        super().__init__()
        self.model = model
        config: Any = model.config
        num_layers, num_heads = config.num_hidden_layers, config.num_attention_heads
        self.attention = nn.ModuleList(_Attention(num_heads) for _ in range(num_layers))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the logits (texts, labels)."""
        input_ids, attention_mask = inputs
        allowed = attention_mask.bool()[:, None, None, :]  # (texts, heads, queries, tokens)
        first = run_bert(
            self.model,
            input_ids,
            positions=torch.arange(input_ids.shape[1]),
            take_first=lambda hidden: hidden[:, :1],
            attend=lambda index, *qkv: self.attention[index](*qkv, allowed),
        )
        return first.squeeze(1)
