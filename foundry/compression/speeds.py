"""How fast the shipped models that are compared are in every variant, on this machine, now."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

from foundry.compression.config import list_models
from foundry.compression.measurement.timing import Timing, compare, time_rounds
from foundry.compression.measurement.workloads import (
    Workload,
    card_quality,
    digits_workload,
    speech_workload,
    texts_workload,
)
from foundry.models import (
    DENSE,
    VARIANTS,
    Variant,
    available_variants,
    load_predictor,
    load_pretrained,
)
from foundry.models.loading import WEIGHTS_DIR, ModelSpec
from foundry.models.runtime import Predictor
from foundry.models.variants import find_variant

_QUALITY_NAMES = {
    "digits": "test images right",
    "sentiment": "SST-2 dev sentences right",
    "speech": "isolated words right",
}
# Seconds of timing for each model.
_BUDGET_S = 4.0
# Of a model's share of the progress bar, what loading it takes.
_LOADING = 0.4


@dataclass(frozen=True)
class Speed:
    """One variant of a model.

    Attributes:
        model: The model's title.
        variant: The variant's name.
        timed: What was timed, such as `1 image`.
        timing: One input at a time, beside dense.
        quality: What the model card states, in [0, 1]; None where it says nothing of the variant.
        quality_name: What that is.
    """

    model: str
    variant: str
    timed: str
    timing: Timing
    quality: float | None
    quality_name: str


Progress = Generator[tuple[float, str], None, list[Speed]]


def measure_speeds(budget_s: float = _BUDGET_S) -> Progress:
    """Time the shipped models of the tasks that are compared, variants in turns after a warm-up.

    Args:
        budget_s: Seconds of timing for each model.

    Yields:
        The share done, in [0, 1], with a sentence.

    Returns:
        One entry a variant, model by model, dense first.

    Raises:
        ArtifactError: If a model's files are damaged or missing.
    """
    specs = list_models()
    speeds: list[Speed] = []
    for index, spec in enumerate(specs):
        speeds += yield from _measure_model(spec, index / len(specs), 1 / len(specs), budget_s)
    return speeds


def _measure_model(spec: ModelSpec, start: float, width: float, budget_s: float) -> Progress:
    """Time one model; its share of the progress begins at `start` and is `width` wide."""
    variants = available_variants(spec.name)
    calls = {}
    for place, name in enumerate(variants):
        share = start + width * _LOADING * place / len(variants)
        yield share, f"{spec.title}: making {name} ready"
        calls[name] = _load(spec, VARIANTS[name])
    workload = _find_workload(spec)
    rounds = []
    started = time.perf_counter()
    for taken_s in time_rounds(
        {name: partial(call, *workload.single) for name, call in calls.items()}, budget_s
    ):
        rounds.append(taken_s)
        done = min(1.0, (time.perf_counter() - started) / budget_s)
        share = start + width * (_LOADING + (1 - _LOADING) * done)
        yield share, f"{spec.title}: timing its variants in turns, round {len(rounds)}"
    timings = compare(rounds, DENSE.name)
    return [
        Speed(
            model=spec.title,
            variant=name,
            timed=f"1 {workload.unit}",
            timing=timings[name],
            quality=_read_quality(spec, VARIANTS[name]),
            quality_name=_QUALITY_NAMES[spec.task],
        )
        for name in variants
    ]


def _load(spec: ModelSpec, variant: Variant) -> Predictor:
    if spec.task == "digits":
        return load_predictor(spec.name, "cpu", variant, is_here=True)
    pretrained = load_pretrained(spec.name, spec.task, variant=variant, is_here=True)
    return pretrained.predict


def _find_workload(spec: ModelSpec) -> Workload:
    if spec.task == "digits":
        return digits_workload()
    pretrained = load_pretrained(spec.name, spec.task, is_here=True)
    return texts_workload(pretrained) if spec.task == "sentiment" else speech_workload(pretrained)


def _read_quality(spec: ModelSpec, variant: Variant) -> float | None:
    # Cards state what was trained; int8 is made anew on every machine.
    if variant.is_quantized:
        return None
    folder = find_variant(spec.name, WEIGHTS_DIR / spec.name, variant)
    return card_quality(folder, spec.task, variant.is_pruned)
