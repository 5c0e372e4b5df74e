"""Replicas of Ray Serve: what a call costs, what a second one brings, what a lost one costs."""

import os
import signal
import statistics
import time
from typing import Any

import numpy as np
import psutil
import torch
from ray import serve

from foundry.benchmark.harness.deployed import Deployed, asking, deployed
from foundry.compression.config import TASKS
from foundry.compression.measurement.timing import time_rounds
from foundry.data import load_test_split, normalize
from foundry.models import DENSE, VARIANTS, available_models, load_predictor, load_pretrained
from foundry.models.calibration import text_samples
from foundry.models.quantization import Sample
from foundry.runs.cluster import ray_session
from foundry.sentiment.scoring import BATCH_TOKENS

_LATENCY_S = 20.0
# Two wait for each replica that computes.
_NUM_CLIENTS = 4
_ROUNDS, _ROUND_S, _SETTLE_S = 3, 8.0, 2.0
_TO_ZERO_DELAY_S, _LOOK_BACK_S = 2.0, 2.0
_POLL_S = 0.05
_ONE_CORE = {"num_cpus": 1}
_FIXED = {"autoscaling_config": None, "ray_actor_options": _ONE_CORE, "health_check_period_s": 1.0}
# All forms have room beside one another while none is asked.
_NO_CORE = {"autoscaling_config": None, "ray_actor_options": {"num_cpus": 0}}


def _texts() -> Sample:
    """Return texts of equal length, as many as a table is scored in at once."""
    processor = load_pretrained("bert-sentiment", "sentiment").processor
    input_ids, mask = max(text_samples(processor), key=lambda sample: sample[0].numel())
    copies = BATCH_TOKENS // input_ids.shape[1]
    return input_ids.repeat(copies, 1), mask.repeat(copies, 1)


def _measure_latency() -> dict[str, float]:
    (spec,) = available_models("digits")
    image = normalize(load_test_split().head(1).images)
    with deployed(spec, DENSE.name, **_FIXED, num_replicas=1) as one:
        here = load_predictor(spec.name)
        calls = {"here": lambda: here(image), "handle": lambda: one.predict(image)}
        rounds = list(time_rounds(calls, _LATENCY_S))
        _check_answered(one)
    added_ms = [1000 * (taken["handle"] - taken["here"]) for taken in rounds]
    return {
        "handle_added_p50_ms": statistics.median(added_ms),
        "handle_added_p95_ms": float(np.percentile(added_ms, 95)),
    }


def _measure_load() -> dict[str, Any]:
    """Measure throughput with one replica and with two, in turns; then kill one of the two."""
    (spec,) = available_models("sentiment")
    sample = _texts()
    expected = load_pretrained(spec.name, spec.task).predict(*sample)
    per_s: dict[int, list[float]] = {1: [], 2: []}
    with deployed(spec, DENSE.name, **_FIXED, num_replicas=1) as one:
        for _ in range(_ROUNDS):
            for number, found in per_s.items():
                one.run(**_FIXED, num_replicas=number)
                one.wait_for(number)
                found.append(_texts_per_s(one, sample, expected))
        killed = _kill_under_load(one, sample, expected)
    ratios = [two / alone for alone, two in zip(per_s[1], per_s[2], strict=True)]
    return {
        "throughput_1_per_s": statistics.median(per_s[1]),
        "throughput_2_per_s": statistics.median(per_s[2]),
        "scaling": statistics.median(ratios),
        **killed,
    }


def _texts_per_s(one: Deployed, sample: Sample, expected: torch.Tensor) -> float:
    with asking(one.predict, sample, expected, _NUM_CLIENTS) as tally:
        time.sleep(_SETTLE_S)
        before, started = tally.num_right, time.perf_counter()
        time.sleep(_ROUND_S)
        answers, taken_s = tally.num_right - before, time.perf_counter() - started
    _check_answered(one)
    return answers * len(expected) / taken_s


def _kill_under_load(one: Deployed, sample: Sample, expected: torch.Tensor) -> dict[str, int]:
    with asking(one.predict, sample, expected, _NUM_CLIENTS) as tally:
        time.sleep(_SETTLE_S)
        lost = one.replicas()[0]
        os.kill(lost["pid"], signal.SIGKILL)
        while any(replica["pid"] == lost["pid"] for replica in one.replicas()):
            time.sleep(_POLL_S)
        one.wait_for(2)
        time.sleep(_SETTLE_S)
    # An answer that was computed here is one that the replicas lost.
    return {
        "killed_answers": tally.num_right,
        "killed_lost": len(tally.errors) + one.num_local,
        "killed_wrong": tally.num_wrong - one.num_local,
    }


def _measure_scale_to_zero() -> dict[str, float]:
    (spec,) = available_models("sentiment")
    options = {
        "ray_actor_options": _ONE_CORE,
        "autoscaling_config": {
            "min_replicas": 0,
            "max_replicas": 1,
            "downscale_delay_s": _TO_ZERO_DELAY_S,
            "look_back_period_s": _LOOK_BACK_S,
            "metrics_interval_s": _LOOK_BACK_S / 4,
        },
    }
    sample = _texts()
    with deployed(spec, DENSE.name, **options) as one:
        one.predict(*sample)
        to_zero_s = one.wait_for(0)
        started = time.perf_counter()
        one.predict(*sample)
        from_zero_s = time.perf_counter() - started
        _check_answered(one)
    return {"scale_to_zero_s": to_zero_s, "scale_from_zero_s": from_zero_s}


def _measure_memory() -> dict[str, dict[str, float]]:
    """Measure a replica of each model, dense and int8, that has answered.

    Returns:
        Megabytes by form: resident, and those of them that it shares with no other process.
    """
    rss_mb, own_mb = {}, {}
    for spec in (spec for task in TASKS for spec in available_models(task)):
        for variant in (name for name, form in VARIANTS.items() if not form.is_pruned):
            with deployed(spec, variant, **_NO_CORE, num_replicas=1) as one:
                # It has answered its own question before it says that it is there.
                (replica,) = one.replicas()
                memory = psutil.Process(replica["pid"]).memory_full_info()
                rss_mb[one.title], own_mb[one.title] = memory.rss / 1e6, memory.uss / 1e6
    return {"replica_rss_mb": rss_mb, "replica_own_mb": own_mb}


def _check_answered(one: Deployed) -> None:
    if one.num_local:
        raise RuntimeError(f"The replicas of {one.title} did not answer.")


def measure() -> dict[str, Any]:
    """Measure on a Ray of this process's own, which ends with it."""
    torch.set_num_threads(1)
    with ray_session("Serving"):
        serve.start(proxy_location="Disabled")
        try:
            return {
                **_measure_latency(),
                **_measure_load(),
                **_measure_scale_to_zero(),
                **_measure_memory(),
            }
        finally:
            serve.shutdown()


def report(figures: dict[str, Any]) -> str:
    """Return the figures in sentences."""
    memory = ", ".join(
        f"{name} {mb:.0f} MB ({figures['replica_own_mb'][name]:.0f})"
        for name, mb in figures["replica_rss_mb"].items()
    )
    return "\n".join(
        [
            f"a call through a handle: p50 {figures['handle_added_p50_ms']:.1f} ms, p95 "
            f"{figures['handle_added_p95_ms']:.1f} ms more than one here",
            f"texts/s: one replica {figures['throughput_1_per_s']:.0f}, two "
            f"{figures['throughput_2_per_s']:.0f}, {figures['scaling']:.2f} times as many",
            f"a replica killed: {figures['killed_answers']} right answers, "
            f"{figures['killed_wrong']} wrong, {figures['killed_lost']} lost",
            f"to no replica {figures['scale_to_zero_s']:.1f} s after the last answer (told to wait "
            f"{_TO_ZERO_DELAY_S:.0f} s), back with an answer in "
            f"{figures['scale_from_zero_s']:.1f} s",
            f"resident memory of a replica (what it shares with no other process): {memory}",
        ]
    )
