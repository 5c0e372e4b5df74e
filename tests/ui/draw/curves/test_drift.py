"""Digits that drift: what the page shows while they are measured."""

import json

import gradio as gr
import pytest

from foundry.digits.drift.corruptions import KINDS
from foundry.digits.drift.measuring import measure_drift
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.ui.draw.curves import drift
from foundry.ui.draw.curves.drift import on_measure, strip_html


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))


def test_every_change_has_a_chart_that_grows(lenet, mnist, monkeypatch):
    monkeypatch.setattr(drift, "NUM_DIGITS", 50)
    outputs = list(on_measure("cpu", "alice", ["lenet dense", "lenet pruned"]))
    assert "Done" in outputs[-1][0]
    charts = [json.loads(chart) for chart in outputs[-1][1:]]
    assert len(charts) == len(KINDS)
    *_, event = measure_drift(lenet, mnist.test.head(50))
    for kind, chart in zip(KINDS, charts, strict=True):
        dense, pruned = chart["curves"]
        assert dense["name"] == "LeNet (shipped), dense"
        assert [y for _, y in dense["points"]] == pytest.approx(
            [100 * accuracy for accuracy in event.accuracies[kind]]
        )
        assert len(pruned["points"]) == 6
    # Of a reading, only the charts that it changed are sent.
    sent = [sum(isinstance(one, str) for one in output[1:]) for output in outputs]
    assert sent == [5, *25 * [1], 5, *25 * [1], 5]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [([], "one to 4 models"), (["../x dense"], "There is no model “../x dense”")],
)
def test_what_cannot_be_measured_is_refused(chosen, sentence):
    with pytest.raises(gr.Error) as refused:
        next(on_measure("cpu", "alice", chosen))
    assert sentence in refused.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_is_shown_on_a_digit(kind):
    assert strip_html(kind).count("data:image/png") == 1
