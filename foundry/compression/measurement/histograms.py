"""Weights before and after: one histogram a variant, over the same bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foundry.compression.measurement.footprint import effective_weights
from foundry.compression.measurement.quantized_layers import list_int8_weights
from foundry.compression.measurement.stored import StoredVariant
from foundry.models.runtime import OpenVinoPredictor, TorchPredictor

_NUM_BINS = 61
# A few far-off weights must not squeeze all others into a handful of bins.
_SHOWN_SHARE = 99.8


@dataclass(frozen=True)
class Histogram:
    """How one variant's weights are spread; biases and the like left out.

    Attributes:
        form: The variant's name.
        limit: The bins, all of one width, go from minus this to this.
        shares: Of the weights in each bin; the rest lies outside.
        zeros: Share of weights that are exactly zero.
    """

    form: str
    limit: float
    shares: tuple[float, ...]
    zeros: float


def count_weights(variants: Sequence[StoredVariant]) -> list[Histogram]:
    """Return histograms of the variants whose weights differ from dense.

    Args:
        variants: Dense is the first; those that only run elsewhere or in bfloat16 are left out.
    """
    weights = {
        variant.name: found for variant in variants if (found := _weights(variant)) is not None
    }
    dense = next(iter(weights.values()))
    limit = float(np.percentile(np.abs(dense), _SHOWN_SHARE))
    edges = np.linspace(-limit, limit, _NUM_BINS + 1)
    return [
        Histogram(
            form=name,
            limit=limit,
            shares=tuple((np.histogram(values, edges)[0] / values.size).tolist()),
            zeros=float((values == 0).mean()),
        )
        for name, values in weights.items()
    ]


def _weights(variant: StoredVariant) -> np.ndarray | None:
    if isinstance(variant.predict, OpenVinoPredictor):
        found = list_int8_weights(variant.predict.model)
    elif isinstance(variant.predict, TorchPredictor) and variant.source.kind == "float32":
        tensors = effective_weights(variant.predict.model).values()
        found = [tensor.numpy() for tensor in tensors if tensor.dim() > 1]
    else:
        return None
    return np.concatenate([values.ravel() for values in found]) if found else None
