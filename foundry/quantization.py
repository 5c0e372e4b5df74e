"""Quantization: a PyTorch network -> an OpenVINO model, in float32 or calibrated to int8."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from foundry.bert import PaddedBert, is_bert_classifier
from foundry.compression import LayerChange
from foundry.runtime import load_openvino

if TYPE_CHECKING:
    import openvino as ov

OnProgress = Callable[[float, str], None]
Sample = tuple[Tensor, ...]

# Shares of the work, roughly: conversion, calibration; the rest is the correction of biases.
_CONVERTED, _CALIBRATED = 0.2, 0.8
# Tracing patches torch for all threads, and NNCF keeps its settings in globals.
_lock = threading.Lock()


@dataclass(frozen=True)
class Signature:
    """What a network is called with.

    Attributes:
        names: Of its inputs, in order.
        shapes: Of its inputs; -1 where a length varies.
        is_transformer: Whether attention is to be quantized as such.
        kept: Patterns of layer names that stay in float32, each with the reason.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    is_transformer: bool
    kept: Mapping[str, str]


class _ByPosition(nn.Module):
    """Gives a transformers model its inputs by position and takes its logits."""

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, tuple(names)

    def forward(self, *inputs: Tensor) -> Tensor:
        logits: Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits


def by_position(model: nn.Module, signature: Signature) -> nn.Module:
    """Return a network that takes its inputs by position and gives logits alone.

    Args:
        model: Wrapped if it is one of transformers', else returned as it is.
        signature: Its inputs.
    """
    is_transformers = hasattr(model, "get_input_embeddings")
    return _ByPosition(model, signature.names).eval() if is_transformers else model


def for_engine(model: nn.Module, signature: Signature) -> nn.Module:
    """Return what other engines are given: as `by_position()`, with no work that has no effect.

    Args:
        model: In evaluation mode; not modified.
        signature: Its inputs.
    """
    return PaddedBert(model).eval() if is_bert_classifier(model) else by_position(model, signature)


def convert(model: nn.Module, signature: Signature, example: Sample) -> ov.Model:
    """Turn a network into an OpenVINO model that computes the same in float32.

    Args:
        model: In evaluation mode, on the CPU; not modified.
        signature: Its inputs.
        example: One set of inputs, to trace it with.
    """
    openvino = load_openvino()
    with _lock, _quiet(), torch.no_grad():
        converted = openvino.convert_model(
            for_engine(model, signature),
            example_input=example,
            input=[openvino.PartialShape(list(shape)) for shape in signature.shapes],
        )
    for port, name in zip(converted.inputs, signature.names, strict=True):
        port.set_names({name})
    converted.outputs[0].set_names({"logits"})
    converted.validate_nodes_and_infer_types()
    return converted


def quantize(
    model: nn.Module,
    signature: Signature,
    samples: Sequence[Sample],
    on_progress: OnProgress | None = None,
) -> ov.Model:
    """Quantize weights and activations to int8 after training.

    Convolutions, linear layers and, in transformers, the products inside attention.

    Args:
        model: In evaluation mode, on the CPU; not modified.
        signature: Its inputs, and what is to stay in float32.
        samples: Calibration inputs: their activations decide the scales.
        on_progress: Called with the share done, in [0, 1], and a sentence.

    Returns:
        A model that holds int8 weights.

    Source: NNCF's post-training quantization, min-max with fast bias correction.
    """
    load_openvino()
    # Imported when wanted: it takes seconds, and a cached model does without.
    import nncf

    report = on_progress or (lambda share, sentence: None)
    report(0.0, "Converting the network")
    converted = convert(model, signature, samples[0])
    num_read = 0

    def as_arrays(sample: Sample) -> list[Any]:
        nonlocal num_read
        num_read += 1
        share = min(1.0, num_read / len(samples))
        report(
            _CONVERTED + share * (_CALIBRATED - _CONVERTED),
            f"Calibrating int8 on {len(samples)} inputs",
        )
        return [tensor.numpy() for tensor in sample]

    with _lock, _quiet():
        quantized = nncf.quantize(
            converted, nncf.Dataset(samples, as_arrays), **_options(signature, len(samples))
        )
    report(1.0, "Quantized")
    return quantized


def quantize_weights(model: ov.Model) -> ov.Model:
    """Store weights in int8, and compute in float32 as before: no calibration is needed.

    Args:
        model: From `convert()`; changed in place.
    """
    import nncf

    with _lock, _quiet():
        return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)


def quantize_onnx(path: Path, signature: Signature, samples: Sequence[Sample]) -> None:
    """Quantize an ONNX file in place, as `quantize()` does a network.

    Args:
        path: A float32 model; its inputs are named as in the signature.
        signature: Its inputs.
        samples: Calibration inputs.
    """
    load_openvino()
    import nncf
    import onnx

    def as_arrays(sample: Sample) -> dict[str, Any]:
        return {name: t.numpy() for name, t in zip(signature.names, sample, strict=True)}

    with _lock, _quiet():
        quantized = nncf.quantize(
            onnx.load(path), nncf.Dataset(samples, as_arrays), **_options(signature, len(samples))
        )
    onnx.save(quantized, path)


def _options(signature: Signature, num_samples: int) -> dict[str, Any]:
    import nncf

    kept = list(signature.kept)
    return {
        "subset_size": num_samples,
        "model_type": nncf.ModelType.TRANSFORMER if signature.is_transformer else None,
        "ignored_scope": nncf.IgnoredScope(patterns=kept, validate=False) if kept else None,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and advice for developers off the server's log."""
    import rich

    loggers = [logging.getLogger(name) for name in ("nncf", "openvino")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    console = rich.get_console()
    was_quiet, console.quiet = console.quiet, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        console.quiet = was_quiet
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def list_changes(model: ov.Model, signature: Signature) -> tuple[LayerChange, ...]:
    """Tell what became of each layer of a quantized model.

    Args:
        model: From `quantize()`.
        signature: As it was given there.

    Returns:
        Convolutions, matrix products and tables of embeddings, in the order they run.
    """
    changes = []
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind not in _QUANTIZABLE:
            continue
        inputs = [node.input_value(index).get_node() for index in range(2)]
        has_int8_weights = any(_is_int8(source) for source in inputs)
        is_int8_input = any(source.get_type_name() == "FakeQuantize" for source in _behind(inputs))
        if kind == "Gather":
            if has_int8_weights:
                changes.append(LayerChange(_layer_name(node), True, "int8 table"))
        elif has_int8_weights:
            note = "int8 weights and inputs" if is_int8_input else "int8 weights"
            changes.append(LayerChange(_layer_name(node), True, note))
        elif is_int8_input:
            changes.append(LayerChange(_layer_name(node), True, "int8 factors"))
        else:
            changes.append(LayerChange(_layer_name(node), False, _reason(node, signature)))
    return tuple(changes)


def count_zero_weights(model: ov.Model) -> int:
    """Return how many of a model's int8 weights are zero: small ones are rounded to it."""
    return sum(
        node.data.size - int(np.count_nonzero(node.data))
        for node in model.get_ops()
        if node.get_type_name() == "Constant" and node.get_element_type().get_type_name() == "i8"
    )


def list_int8_weights(model: ov.Model) -> list[np.ndarray]:
    """Return a model's int8 weights as the floats that they stand for, a tensor a layer."""
    weights = []
    for node in model.get_ops():
        if node.get_type_name() != "Multiply":
            continue
        values, scale = (node.input_value(index).get_node() for index in range(2))
        if scale.get_type_name() == "Constant" and _is_int8(values):
            while values.get_type_name() != "Constant":
                values = values.input_value(0).get_node()
            weights.append(values.data.astype(np.float32) * scale.data)
    return weights


# Layers that NNCF may quantize, as OpenVINO calls them; Gather looks up embeddings.
_QUANTIZABLE = ("Convolution", "GroupConvolution", "MatMul", "ScaledDotProductAttention", "Gather")
# What may stand between a layer and what feeds it without changing a value.
_SHAPES = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "MaxPool", "Split", "VariadicSplit")


def _is_int8(node: ov.Node) -> bool:
    """Tell whether a node is a constant int8 tensor, turned back into floats by its scales."""
    while node.get_type_name() in ("Multiply", "Subtract", "Convert", "Reshape", "Transpose"):
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant" and node.get_element_type().get_type_name() == "i8"


def _behind(nodes: Sequence[ov.Node]) -> list[ov.Node]:
    found = []
    for node in nodes:
        while node.get_type_name() in _SHAPES:
            node = node.input_value(0).get_node()
        found.append(node)
    return found


def _layer_name(node: ov.Node) -> str:
    """Return the name of the PyTorch module that a node came from."""
    first, *rest = node.get_friendly_name().split("/")
    name = first.removeprefix("__module.").removeprefix("model.")
    # A product that is no module of its own, such as the two inside attention.
    is_module = rest and rest[0] in ("aten::linear", "aten::_convolution", "aten::embedding")
    return name if is_module or not rest else f"{name} ({rest[0].removeprefix('aten::')})"


def _reason(node: ov.Node, signature: Signature) -> str:
    for pattern, reason in signature.kept.items():
        if re.search(pattern, node.get_friendly_name()):
            return reason
    return "float32: NNCF finds no gain in int8 here"
