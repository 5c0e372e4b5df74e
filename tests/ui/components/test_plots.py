import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from foundry.runs.folders import append_event, write_status
from foundry.training import TrainConfig, TrainEvent
from foundry.training.runs import create_run, read_run
from foundry.ui.components import plots
from foundry.ui.train.tab import build_panel

CONFIG = TrainConfig(epochs=4, num_train_images=500)


def status_html(run, runs_ahead=0):
    """The status line of a run with so many before it."""
    queue = SimpleNamespace(position=lambda run_id: runs_ahead)
    return build_panel(queue).status_html(run)


@given(st.lists(st.none() | st.floats(min_value=0)))
def test_the_axis_of_losses_holds_them_and_wastes_little(losses):
    bottom, top = plots.loss_axis(losses)
    known = [loss for loss in losses if loss is not None and math.isfinite(loss) and loss > 0]
    assert bottom == 0
    if known:
        # Higher than 10 nats only if it began so.
        highest = min(max(known), max(10.0, known[0]))
        assert highest <= top * (1 + 1e-9) and top <= 1.6 * highest


def test_a_loss_that_explodes_does_not_press_the_others_onto_the_axis():
    assert plots.loss_axis([2.3, 2.1, 1e30]) == [0.0, 10.0]


def test_the_axis_of_losses_grows_by_steps():
    assert plots.loss_axis([2.31, None, 2.28]) == plots.loss_axis([2.44]) == [0.0, 2.5]
    assert plots.loss_axis([0.034, math.nan]) == pytest.approx([0.0, 0.04])
    assert plots.loss_axis([]) == plots.loss_axis([0.0]) == [0.0, 1.0]


def test_the_axis_of_accuracies_holds_them():
    assert plots.accuracy_axis([None, 0.974, 0.991]) == [97.0, 100.0]
    assert plots.accuracy_axis([0.113, 0.98]) == [10.0, 100.0]
    assert plots.accuracy_axis([]) == [90.0, 100.0]
    assert plots.accuracy_axis([1.0]) == [99.0, 100.0]


def event_at(step, val_accuracy=None, is_best=False):
    """Two steps an epoch, four epochs."""
    return TrainEvent(
        step=step,
        num_steps=8,
        epoch=(step + 1) // 2,
        train_loss=1 / step,
        learning_rate=1e-3,
        val_loss=None if val_accuracy is None else 1 - val_accuracy,
        val_accuracy=val_accuracy,
        is_best=is_best,
        images_per_s=12_345.0,
        elapsed_s=3.0 * step,
    )


@pytest.fixture
def run(runs_folder):
    """Three of four epochs; the second is the best."""
    run = create_run(CONFIG, "alice", "cpu")
    for event in (
        event_at(1),
        event_at(2, 0.80, True),
        event_at(3),
        event_at(4, 0.95, True),
        event_at(5),
        event_at(6, 0.90),
    ):
        append_event(run.folder, event)
    write_status(run.folder, "running")
    return read_run(run.run_id)


@pytest.fixture
def stopped_early(run):
    write_status(run.folder, "done")
    return read_run(run.run_id)


def series(frame, name):
    """The points of one curve; a row without a point only reserves its colour."""
    chosen = frame[frame["series"] == name].dropna()
    return [tuple(point) for point in chosen.iloc[:, :2].to_numpy()]


def assert_points(points, expected):
    np.testing.assert_allclose(points, expected)


@pytest.mark.parametrize("build", [plots.loss_frame, plots.accuracy_frame])
def test_a_frame_without_a_run_has_no_points_but_types(build):
    frame = build(None)
    assert len(frame.dropna()) == 0
    # A plot that starts with untyped columns would treat numbers as names.
    assert all(pd.api.types.is_float_dtype(frame[column]) for column in frame.columns[:2])
    assert not pd.api.types.is_numeric_dtype(frame["series"])


def test_a_comparison_of_nothing_is_empty_but_typed():
    frame = plots.comparison_frame([])
    assert list(frame.columns) == ["epoch", "accuracy", "run"]
    assert pd.api.types.is_float_dtype(frame["accuracy"])


def test_the_loss_plot_holds_both_losses_and_the_kept_epoch(run):
    frame = plots.loss_frame(run)
    # Two steps an epoch: step 1 is epoch 0.5.
    assert series(frame, plots.TRAIN) == [(s / 2, 1 / s) for s in range(1, 7)]
    assert_points(series(frame, plots.VALIDATION), [(1, 0.2), (2, 0.05), (3, 0.1)])
    assert series(frame, plots.KEPT) == [(2, 0.0), (2, 1.0)]
    assert series(frame, plots.STOPPED_EARLY) == []


def test_the_accuracy_plot_is_in_percent(run):
    frame = plots.accuracy_frame(run)
    assert_points(series(frame, plots.VALIDATION), [(1, 80), (2, 95), (3, 90)])
    assert_points(series(frame, plots.KEPT), [(2, 80), (2, 100)])


def test_an_early_stop_is_marked(stopped_early):
    for build in (plots.loss_frame, plots.accuracy_frame):
        marks = series(build(stopped_early), plots.STOPPED_EARLY)
        assert [epoch for epoch, _ in marks] == [3, 3]


def test_nothing_is_marked_before_the_first_epoch_has_ended(runs_folder):
    run = create_run(CONFIG, "alice")
    append_event(run.folder, event_at(1))
    frame = plots.loss_frame(read_run(run.run_id))
    assert set(frame.dropna()["series"]) == {plots.TRAIN}


def test_a_plot_knows_from_the_start_every_curve_it_will_hold(runs_folder):
    # A plot settles its colours when it is built.
    run = create_run(replace(CONFIG, patience=1), "alice")
    names = {plots.TRAIN, plots.VALIDATION, plots.KEPT, plots.STOPPED_EARLY}
    assert set(plots.loss_frame(run)["series"]) == names
    assert set(plots.accuracy_frame(run)["series"]) == names - {plots.TRAIN}


def test_runs_are_compared_under_names_that_tell_them_apart(run):
    others = [
        replace(run, run_id="20261123-101112-00000000"),
        replace(run, run_id="20261123-101113-00000000", config=replace(CONFIG, model="cnn")),
    ]
    frame = plots.comparison_frame(others)
    assert set(frame["run"]) == {
        "LeNet, 4 epochs, 11-23 10:11 (0000)",
        "CNN, 4 epochs, 11-23 10:11 (0000)",
    }
    assert frame["accuracy"].max() == pytest.approx(95)


def test_two_runs_of_the_same_second_are_two_curves(run):
    same_second = [
        replace(run, run_id="20261123-101112-00000000"),
        replace(run, run_id="20261123-101112-11111111"),
    ]
    assert plots.comparison_frame(same_second)["run"].nunique() == 2


def test_the_confusion_matrix_agrees_with_sklearn():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 10, (2, 1000))
    np.testing.assert_array_equal(
        plots.confusion_matrix(labels, predictions),
        sklearn.metrics.confusion_matrix(labels, predictions, labels=range(10)),
    )


def test_the_bars_show_ten_digits_and_the_likeliest_first():
    probs = [0.01] * 10
    probs[7] = 0.91
    html = plots.digit_bars(probs)
    assert "<b>7</b>" in html
    assert "91.0% sure" in html
    assert html.count('class="track"') == 10


def test_an_empty_pad_says_so():
    assert "Draw a digit" in plots.digit_bars(None)


def test_figures_are_escaped():
    assert "<script>" not in plots.figures({"<script>": "<script>"})


def test_tiles_lie_side_by_side_and_keep_their_order():
    maps = np.zeros((10, 3, 4), dtype=np.float32)
    maps[9] = 1.0
    image = plots.tile(maps, columns=8, zoom=2)
    # 8 tiles of 4 with gaps of 1, two rows of 3 with one gap, all twice as large.
    assert image.size == (2 * (8 * 4 + 7), 2 * (2 * 3 + 1))
    pixels = np.asarray(image)
    # The tenth tile is the second of the second row; the brightest colour is yellow.
    assert tuple(pixels[-1, 2 * 6][:3]) == (240, 228, 66)
    assert tuple(pixels[0, 0][:3]) == (15, 23, 42)


@pytest.mark.parametrize("value", [0.0, -1.0, 1.0])
def test_maps_of_one_value_can_be_tiled(value):
    image = plots.tile(np.full((3, 5, 5), value, dtype=np.float32))
    assert np.isfinite(np.asarray(image)).all()


def test_a_digit_is_enlarged_without_smoothing(mnist):
    digit = mnist.test.images[0].numpy()
    enlarged = np.asarray(plots.digit_image(digit, zoom=3))
    np.testing.assert_array_equal(enlarged[::3, ::3], digit)
    np.testing.assert_array_equal(enlarged, digit.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("queued", "Waiting"),
        ("running", "Training"),
        ("paused", "Paused"),
        ("stopped", "Stopped"),
        ("done", "Done"),
        ("failed", "Failed"),
        ("interrupted", "Interrupted"),
    ],
)
def test_every_status_is_said_in_words(run, status, says):
    html = status_html(replace(run, status=status))
    assert says in html
    # 6 of 8 steps.
    assert 'aria-valuenow="75"' in html


def test_a_running_status_gives_percentage_time_left_and_speed(run):
    html = status_html(run)
    assert "75%" in html
    # 18 s for 6 steps: 6 s for the remaining 2.
    assert "6 s left" in html
    # 12,345 to three significant figures.
    assert "12,300 images/s" in html


def test_a_failure_gives_its_reason_escaped(run):
    failed = replace(run, status="failed", reason="the <b>disk</b> is full")
    assert "the &lt;b&gt;disk&lt;/b&gt; is full" in status_html(failed)
    assert "Resume" in status_html(failed)


def test_a_place_in_the_queue_is_told(runs_folder):
    run = create_run(CONFIG, "alice")
    assert "1 run before this one" in status_html(run, 1)
    assert "2 runs before this one" in status_html(run, 2)


@pytest.mark.parametrize(
    "status", ["queued", "running", "paused", "stopped", "failed", "interrupted"]
)
def test_a_run_without_events_has_a_status_line_too(runs_folder, status):
    run = create_run(CONFIG, "alice")
    write_status(run.folder, status, "the reason" if status == "failed" else "")
    html = status_html(read_run(run.run_id))
    assert 'aria-valuenow="0"' in html
    if status == "failed":
        assert "the reason" in html
