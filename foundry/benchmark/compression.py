"""Every variant of every shipped model: size, arithmetic, speed and quality, beside other engines.

Latencies come from interleaved rounds; the dense network in plain PyTorch, float32, is 1.
"""

import copy
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from foundry.benchmark.harness.engines import (
    OnnxPredictor,
    quantize_by_onnxruntime,
    run_in_bfloat16,
)
from foundry.benchmark.harness.quality import (
    Quality,
    agreement,
    digits_quality,
    sentiment_quality,
    speech_quality,
)
from foundry.compression.config import list_models
from foundry.compression.export import Exportable, load_exportable, write_onnx
from foundry.compression.measurement.timing import Timing, compare, time_rounds
from foundry.compression.measurement.workloads import speech_workload, texts_workload
from foundry.models import DENSE, VARIANTS, available_variants, load_pretrained
from foundry.models.cache import pack
from foundry.models.calibration import digit_samples
from foundry.models.networks import count_parameters
from foundry.models.quantization import Sample, by_position, convert
from foundry.models.runtime import OpenVinoPredictor, Predictor, TorchPredictor
from foundry.recipes.pruning import count_flops
from foundry.sentiment.encoder import build_predictor

# Seconds of timing for each input.
_BUDGET_S = 20.0
_SEED = 0


@dataclass(frozen=True)
class Contender:
    """One way of running one variant.

    Attributes:
        variant: Its name.
        engine: What runs it.
        predict: The call.
        parameters: Of the network.
        size_bytes: Of its file, float32 or int8 as it is run.
    """

    variant: str
    engine: str
    predict: Predictor
    parameters: int
    size_bytes: int


@dataclass(frozen=True)
class Input:
    """What is timed.

    Attributes:
        title: What it is.
        batch: How many at once.
        sample: The tensors.
    """

    title: str
    batch: int
    sample: Sample


def measure(data: Path | None = None) -> list[dict[str, Any]]:
    """Measure all shipped models.

    Args:
        data: Holds the corpora of the recipes. Without it, the quality of text and speech
            models is how often they agree with the dense ones on what ships with the project.

    Returns:
        A row for every model, way of running it, and input.
    """
    rows = []
    for spec in list_models():
        with tempfile.TemporaryDirectory() as folder:
            rows += _measure_model(spec.name, spec.task, data, Path(folder))
    return rows


def _measure_model(
    name: str, task: str, data_dir: Path | None, folder: Path
) -> list[dict[str, Any]]:
    dense = load_exportable(name, task)
    contenders = _build_contenders(name, task, dense, folder)
    quality = _build_quality(name, task, data_dir, contenders[0].predict)
    qualities = [
        quality.measure(contender.predict)
        for contender in tqdm(contenders, desc=f"{name}: {quality.metric}")
    ]
    models = {
        variant: load_exportable(name, task, VARIANTS[variant]).model
        for variant in available_variants(name)
    }
    rows = []
    for timed in _build_inputs(task):
        timings = _time(contenders, timed, f"{name}: {timed.title}")
        for contender, timing, share in zip(contenders, timings, qualities, strict=True):
            rows.append(
                {
                    "model": name,
                    "variant": contender.variant,
                    "engine": contender.engine,
                    "input": timed.title,
                    "parameters": contender.parameters,
                    "size_bytes": contender.size_bytes,
                    "mflop": _count_mflop(models[contender.variant], dense, timed.sample),
                    "batch": timed.batch,
                    "p50_ms": timing.p50_ms,
                    "p95_ms": timing.p95_ms,
                    "num_runs": timing.num_runs,
                    "speedup": timing.speedup,
                    "speedup_low": timing.speedup_low,
                    "speedup_high": timing.speedup_high,
                    "metric": quality.metric,
                    "quality": share,
                    "quality_loss": qualities[0] - share,
                }
            )
    return rows


def _build_contenders(name: str, task: str, dense: Exportable, folder: Path) -> list[Contender]:
    """Return every way of running a model, the dense one in plain PyTorch first."""
    contenders = []
    for variant in available_variants(name):
        one = dense if variant == DENSE.name else load_exportable(name, task, VARIANTS[variant])
        build = partial(Contender, variant, parameters=count_parameters(one.model))
        if one.compiled:
            size = len(pack(one.compiled.model))
            contenders.append(build("OpenVINO int8", predict=one.compiled, size_bytes=size))
            continue
        size = _size_of(one.model, folder, torch.float32)
        contenders.append(
            build("PyTorch float32", predict=TorchPredictor(one.model), size_bytes=size)
        )
        converted = convert(one.model, one.signature, one.samples[0])
        contenders.append(
            build(
                "OpenVINO float32",
                predict=OpenVinoPredictor(converted),
                size_bytes=len(pack(converted)),
            )
        )
    others = partial(Contender, DENSE.name, parameters=count_parameters(dense.model))
    if task == "sentiment":
        pretrained = load_pretrained(name, task)
        packed = build_predictor(pretrained.model, pretrained.processor)

        def predict(*inputs: Tensor) -> Tensor:
            return packed(inputs[0].tolist())

        size = _size_of(dense.model, folder, torch.float32)
        contenders.append(others("Foundry's own BERT, float32", predict=predict, size_bytes=size))
    contenders.append(
        others(
            "PyTorch bfloat16",
            predict=run_in_bfloat16(dense.model),
            size_bytes=_size_of(dense.model, folder, torch.bfloat16),
        )
    )
    file = folder / "dense.onnx"
    write_onnx(dense.model, dense.signature, dense.samples[0], file)
    quantized = quantize_by_onnxruntime(file)
    contenders.append(
        others(
            "ONNX Runtime dynamic int8",
            predict=OnnxPredictor(quantized, dense.signature),
            size_bytes=quantized.stat().st_size,
        )
    )
    return contenders


def _build_quality(name: str, task: str, data_dir: Path | None, dense: Predictor) -> Quality:
    if task == "digits":
        return digits_quality()
    pretrained = load_pretrained(name, task)
    if task == "sentiment":
        if data_dir:
            return sentiment_quality(data_dir, pretrained.processor)
        return agreement(texts_workload(pretrained), dense)
    if data_dir:
        return speech_quality(data_dir, pretrained.processor, pretrained.folder)
    return agreement(speech_workload(pretrained), dense)


def _build_inputs(task: str) -> list[Input]:
    generator = torch.Generator().manual_seed(_SEED)
    if task == "digits":
        images = torch.cat([image for (image,) in digit_samples()])
        return [Input("1 image", 1, (images[:1],)), Input("256 images", 256, (images[:256],))]
    if task == "sentiment":
        inputs = []
        for batch, tokens in ((1, 16), (1, 64), (8, 64)):
            # Words, not the special tokens at the start of the vocabulary.
            ids = torch.randint(2_000, 20_000, (batch, tokens), generator=generator)
            title = f"{batch} x {tokens} tokens"
            inputs.append(Input(title, batch, (ids, torch.ones_like(ids))))
        return inputs
    sound = torch.randn(4, 80_000, generator=generator)
    return [Input("5 s", 1, (sound[:1],)), Input("4 x 5 s", 4, (sound,))]


def _time(contenders: list[Contender], timed: Input, title: str) -> list[Timing]:
    """Time each contender in turn; the first is the baseline."""
    calls = {str(i): partial(c.predict, *timed.sample) for i, c in enumerate(contenders)}
    rounds = list(tqdm(time_rounds(calls, _BUDGET_S), desc=title, unit=" rounds"))
    timings = compare(rounds, "0")
    return [timings[call] for call in calls]


def _count_mflop(model: nn.Module, exportable: Exportable, sample: Sample) -> float:
    """Return the arithmetic of a call in millions, a multiplication and an addition being two."""
    network: Any = copy.deepcopy(model)
    if hasattr(network, "set_attn_implementation"):
        # Of fused attention nothing is counted.
        network.set_attn_implementation("eager")
    return count_flops(by_position(network, exportable.signature), *sample) / 1e6


def _size_of(model: nn.Module, folder: Path, dtype: torch.dtype) -> int:
    weights = {name: t.to(dtype).contiguous() for name, t in model.state_dict().items()}
    path = folder / "weights.safetensors"
    save_file(weights, path)
    return path.stat().st_size


def report(rows: list[dict[str, Any]]) -> str:
    """Return the rows as one table for each model."""
    lines: list[str] = []
    for name in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == name]
        lines.append(f"\n{name}: quality is {own[0]['metric']}")
        lines.append(
            f"{'variant':12}{'engine':29}{'input':16}{'parameters':>12}{'MB':>8}{'MFLOP':>9}"
            f"{'p50 ms':>9}{'p95 ms':>9}{'speed':>7}{'quality':>9}{'loss':>7}"
        )
        for row in own:
            lines.append(
                f"{row['variant']:12}{row['engine']:29}{row['input']:16}{row['parameters']:12,}"
                f"{row['size_bytes'] / 1e6:8.3f}{row['mflop']:9.1f}{row['p50_ms']:9.3f}"
                f"{row['p95_ms']:9.3f}{row['speedup']:6.2f}x{100 * row['quality']:8.2f}%"
                f"{100 * row['quality_loss']:7.2f}"
            )
    return "\n".join(lines)
