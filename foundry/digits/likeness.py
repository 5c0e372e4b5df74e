"""How much a picture looks like a digit to a network, and below what it does not."""

from weakref import WeakKeyDictionary

import numpy as np
import torch

from foundry.data import load_mnist
from foundry.models.runtime import Predictor, compute_logits

# The share of MNIST's validation digits that count as digits.
KEPT = 0.99

_thresholds: WeakKeyDictionary[Predictor, tuple[float, float]] = WeakKeyDictionary()


def score_likeness(logits: torch.Tensor) -> np.ndarray:
    """Return the free energy of every answer: high if some digit has much evidence for it.

    Args:
        logits: float32 (N, 10).

    Returns:
        float32 (N,).

    Source: Liu et al., Energy-based out-of-distribution detection, 2020.
    """
    energies: np.ndarray = logits.logsumexp(dim=1).numpy()
    return energies


def find_threshold(model: Predictor) -> tuple[float, float]:
    """Return the score that 99% of MNIST's validation digits reach, and the middle one.

    Half a second the first time a model is asked for, then known for as long as it is loaded.

    Args:
        model: A digit classifier giving logits (N, 10).
    """
    if model not in _thresholds:
        _thresholds[model] = _measure(model)
    return _thresholds[model]


def _measure(model: Predictor) -> tuple[float, float]:
    scores = score_likeness(compute_logits(model, load_mnist().val.images))
    lowest, middle = np.quantile(scores, [1 - KEPT, 0.5])
    return float(lowest), float(middle)
