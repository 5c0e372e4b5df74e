"""What became of a quantized model: which layers hold int8, and which weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foundry.compression.measurement.footprint import LayerChange
from foundry.models.quantization import Signature

if TYPE_CHECKING:
    import openvino as ov

# Layers that NNCF may quantize, as OpenVINO calls them; Gather looks up embeddings.
_QUANTIZABLE = ("Convolution", "GroupConvolution", "MatMul", "ScaledDotProductAttention", "Gather")
# What may stand between a layer and what feeds it without changing a value.
_SHAPES = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "MaxPool", "Split", "VariadicSplit")


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
    # A layer that runs once for each row is one.
    return tuple(dict.fromkeys(changes))


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
