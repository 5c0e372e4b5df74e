"""Forms of a model, each with the file that it is stored in and what runs it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from foundry.compression import Footprint, LayerChange, footprint
from foundry.models import WEIGHTS_FILE, save_model
from foundry.quantization import count_zero_weights, list_changes
from foundry.runtime import OpenVinoPredictor, Predictor, TorchPredictor
from foundry.variant_cache import pack
from foundry.variants import SIGNATURES

if TYPE_CHECKING:
    import openvino as ov

PYTORCH, OPENVINO = "PyTorch", "OpenVINO"


@dataclass(frozen=True)
class Form:
    """One form of a model, ready to be measured.

    Attributes:
        name: What the table calls it.
        engine: What runs it.
        predict: Inputs to logits.
        footprint: Its parameters, and its file on disk.
        file: That file.
        changes: What became of each layer; empty if nothing was changed.
    """

    name: str
    engine: str
    predict: Predictor
    footprint: Footprint
    file: Path
    changes: tuple[LayerChange, ...] = ()


class _Bfloat16Predictor(TorchPredictor):
    """A network whose weights and activations are bfloat16."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32, on the CPU."""
        return super().__call__(*(t.bfloat16() if t.is_floating_point() else t for t in inputs))


def store_network(
    name: str, model: nn.Module, folder: Path, changes: Sequence[LayerChange] = ()
) -> Form:
    """Write a digit network as safetensors in float32.

    Args:
        name: Names the form and its folder.
        model: In evaluation mode.
        folder: Where forms are kept.
        changes: What became of each layer.
    """
    save_model(model, folder / name)
    file = folder / name / WEIGHTS_FILE
    return Form(name, PYTORCH, TorchPredictor(model), footprint(model, file), file, tuple(changes))


def store_bfloat16(name: str, model: nn.Module, folder: Path) -> Form:
    """Write a digit network in bfloat16; the one that is given is not modified."""
    save_model(model, folder / name, dtype=torch.bfloat16)
    file = folder / name / WEIGHTS_FILE
    predict = _Bfloat16Predictor(copy.deepcopy(model).bfloat16())
    return Form(name, PYTORCH, predict, footprint(model, file), file)


def store_compiled(
    name: str, compiled: ov.Model, model: nn.Module, task: str, folder: Path
) -> Form:
    """Write an OpenVINO model as one zip file.

    Args:
        name: Names the form and its file.
        compiled: The OpenVINO model.
        model: The network that it was made from.
        task: What the network serves.
        folder: Where forms are kept.
    """
    file = folder / f"{name}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pack(compiled))
    own = footprint(model, file)
    zeros = count_zero_weights(compiled)
    return Form(
        name=name,
        engine=OPENVINO,
        predict=OpenVinoPredictor(compiled),
        footprint=Footprint(own.parameters, own.nonzeros - zeros, own.size_bytes),
        file=file,
        changes=list_changes(compiled, SIGNATURES[task]),
    )
