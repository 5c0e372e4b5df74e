import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_calibration_error

from foundry.training.inspection.reliability import (
    NUM_BINS,
    measure_reliability,
)


def draw(seed, num_digits, scale):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(num_digits, 10, generator=generator)
    return logits, torch.randint(10, (num_digits,), generator=generator)


@given(
    seed=st.integers(0, 10_000),
    num_digits=st.integers(1, 300),
    scale=st.floats(0.1, 20),
    temperature=st.floats(0.25, 4),
)
def test_the_error_is_that_of_torchmetrics(seed, num_digits, scale, temperature):
    logits, labels = draw(seed, num_digits, scale)
    measured = measure_reliability(logits, labels, temperature)
    probs = (logits.double() / temperature).softmax(1)
    error = multiclass_calibration_error(probs, labels, num_classes=10, n_bins=NUM_BINS, norm="l1")
    assert measured.calibration_error == pytest.approx(error.item(), abs=1e-6)
    assert measured.loss == pytest.approx(
        F.cross_entropy(logits.double() / temperature, labels).item(), rel=1e-6
    )
    assert sum(bin.count for bin in measured.bins) == num_digits
    right = sum(bin.count * bin.accuracy for bin in measured.bins)
    assert right == pytest.approx((logits.argmax(1) == labels).sum().item())
    assert measured.confidence == pytest.approx(probs.max(1).values.mean().item())


def test_by_hand():
    # Sure to 0.9 of three and right twice; to 0.5 of one, which is wrong.
    probs = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.5, 0.3]])
    probs = torch.cat([probs, torch.zeros(4, 8)], dim=1)
    probs[3, 2] = 0.2
    measured = measure_reliability(probs.log(), torch.tensor([0, 1, 1, 3]))
    assert measured.calibration_error == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.5)
    full = [(bin.count, round(bin.accuracy, 4)) for bin in measured.bins if bin.count]
    assert full == [(1, 0.0), (3, 0.6667)]
    assert measured.bins[13].confidence == pytest.approx(0.9)


def test_a_higher_temperature_makes_less_sure_and_changes_no_answer():
    logits, labels = draw(0, 500, 4.0)
    measured = [measure_reliability(logits, labels, t) for t in (0.5, 1.0, 2.0, 4.0)]
    assert [one.confidence for one in measured] == sorted(
        (one.confidence for one in measured), reverse=True
    )
    right = {round(sum(bin.count * bin.accuracy for bin in one.bins)) for one in measured}
    assert len(right) == 1
