"""How well an answer is explained, and how much accuracy attacks leave each preset."""

from typing import Any

from torch import nn
from tqdm import tqdm

from foundry.data import load_mnist
from foundry.digits.attack import measure_robustness
from foundry.digits.explanation import explain_digit
from foundry.models.attacks.perturbing import METHODS
from foundry.training import TrainState, train
from foundry.training.config import PRESETS

_NUM_EXPLAINED = 100
_NUM_ATTACKED = 1_000
_EPSILON = 0.2
_TRAINED = ("Fast: 99% in seconds", "Robust")


def measure_attacks(shipped: nn.Module) -> dict[str, Any]:
    """Explain test digits with the shipped network, and attack a run of each preset.

    Args:
        shipped: The network that is explained.

    Returns:
        `worst_completeness_error`, a share of the difference of logits, of `num_explained` digits;
        `accuracy`, preset -> attack -> share of `num_attacked` digits that are read all the same.
    """
    mnist = load_mnist()
    images = mnist.test.images[:_NUM_EXPLAINED].numpy()
    errors = [explain_digit(shipped, image).relative_error for image in tqdm(images, "explaining")]
    attacked = mnist.test.head(_NUM_ATTACKED)
    accuracy: dict[str, dict[str, float]] = {}
    for preset in tqdm(_TRAINED, "presets"):
        state = TrainState(PRESETS[preset])
        # Of their last epochs: neither preset stops early.
        for _ in train(state, mnist):
            pass
        model = state.model.eval().requires_grad_(False)
        accuracy[preset] = {}
        for method in METHODS:
            *_, last = measure_robustness(model, attacked, method, [_EPSILON])
            accuracy[preset][method] = last.accuracies[0]
    return {
        "worst_completeness_error": max(errors),
        "num_explained": _NUM_EXPLAINED,
        "accuracy": accuracy,
        "num_attacked": _NUM_ATTACKED,
        "epsilon": _EPSILON,
    }


def report_attacks(figures: dict[str, Any]) -> list[str]:
    """Return the figures as lines of the report."""
    rows = [
        f"{preset + ', ' + method.upper():32}{share:>8.1%}"
        for preset, shares in figures["accuracy"].items()
        for method, share in shares.items()
    ]
    return [
        f"Completeness error of {figures['num_explained']} explanations: at most "
        f"{figures['worst_completeness_error']:.2%} of the difference of logits.",
        f"Read all the same of {figures['num_attacked']:,} test digits, attacked with epsilon "
        f"{figures['epsilon']}, by a run of each preset:",
        *rows,
    ]
