"""Variants of a model, each with the file that it is stored in and what runs it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from foundry.compression.measurement.footprint import Footprint, LayerChange, footprint
from foundry.compression.measurement.quantized_layers import count_zero_weights, list_changes
from foundry.models import load_model, save_model
from foundry.models.cache import pack, unpack
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.models.pretrained import load_folder
from foundry.models.runtime import OpenVinoPredictor, Predictor, TorchPredictor
from foundry.models.variants import SIGNATURES

if TYPE_CHECKING:
    import openvino as ov

PYTORCH, OPENVINO = "PyTorch", "OpenVINO"
Kind = Literal["float32", "bfloat16", "compiled"]


@dataclass(frozen=True)
class Source:
    """Where a variant can be loaded from, by any process.

    Attributes:
        kind: A network in float32 or bfloat16, or a compiled model.
        task: `digits`, `sentiment` or `speech`.
        path: The network's folder, or the compiled model's zip file.
    """

    kind: Kind
    task: str
    path: Path


@dataclass(frozen=True)
class StoredVariant:
    """One variant of a model, ready to be measured.

    Attributes:
        name: What the table calls it.
        engine: What runs it.
        predict: Inputs to logits.
        footprint: Its parameters, and its file on disk.
        source: Where it is loaded from.
        changes: What became of each layer; empty if nothing was changed.
        card_quality: What its model card states, in [0, 1]; None without such a figure.
    """

    name: str
    engine: str
    predict: Predictor
    footprint: Footprint
    source: Source
    changes: tuple[LayerChange, ...] = ()
    card_quality: float | None = None


class _Bfloat16Predictor(TorchPredictor):
    """A network whose weights and activations are bfloat16."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32, on the CPU."""
        return super().__call__(*(t.bfloat16() if t.is_floating_point() else t for t in inputs))


def store_network(
    name: str, model: nn.Module, folder: Path, changes: Sequence[LayerChange] = ()
) -> StoredVariant:
    """Write a digit network as safetensors in float32.

    Args:
        name: Names the variant.
        model: In evaluation mode.
        folder: The variant's own.
        changes: What became of each layer.
    """
    save_model(model, folder)
    weight = footprint(model, folder / WEIGHTS_FILE)
    source = Source("float32", "digits", folder)
    return StoredVariant(name, PYTORCH, TorchPredictor(model), weight, source, tuple(changes))


def weigh_pretrained(
    name: str, model: nn.Module, task: str, shipped: Path, folder: Path
) -> StoredVariant:
    """Describe a transformers model as it ships; its file is weighed as float32.

    Args:
        name: Names the variant.
        model: In evaluation mode.
        task: What it serves.
        shipped: Its folder.
        folder: Where there is room to write.
    """
    weight = _weigh(model, torch.float32, folder)
    return StoredVariant(
        name, PYTORCH, TorchPredictor(model), weight, Source("float32", task, shipped)
    )


def make_bfloat16(name: str, dense: StoredVariant, model: nn.Module, folder: Path) -> StoredVariant:
    """Convert a network to bfloat16; the one that is given is not modified.

    Args:
        name: Names the variant.
        dense: The variant that it is made from.
        model: Its network.
        folder: Where there is room to write.
    """
    predict = _Bfloat16Predictor(copy.deepcopy(model).bfloat16())
    source = Source("bfloat16", dense.source.task, dense.source.path)
    return StoredVariant(name, PYTORCH, predict, _weigh(model, torch.bfloat16, folder), source)


def store_compiled(
    name: str, compiled: ov.Model, model: nn.Module, task: str, folder: Path
) -> StoredVariant:
    """Write an OpenVINO model as one zip file.

    Args:
        name: Names the variant and its file.
        compiled: The OpenVINO model.
        model: The network that it was made from.
        task: What the network serves.
        folder: Where variants are kept.
    """
    file = folder / f"{name}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pack(compiled))
    own = footprint(model, file)
    changes = list_changes(compiled, SIGNATURES[task])
    return StoredVariant(
        name=name,
        engine=OPENVINO,
        predict=OpenVinoPredictor(compiled),
        footprint=Footprint(
            own.parameters, own.nonzeros - count_zero_weights(compiled), own.size_bytes
        ),
        source=Source("compiled", task, file),
        # Converted and no more: nothing was to be changed, so no layer needs an excuse.
        changes=changes if any(change.is_changed for change in changes) else (),
    )


@lru_cache(maxsize=16)
def load_shared(source: Source) -> Predictor:
    """Load a variant as `load_source()` does, once for all who ask; the last few are kept."""
    return load_source(source)


def load_source(source: Source) -> Predictor:
    """Load a variant that was stored.

    Args:
        source: Where it is.
    """
    if source.kind == "compiled":
        return OpenVinoPredictor(unpack(source.path.read_bytes()))
    if source.task == "digits":
        model = load_model(source.path)
    else:
        model = load_folder(source.path.name, source.task, source.path).model
    if source.kind == "bfloat16":
        return _Bfloat16Predictor(copy.deepcopy(model).bfloat16())
    return TorchPredictor(model)


def _weigh(model: nn.Module, dtype: torch.dtype, folder: Path) -> Footprint:
    """Write the weights, look at the file, and remove it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"weighed-{WEIGHTS_FILE}"
    weights = {name: t.detach().to(dtype).clone() for name, t in model.state_dict().items()}
    save_file(weights, file)
    try:
        return footprint(model, file)
    finally:
        file.unlink()
