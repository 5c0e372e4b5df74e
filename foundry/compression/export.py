"""Taking a variant home: safetensors for PyTorch, OpenVINO IR and ONNX for wherever it is to run.

Each is a zip file with a small script that loads it, needs nothing of Foundry, and checks that the
model answers there as it does here.
"""

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from foundry.data import DIGITS
from foundry.errors import InputError
from foundry.models import DENSE, Variant, load_model, load_predictor, load_pretrained
from foundry.models.calibration import SAMPLE_MAKERS, Calibration, digit_samples
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.quantization import Sample, Signature, convert, for_engine, quantize_onnx
from foundry.models.runtime import OpenVinoPredictor, Predictor, TorchPredictor, load_openvino
from foundry.models.variants import SIGNATURES, find_variant

SAFETENSORS, OPENVINO, ONNX = "safetensors", "openvino", "onnx"
FORMATS = (SAFETENSORS, OPENVINO, ONNX)

_EXAMPLE_FILE, _SCRIPT_FILE = "example.npz", "load.py"
# The names of what the logits stand for, in their order.
_CLASSES_FILE = "classes.json"
_LOADERS = Path(__file__).parent / "loaders"
# Of the networks that are trained here, by architecture.
_LOADERS_OF = {
    "lenet": "digits",
    "cnn": "digits",
    "lstm": "digits_lstm",
    "transformer": "digits_transformer",
    "efficientnet-lite0": "photos",
}
# What a tokenizer or a processor is read from, or says what answers mean; copied beside the model.
_PROCESSOR_FILES = (
    _CLASSES_FILE,
    "tokenizer*.json",
    "vocab*",
    "*processor_config.json",
    "*preprocessor*.json",
)


@dataclass(frozen=True)
class Exportable:
    """A variant and what is needed to write it down.

    Attributes:
        name: Of the model; names the file.
        variant: Which variant of it.
        model: The float32 network: the variant itself, or what was quantized.
        compiled: What runs an int8 variant; None for the others.
        signature: What it is called with.
        samples: Inputs as it meets them; the first is the example, all calibrate int8 in ONNX.
        folder: Where the checkpoint is that the network was read from.
    """

    name: str
    variant: Variant
    model: nn.Module
    compiled: OpenVinoPredictor | None
    signature: Signature
    samples: list[Sample]
    folder: Path

    @property
    def predict(self) -> Predictor:
        """What runs the variant here."""
        return self.compiled or TorchPredictor(self.model)


def load_exportable(
    name: str | Path, task: str, variant: Variant = DENSE, calibration: Calibration | None = None
) -> Exportable:
    """Load a variant together with what is needed to write it down.

    Args:
        name: A model: as `load_model()` takes it for digits, else as `load_pretrained()` does.
        task: `digits`, `sentiment` or `speech`.
        variant: Which variant of it.
        calibration: As `load_predictor()` takes it.

    Raises:
        InputError: If there is no such model or variant.
        ArtifactError: If its files are damaged or missing.
    """
    title = name.name if isinstance(name, Path) else name.strip().split("/")[-1]
    if task == "digits":
        network = load_model(name, "cpu", variant)
        predictor = load_predictor(name, "cpu", variant, is_here=True, calibration=calibration)
        folder = name if isinstance(name, Path) else WEIGHTS_DIR / name
        samples = list(calibration.make()) if calibration else digit_samples()
    else:
        pretrained = load_pretrained(str(name), task, variant=variant, is_here=True)
        network, predictor, folder = pretrained.model, pretrained.predict, pretrained.folder
        samples = SAMPLE_MAKERS[task](pretrained.processor)
    return Exportable(
        title,
        variant,
        network,
        predictor if isinstance(predictor, OpenVinoPredictor) else None,
        SIGNATURES[task],
        samples,
        find_variant(title, folder, variant),
    )


def write_archive(exportable: Exportable, file_format: str, folder: Path) -> Path:
    """Write a variant as a zip file that is of use without Foundry.

    Args:
        exportable: From `load_exportable()`.
        file_format: One of `FORMATS`.
        folder: Where to write; made if missing.

    Returns:
        The new file.

    Raises:
        InputError: If there is no such format, or it cannot hold the variant.
    """
    if file_format not in FORMATS:
        raise InputError(f"There is no format “{file_format}”; choose one of {', '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{exportable.name}-{exportable.variant.name}-{file_format}.zip"
    with tempfile.TemporaryDirectory() as parts:
        written = write_model(exportable, file_format, Path(parts))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in written:
                archive.write(file, file.name)
            for file in _processor_files(exportable.folder):
                archive.write(file, file.name)
            classes = getattr(exportable.model, "classes", DIGITS)
            if classes != DIGITS:
                names = json.dumps({"labels": classes}, ensure_ascii=False, indent=2)
                archive.writestr(_CLASSES_FILE, f"{names}\n")
            archive.writestr(_EXAMPLE_FILE, _example(exportable))
            script = (_LOADERS / f"{_loader(exportable, file_format)}.py").read_text("utf-8")
            archive.writestr(_SCRIPT_FILE, script)
    return path


def write_model(exportable: Exportable, file_format: str, folder: Path) -> list[Path]:
    """Write the model alone.

    Args:
        exportable: The variant.
        file_format: One of `FORMATS`.
        folder: Exists.

    Returns:
        The new files, in float32 or int8; the one with the weights is among them.

    Raises:
        InputError: If the format cannot hold the variant.
    """
    is_quantized = exportable.variant.is_quantized
    if file_format == SAFETENSORS:
        if is_quantized:
            raise InputError(
                "PyTorch does not run this int8 model; choose openvino or onnx, or the variant "
                "before quantizing."
            )
        return _write_safetensors(exportable, folder)
    if file_format == OPENVINO:
        graph = folder / "model.xml"
        model = (
            exportable.compiled.model
            if exportable.compiled
            else convert(exportable.model, exportable.signature, exportable.samples[0])
        )
        load_openvino().save_model(model, graph, compress_to_fp16=False)
        return [graph, graph.with_suffix(".bin")]
    path = folder / "model.onnx"
    write_onnx(exportable.model, exportable.signature, exportable.samples[0], path)
    if is_quantized:
        quantize_onnx(path, exportable.signature, exportable.samples)
    return [path]


def write_onnx(model: nn.Module, signature: Signature, example: Sample, path: Path) -> None:
    """Write a network as ONNX, in float32.

    Args:
        model: In evaluation mode, on the CPU; not modified.
        signature: Its inputs.
        example: One set of inputs, to trace it with.
        path: Where to write.
    """
    # Of a batch of one the exporter would take the one for granted.
    pair = tuple(torch.cat([tensor, tensor]) for tensor in example)
    varying: list[dict[int, Any]] = [
        {axis: torch.export.Dim.DYNAMIC for axis, size in enumerate(shape) if size < 0}
        for shape in signature.shapes
    ]
    wrapped = for_engine(model, signature)
    # A wrapper takes its inputs as one sequence.
    shapes = tuple(varying) if wrapped is model else (tuple(varying),)
    with torch.no_grad():
        torch.onnx.export(
            wrapped,
            pair,
            path,
            input_names=list(signature.names),
            output_names=["logits"],
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _write_safetensors(exportable: Exportable, folder: Path) -> list[Path]:
    weights: dict[str, Tensor] = {
        name: tensor.float().contiguous() for name, tensor in exportable.model.state_dict().items()
    }
    path = folder / "model.safetensors"
    save_file(weights, path, metadata={"format": "pt"})
    config = folder / "config.json"
    config.write_text((exportable.folder / "config.json").read_text("utf-8"), "utf-8")
    return [path, config]


def _processor_files(folder: Path) -> list[Path]:
    return sorted({file for pattern in _PROCESSOR_FILES for file in folder.glob(pattern)})


def _example(exportable: Exportable) -> bytes:
    """Return an example's inputs by name, and its logits here."""
    sample = exportable.samples[0]
    arrays: dict[str, Any] = {
        name: tensor.numpy()
        for name, tensor in zip(exportable.signature.names, sample, strict=True)
    }
    content = io.BytesIO()
    np.savez(content, **arrays, logits=exportable.predict(*sample).numpy())
    return content.getvalue()


def _loader(exportable: Exportable, file_format: str) -> str:
    if file_format != SAFETENSORS:
        return file_format
    config = json.loads((exportable.folder / "config.json").read_text("utf-8"))
    return _LOADERS_OF.get(config.get("architecture"), "transformers")
