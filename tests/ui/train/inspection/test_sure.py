import json

import gradio as gr
import pytest
from torchmetrics.functional.classification import multiclass_calibration_error

from foundry.data import load_mnist
from foundry.models import load_model
from foundry.training.evaluation import evaluate
from foundry.ui.train.inspection.sure import on_sure, render_sure


def measure(run, owner="somebody"):
    return json.loads(on_sure(owner, gr.EventData(None, {"run": run.run_id})))


def test_nothing_is_measured_before_somebody_looks(finished):
    assert json.loads(render_sure(finished)) == {"run": finished.run_id, "rows": None}


def test_the_kept_network_is_measured_on_validation_at_every_temperature(finished):
    answer = measure(finished)
    rows = answer["rows"]
    temperatures = [row["temperature"] for row in rows]
    assert temperatures == sorted(temperatures)
    assert (temperatures[0], temperatures[-1]) == (0.25, 4)
    (plain,) = (row for row in rows if row["temperature"] == 1)
    val = load_mnist().val
    expected = evaluate(load_model(finished.best_folder), val)
    error = multiclass_calibration_error(
        expected.probs, val.labels, num_classes=10, n_bins=15, norm="l1"
    )
    assert plain["error"] == pytest.approx(error.item(), abs=1e-5)
    assert plain["loss"] == pytest.approx(expected.loss, rel=1e-4)
    assert answer["right"] == pytest.approx(expected.accuracy)
    assert sum(count for count, _, _ in plain["bins"]) == len(val)


def test_anothers_run_is_not_measured(finished):
    with pytest.raises(gr.Error, match="You have no run"):
        measure(finished, owner="alice")
