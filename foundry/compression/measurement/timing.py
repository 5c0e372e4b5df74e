"""How long calls take beside one another, and whether a difference between them is one."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["faster", "same", "slower", "unclear"]

MIN_ROUNDS, MAX_ROUNDS = 15, 300
_WARM_UPS = 3
_NUM_RESAMPLES = 2000
_INTERVAL = (2.5, 97.5)
# A call timed against itself strays by a per cent or two, and nobody feels less than this.
_SAME_WITHIN = 1.03
# An interval whose ends are further apart than this says more of the machine than of the calls.
_TELLS_WITHIN = 2.0


@dataclass(frozen=True)
class Timing:
    """How long one call takes, and beside the baseline's.

    Attributes:
        num_runs: Calls behind the figures.
        p50_ms: Median.
        p95_ms: What 95 of 100 calls stay under.
        speedup: The baseline's median by this call's; above 1 is faster.
        speedup_low: Where 95% of bootstrapped medians begin.
        speedup_high: Where they end.
        verdict: `unclear` if the interval's end is more than twice its beginning; else `same`
            unless the whole interval is more than 3% away from 1.
    """

    num_runs: int
    p50_ms: float
    p95_ms: float
    speedup: float
    speedup_low: float
    speedup_high: float
    verdict: Verdict


def time_rounds(
    calls: Mapping[str, Callable[[], object]],
    budget_s: float,
    min_rounds: int = MIN_ROUNDS,
    max_rounds: int = MAX_ROUNDS,
) -> Iterator[dict[str, float]]:
    """Time calls in rounds, each once a round, so that what slows the machine slows all of them.

    Args:
        calls: By name. Each is called three times before the first round.
        budget_s: No round starts after so long, once there are `min_rounds`.
        min_rounds: How many there are at least.
        max_rounds: How many there are at most.

    Yields:
        Seconds of each call, a round at a time.
    """
    for call in calls.values():
        for _ in range(_WARM_UPS):
            call()
    # In another order every round: what a call leaves in the caches is not always for the same one.
    order = np.random.default_rng(0)
    ends_at = time.perf_counter() + budget_s
    for index in range(max_rounds):
        if index >= min_rounds and time.perf_counter() > ends_at:
            return
        taken_s = {}
        for name in order.permutation(list(calls)).tolist():
            started = time.perf_counter()
            calls[name]()
            taken_s[name] = time.perf_counter() - started
        yield taken_s


def compare(rounds: Sequence[Mapping[str, float]], baseline: str) -> dict[str, Timing]:
    """Summarise rounds.

    Args:
        rounds: From `time_rounds()`; at least one.
        baseline: The name of the call that the others are compared with.

    Returns:
        By name; the baseline's speed-up is exactly 1.

    Source: Efron, Bootstrap Methods: Another Look at the Jackknife, 1979; the percentile interval
    of the ratio of medians, with whole rounds drawn.
    """
    resamples = np.random.default_rng(0).integers(len(rounds), size=(_NUM_RESAMPLES, len(rounds)))
    taken_s = {name: np.array([taken[name] for taken in rounds]) for name in rounds[0]}
    medians_s = {name: float(np.median(taken)) for name, taken in taken_s.items()}
    redrawn_s = {name: np.median(taken[resamples], axis=1) for name, taken in taken_s.items()}
    timings = {}
    for name in taken_s:
        speedup = medians_s[baseline] / medians_s[name]
        low, high = np.percentile(redrawn_s[baseline] / redrawn_s[name], _INTERVAL)
        # Of a few rounds those drawn may all miss what was measured.
        low, high = min(float(low), speedup), max(float(high), speedup)
        timings[name] = Timing(
            num_runs=len(rounds),
            p50_ms=1000 * medians_s[name],
            p95_ms=1000 * float(np.percentile(taken_s[name], 95)),
            speedup=speedup,
            speedup_low=low,
            speedup_high=high,
            verdict=_judge(low, high),
        )
    return timings


def _judge(low: float, high: float) -> Verdict:
    if high > _TELLS_WITHIN * low:
        return "unclear"
    if low > _SAME_WITHIN:
        return "faster"
    return "slower" if high < 1 / _SAME_WITHIN else "same"


def describe(timing: Timing) -> str:
    """Return a verdict in words, with the interval: `2.6x faster (2.5 to 2.7)`."""
    low, high = timing.speedup_low, timing.speedup_high
    if timing.verdict == "unclear":
        return "the machine was too busy to tell; measure again"
    if timing.verdict == "same":
        is_narrow = low >= 1 / _SAME_WITHIN and high <= _SAME_WITHIN
        said = "same within 3%" if is_narrow else "no difference can be told"
        return f"{said} ({low:.2f} to {high:.2f} times as fast)"
    if timing.verdict == "faster":
        return f"{timing.speedup:.1f}x faster ({low:.1f} to {high:.1f})"
    return f"{1 / timing.speedup:.1f}x slower ({1 / high:.1f} to {1 / low:.1f})"
