"""Timing of every shipped model and variant."""

import pytest

from foundry.compression.config import list_models
from foundry.compression.speeds import measure_speeds
from foundry.models import available_variants

pytestmark = pytest.mark.slow("times every shipped model")


@pytest.fixture(scope="module")
def measured():
    steps, told = measure_speeds(budget_s=0.05), []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


def test_every_shipped_model_is_timed_in_every_variant(measured):
    specs = list_models()
    expected = [(spec.title, name) for spec in specs for name in available_variants(spec.name)]
    assert [(speed.model, speed.variant) for speed in measured[1]] == expected


def test_dense_is_one_and_the_others_have_an_interval(measured):
    for speed in measured[1]:
        timing = speed.timing
        assert timing.p50_ms > 0
        assert timing.num_runs >= 15
        assert timing.speedup_low <= timing.speedup <= timing.speedup_high
        if speed.variant == "dense":
            assert (timing.speedup_low, timing.speedup_high) == (1, 1)


def test_quality_is_that_of_the_cards_and_of_int8_there_is_none(measured):
    known = {(s.model.split()[0], s.variant): s.quality for s in measured[1] if s.quality}
    assert known["LeNet", "dense"] == pytest.approx(0.9945)
    assert known["LeNet", "pruned"] == pytest.approx(0.9933)
    assert known["BERT,", "dense"] == pytest.approx(0.8968)
    assert not any("int8" in variant for _, variant in known)


def test_progress_goes_one_way(measured):
    shares = [share for share, _ in measured[0]]
    assert shares == sorted(shares)
    assert shares[0] == 0 and shares[-1] <= 1
