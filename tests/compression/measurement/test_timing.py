"""Interleaved timing, against times that are known because they are made up."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.compression.measurement.timing import compare, describe, time_rounds


def make_rounds(num_rounds=60, **medians_s):
    """Times that stray by 10% about their medians, all by the same share in a slow round."""
    rng = np.random.default_rng(1)
    rounds = []
    for _ in range(num_rounds):
        slow = rng.choice([1.0, 5.0], p=[0.8, 0.2])
        rounds.append({n: s * slow * rng.uniform(0.9, 1.1) for n, s in medians_s.items()})
    return rounds


def test_every_round_calls_everything_once_after_a_warm_up():
    calls = []
    rounds = list(
        time_rounds(
            {name: lambda name=name: calls.append(name) for name in "abc"}, 60, max_rounds=20
        )
    )
    assert len(rounds) == 20
    assert all(set(taken) == set("abc") for taken in rounds)
    per_round = [calls[9 + 3 * i : 12 + 3 * i] for i in range(20)]
    assert all(sorted(names) == list("abc") for names in per_round)
    # Each call comes first in some round.
    assert {names[0] for names in per_round} == set("abc")


def test_the_budget_ends_it_but_not_before_the_least_number_of_rounds(monkeypatch):
    clock = itertools.count(0, 1.0)
    monkeypatch.setattr(
        "foundry.compression.measurement.timing.time.perf_counter", lambda: next(clock)
    )
    assert len(list(time_rounds({"a": lambda: None}, 0, min_rounds=7))) == 7


def test_a_call_of_half_the_time_is_twice_as_fast_even_in_noise():
    timing = compare(make_rounds(dense=0.2, small=0.1), "dense")["small"]
    assert timing.verdict == "faster"
    assert timing.speedup_low < 2 < timing.speedup_high
    assert timing.speedup == pytest.approx(2, rel=0.05)
    assert timing.num_runs == 60


def test_inside_the_noise_is_the_same():
    timings = compare(make_rounds(dense=0.1, masked=0.1), "dense")
    assert timings["masked"].verdict == "same"
    assert timings["dense"].speedup == timings["dense"].speedup_low == 1
    assert describe(timings["dense"]) == "same within 3% (1.00 to 1.00 times as fast)"


def test_a_wide_interval_around_one_is_not_said_to_be_the_same():
    timing = compare(make_rounds(dense=0.1, masked=0.1), "dense")["masked"]
    wide = replace(timing, speedup_low=1.02, speedup_high=1.9, verdict="same")
    assert describe(wide) == "no difference can be told (1.02 to 1.90 times as fast)"


def test_slower_is_said_with_numbers_above_one():
    timing = compare([{"dense": 0.1, "slow": 0.3}] * 20, "dense")["slow"]
    assert timing.verdict == "slower"
    assert describe(timing) == "3.0x slower (3.0 to 3.0)"


def test_percentiles_are_of_the_times_themselves():
    timing = compare([{"a": ms / 1000} for ms in range(1, 102)], "a")["a"]
    assert (timing.p50_ms, timing.p95_ms) == (pytest.approx(51), pytest.approx(96))


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.floats(1e-6, 10), "b": st.floats(1e-6, 10)}), min_size=1
    )
)
def test_the_interval_holds_the_figure_and_swapping_sides_swaps_the_verdict(rounds):
    b = compare(rounds, "a")["b"]
    assert b.speedup_low <= b.speedup * (1 + 1e-9)
    assert b.speedup <= b.speedup_high * (1 + 1e-9)
    swapped = compare(rounds, "b")["a"]
    assert swapped.speedup == pytest.approx(1 / b.speedup)
    opposite = {"faster": "slower", "slower": "faster", "same": "same", "unclear": "unclear"}
    # An interval that ends just at a bound may fall on its other side.
    assert {b.verdict, opposite[swapped.verdict]} <= {b.verdict, "same", "unclear"}


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.floats(1e-6, 10), "b": st.floats(1e-6, 10)}), min_size=1
    )
)
def test_the_figure_is_the_ratio_of_the_columns_beside_it(rounds):
    timings = compare(rounds, "a")
    assert timings["b"].speedup == pytest.approx(timings["a"].p50_ms / timings["b"].p50_ms)


def test_a_machine_that_is_too_busy_gives_no_verdict():
    rng = np.random.default_rng(0)
    rounds = [{"dense": rng.lognormal(0, 2), "int8": rng.lognormal(-2, 2)} for _ in range(15)]
    timing = compare(rounds, "dense")["int8"]
    assert timing.speedup_high > 2 * timing.speedup_low
    assert timing.verdict == "unclear"
    assert describe(timing) == "the machine was too busy to tell; measure again"
