import pytest

from foundry.benchmark.harness.ring import carry, render_measured, ring_allreduce_s

FIGURES = {
    "batch_size": 32,
    "message_bytes": 90_000_000,
    "step_1_ms": 1000.0,
    "step_ms": 600.0,
    "efficiency": 0.83,
    "allreduce_ms": 130.0,
    "ring_ms": 91.0,
    "latency_ms": 1.0,
    "startup_s": 5.0,
}


def test_the_formula_by_hand():
    # Eight workers pass an eighth of 80 MB on 14 times, at 1 GB/s and 1 ms a hop.
    assert ring_allreduce_s(8, 80e6, 1e9, 1e-3) == pytest.approx(14 * (0.01 + 0.001))
    assert ring_allreduce_s(1, 80e6, 1e9, 1e-3) == 0


def test_two_workers_on_paper_communicate_as_measured():
    assert carry(FIGURES, 2)["communication_ms"] == pytest.approx(FIGURES["allreduce_ms"])


def test_more_workers_by_hand():
    carried = carry(FIGURES, 8)
    # 90 MB in 90 ms are 1 GB/s; a hop is half a millisecond; 39 ms of copying stay as they are.
    assert carried["communication_ms"] == pytest.approx(14 / 8 * 90 + 14 * 0.5 + 39)
    assert carried["same_batch"] == pytest.approx(1000 / (1000 + 8 * carried["communication_ms"]))
    assert carried["same_share"] == pytest.approx(1000 / (1000 + carried["communication_ms"]))


def test_the_table_has_every_figure_of_both_models():
    table = render_measured({"lenet": FIGURES, "bert": {**FIGURES, "startup_s": 7.0}})
    assert "| start-up, s | " in table and table.rstrip().endswith("| 7.0 |")
