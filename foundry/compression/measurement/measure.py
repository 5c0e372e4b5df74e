"""The table: variants of one model timed in turns, weighed, and asked the same questions."""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from foundry.compression.measurement.memory import peak_memory
from foundry.compression.measurement.stored import StoredVariant
from foundry.compression.measurement.timing import Timing, Verdict, compare, describe, time_rounds
from foundry.compression.measurement.workloads import Answers, Workload
from foundry.models.quantization import Sample

DENSE = "dense"
# Seconds of timing for one input at a time, and as much again for batches.
_BUDGET_S = 5.0


@dataclass(frozen=True)
class Row:
    """One variant of a model in the table.

    Attributes:
        model: The model's name.
        variant: The variant's name.
        engine: What ran it.
        parameters: Weights and biases.
        nonzeros: Those of them that are not zero.
        size_bytes: Its file on disk.
        peak_memory_bytes: What loading and running it takes on top of the libraries; None where
            the system does not tell.
        p50_ms: Median latency of one input.
        p95_ms: What 95 of 100 stay under.
        batch_size: Inputs in a batch.
        batch_p50_ms: Median latency of a batch.
        throughput_per_s: Inputs a second in such batches.
        speedup: Of one input, over dense in the same rounds.
        speedup_low: Where the 95% interval of that begins.
        speedup_high: Where it ends.
        verdict: `faster`, `same`, `slower` or `unclear`, of one input.
        verdict_text: The same with the interval.
        quality: In [0, 1], measured here or of the model's card; None where neither is known.
        balanced_quality: The same with every class counting alike; None but for a network that
            learned what a visitor brought.
        disagreement: Share of the samples that it answers otherwise than dense, in [0, 1].
        num_runs: Timed calls behind the latency of one input.
    """

    model: str
    variant: str
    engine: str
    parameters: int
    nonzeros: int
    size_bytes: int
    peak_memory_bytes: int | None
    p50_ms: float
    p95_ms: float
    batch_size: int
    batch_p50_ms: float
    throughput_per_s: float
    speedup: float
    speedup_low: float
    speedup_high: float
    verdict: Verdict
    verdict_text: str
    quality: float | None
    balanced_quality: float | None
    disagreement: float
    num_runs: int


@dataclass(frozen=True)
class Measured:
    """What `measure()` leaves.

    Attributes:
        rows: One a variant, in the order of the variants.
        answers: Of each variant, by name.
        load_average: Processes that wanted a processor in the minute before the timing began; None
            where the system does not tell.
    """

    rows: tuple[Row, ...]
    answers: Mapping[str, Answers]
    load_average: float | None


Progress = Generator[tuple[float, str], None, Measured]
_Timing = Generator[tuple[float, str], None, dict[str, Timing]]


def measure(model: str, variants: Sequence[StoredVariant], workload: Workload) -> Progress:
    """Measure variants of one model side by side.

    Args:
        model: The model's name.
        variants: One of them is `dense`.
        workload: What to measure them with.

    Yields:
        The share done, in [0, 1], with a sentence.

    Returns:
        What was measured.
    """
    answers, memory = {}, {}
    for index, variant in enumerate(variants):
        yield 0.3 * index / len(variants), f"{variant.name}: answering the samples"
        answers[variant.name] = workload.answer(variant.predict)
    for index, variant in enumerate(variants):
        yield (
            0.3 + 0.2 * index / len(variants),
            f"{variant.name}: weighing it in a process of its own",
        )
        memory[variant.name] = peak_memory(variant.source, workload.single, workload.batch)
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    single = yield from _time(
        variants, workload.single, 0.5, f"Timing one {workload.unit} at a time, in turns"
    )
    batch = yield from _time(
        variants,
        workload.batch,
        0.75,
        f"Timing {workload.batch_size} {workload.unit}s at a time, in turns",
    )
    dense = answers[DENSE].labels
    rows = []
    for variant in variants:
        one, many, given = single[variant.name], batch[variant.name], answers[variant.name]
        differ = sum(a != b for a, b in zip(given.labels, dense, strict=True))
        rows.append(
            Row(
                model=model,
                variant=variant.name,
                engine=variant.engine,
                parameters=variant.footprint.parameters,
                nonzeros=variant.footprint.nonzeros,
                size_bytes=variant.footprint.size_bytes,
                peak_memory_bytes=memory[variant.name],
                p50_ms=one.p50_ms,
                p95_ms=one.p95_ms,
                batch_size=workload.batch_size,
                batch_p50_ms=many.p50_ms,
                throughput_per_s=1000 * workload.batch_size / many.p50_ms,
                speedup=one.speedup,
                speedup_low=one.speedup_low,
                speedup_high=one.speedup_high,
                verdict=one.verdict,
                verdict_text=describe(one),
                quality=variant.card_quality if given.quality is None else given.quality,
                balanced_quality=given.balanced_quality,
                disagreement=differ / len(dense),
                num_runs=one.num_runs,
            )
        )
    return Measured(tuple(rows), answers, load_average)


def _time(
    variants: Sequence[StoredVariant], inputs: Sample, start: float, sentence: str
) -> _Timing:
    calls = {variant.name: partial(variant.predict, *inputs) for variant in variants}
    rounds = []
    started = time.perf_counter()
    for taken_s in time_rounds(calls, _BUDGET_S):
        rounds.append(taken_s)
        share = min(1.0, (time.perf_counter() - started) / _BUDGET_S)
        yield start + 0.25 * share, f"{sentence}: round {len(rounds)}"
    return compare(rounds, DENSE)
