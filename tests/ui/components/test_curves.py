"""What the curves of a run hold, and the axes they are drawn on."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from three_epochs import CONFIG, event_at, make_run

from foundry.runs.folders import append_event, write_status
from foundry.training.runs import create_run, read_run
from foundry.ui.components.curves import (
    accuracy_axis,
    accuracy_curves,
    loss_axis,
    loss_curves,
)
from foundry.ui.components.line_chart import Curve, render_lines


@given(st.lists(st.none() | st.floats(min_value=0)))
def test_the_axis_of_losses_holds_them_and_wastes_little(losses):
    bottom, top = loss_axis(losses)
    known = [loss for loss in losses if loss is not None and math.isfinite(loss) and loss > 0]
    assert bottom == 0
    if known:
        # Higher than 10 nats only if it began so.
        highest = min(max(known), max(10.0, known[0]))
        assert highest <= top * (1 + 1e-9) and top <= 1.6 * highest


def test_a_loss_that_explodes_does_not_press_the_others_onto_the_axis():
    assert loss_axis([2.3, 2.1, 1e30]) == [0.0, 10.0]


def test_the_axis_of_losses_grows_by_steps():
    assert loss_axis([2.31, None, 2.28]) == loss_axis([2.44]) == [0.0, 2.5]
    assert loss_axis([0.034, math.nan]) == pytest.approx([0.0, 0.04])
    assert loss_axis([]) == loss_axis([0.0]) == [0.0, 1.0]


def test_the_axis_of_accuracies_holds_them():
    assert accuracy_axis([None, 0.974, 0.991]) == [97.0, 100.0]
    assert accuracy_axis([0.113, 0.98]) == [10.0, 100.0]
    assert accuracy_axis([]) == [90.0, 100.0]
    assert accuracy_axis([1.0]) == [99.0, 100.0]


@pytest.fixture
def run(runs_folder):
    return make_run()


@pytest.fixture
def stopped_early(run):
    write_status(run.folder, "done")
    return read_run(run.run_id)


def points_of(curves):
    """The points of every curve that has any, by its name."""
    return {
        curve.name: [point for point in curve.points if point[1] is not None]
        for curve in curves
        if any(y is not None for _, y in curve.points)
    }


@pytest.mark.parametrize("build", [loss_curves, accuracy_curves])
def test_before_the_first_event_the_legend_is_there_and_no_point(build, runs_folder):
    curves = build(create_run(CONFIG, "alice"))
    assert len(curves) > 1
    assert points_of(curves) == {}


def test_the_loss_chart_holds_both_losses_and_the_kept_epoch(run):
    found = points_of(loss_curves(run))
    # Two steps an epoch: step 1 is epoch 0.5.
    assert found["training"] == [(s / 2, 1 / s) for s in range(1, 7)]
    np.testing.assert_allclose(found["validation"], [(1, 0.2), (2, 0.05), (3, 0.1)])
    assert [epoch for epoch, _ in found["epoch kept"]] == [2]
    assert "stopped early" not in found


def test_the_accuracy_chart_is_in_percent(run):
    found = points_of(accuracy_curves(run))
    np.testing.assert_allclose(found["validation"], [(1, 80), (2, 95), (3, 90)])
    assert [epoch for epoch, _ in found["epoch kept"]] == [2]


def test_accuracy_within_an_epoch_is_a_curve_of_its_own(runs_folder):
    run = create_run(CONFIG, "alice")
    append_event(run.folder, replace(event_at(1), sample_accuracy=0.5))
    assert points_of(accuracy_curves(read_run(run.run_id))) == {
        "500 of its pictures": [(0.5, 50.0)]
    }


def test_an_early_stop_is_marked(stopped_early):
    patient = replace(stopped_early, config=replace(CONFIG, patience=1))
    for build in (loss_curves, accuracy_curves):
        assert [epoch for epoch, _ in points_of(build(patient))["stopped early"]] == [3]


def test_nothing_is_marked_before_the_first_epoch_has_ended(runs_folder):
    run = create_run(CONFIG, "alice")
    append_event(run.folder, event_at(1))
    assert set(points_of(loss_curves(read_run(run.run_id)))) == {"training"}


def test_the_legend_has_from_the_start_every_curve_there_will_be(runs_folder):
    run = create_run(replace(CONFIG, patience=1), "alice")
    before = [[curve.name for curve in build(run)] for build in (loss_curves, accuracy_curves)]
    append_event(run.folder, event_at(2, 0.8, True))
    write_status(run.folder, "done")
    after = read_run(run.run_id)
    assert before == [
        [curve.name for curve in build(after)] for build in (loss_curves, accuracy_curves)
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats())))
def test_only_finite_points_reach_the_page_to_five_digits(points):
    chart = json.loads(render_lines([Curve("loss", "#000", points)], [0, 100], [0, 1]))
    sent = chart["curves"][0]["points"]
    kept = [(x, y) for x, y in points if y is not None and math.isfinite(y)]
    assert len(sent) == len(kept)
    for was, now in zip(kept, sent, strict=True):
        assert now == pytest.approx(was, rel=1e-4)
