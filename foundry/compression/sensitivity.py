"""How much each layer bears: one at a time is pruned or quantized, and the rest left alone."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from torch import nn

from foundry.compression.pruning import prunable_layers, prune
from foundry.data import DataSet, Split, normalize
from foundry.models.calibration import digit_samples
from foundry.models.quantization import Sample, quantize
from foundry.models.runtime import OpenVinoPredictor
from foundry.models.variants import SIGNATURES
from foundry.training.evaluation import evaluate

PRUNED, INT8 = "pruned", "int8"


@dataclass(frozen=True)
class Sensitivity:
    """What one layer's change costs, before anything recovers.

    Attributes:
        layer: Its name.
        change: `pruned` or `int8`.
        accuracy_loss: Validation accuracy of the dense network less that of the changed one.
    """

    layer: str
    change: str
    accuracy_loss: float


def sense_layers(
    dense: nn.Module, pruning_ratio: float, data: DataSet
) -> Generator[tuple[float, str], None, list[Sensitivity]]:
    """Change one layer at a time.

    Args:
        dense: A digit network; not modified.
        pruning_ratio: Share of the channels or neurons taken out of the layer, by the size of
            their weights.
        data: What it learned: training images calibrate int8, validation images judge.

    Yields:
        The share done, in [0, 1], with a sentence.

    Returns:
        Both changes of every layer that can be changed so.
    """
    val, samples = data.val, digit_samples(data.train)
    layers = [
        name for name, module in dense.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    accuracy = evaluate(dense, val).accuracy
    found = []
    for index, layer in enumerate(layers):
        yield index / len(layers), f"{layer} alone is pruned, then quantized"
        if layer in prunable_layers(dense):
            pruned = prune(dense, {layer: pruning_ratio}).model
            loss = accuracy - evaluate(pruned, val).accuracy
            found.append(Sensitivity(layer, PRUNED, loss))
        kept = keep_others(layer, layers)
        found.append(Sensitivity(layer, INT8, accuracy - _int8_accuracy(dense, kept, samples, val)))
    return found


def keep_others(layer: str, layers: Sequence[str]) -> dict[str, str]:
    """Return patterns of all layers but one, each with the reason why it stays in float32.

    Args:
        layer: The one.
        layers: All.
    """
    # Products inside attention belong to no layer.
    others = [rf".*\b{re.escape(name)}/.*" for name in layers if name != layer]
    return dict.fromkeys([*others, r".*aten::matmul.*"], "another layer's turn")


def _int8_accuracy(
    dense: nn.Module, kept: dict[str, str], samples: Sequence[Sample], val: Split
) -> float:
    signature = replace(SIGNATURES["digits"], kept=kept)
    predict = OpenVinoPredictor(quantize(dense, signature, samples))
    return (predict(normalize(val.images)).argmax(1) == val.labels).double().mean().item()
