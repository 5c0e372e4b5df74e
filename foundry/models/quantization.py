"""Quantization: a PyTorch network -> an OpenVINO model, in float32 or calibrated to int8."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from foundry.models.networks.bert import PaddedBert, is_bert_classifier
from foundry.models.runtime import load_openvino

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
