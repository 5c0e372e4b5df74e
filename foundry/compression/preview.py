"""What pruning will do to a network, before anything is compressed; and where parameters are."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import nn

from foundry.compression.pruning import RankedLayer, prune
from foundry.compression.recovery import NUM_JUDGED
from foundry.data import DataSet, normalize
from foundry.models.networks import count_parameters
from foundry.training.evaluation import evaluate

# Enough to see what is lost, in a fifth of the time that all of the validation split takes.
NUM_READ = 1_000


@dataclass(frozen=True)
class PruningPreview:
    """What pruning does, before anything recovers.

    Attributes:
        layers: What is removed from each layer that can lose something.
        parameters: Before.
        parameters_left: After.
        accuracy: On `num_images` validation images before, in [0, 1].
        accuracy_left: The same after.
        num_images: How many were read.
    """

    layers: tuple[RankedLayer, ...]
    parameters: int
    parameters_left: int
    accuracy: float
    accuracy_left: float
    num_images: int


@dataclass(frozen=True)
class Part:
    """Part of a network.

    Attributes:
        name: Of its modules, such as `encoder.layer.0`.
        parameters: How many it has.
    """

    name: str
    parameters: int


def preview_pruning(dense: nn.Module, pruning_ratio: float, data: DataSet) -> PruningPreview:
    """Prune a copy as a compression will, and read some images with it.

    Args:
        dense: A LeNet or CNN; not modified.
        pruning_ratio: As `prune()` takes it.
        data: What it learned: training images judge, validation images are read.

    Raises:
        InputError: As `prune()` does.
    """
    judged, val = data.train.head(NUM_JUDGED), data.val.head(NUM_READ)
    pruned = prune(dense, pruning_ratio, normalize(judged.images), judged.labels)
    return PruningPreview(
        layers=pruned.ranked,
        parameters=count_parameters(dense),
        parameters_left=count_parameters(pruned.model),
        accuracy=evaluate(dense, val).accuracy,
        accuracy_left=evaluate(pruned.model, val).accuracy,
        num_images=len(val),
    )


def list_parts(weights: Path) -> list[Part]:
    """Return where a model's parameters are, in the order of its layers, without loading it.

    Args:
        weights: A safetensors file.
    """
    with safe_open(weights, framework="pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    sizes: dict[str, int] = {}
    for name in sorted(shapes, key=_place):
        part = _name_part(name)
        sizes[part] = sizes.get(part, 0) + math.prod(shapes[name])
    return [Part(name, size) for name, size in sizes.items()]


def _name_part(name: str) -> str:
    """Return the numbered module that a parameter belongs to, or what it is part of."""
    numbered = re.match(r"(.*?\.\d+)\.", name)
    return numbered[1] if numbered else ".".join(name.split(".")[:-1][:2]) or name


_ORDER = (
    "embeddings",
    "feature_extractor",
    "feature_projection",
    "",
    "pooler",
    "classifier",
    "lm_head",
)


def _place(name: str) -> tuple[int, list[tuple[int, str]]]:
    found = [place for place, part in enumerate(_ORDER) if part and part in name]
    number = [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
    return (found[0] if found else _ORDER.index("")), number
