from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.metrics
from three_epochs import CONFIG, make_run

from foundry.runs.folders import write_status
from foundry.training.runs import create_run, read_run
from foundry.ui.components import plots
from foundry.ui.train.tab import build_panel


def status_html(run, runs_ahead=0):
    """The status line of a run with so many before it."""
    queue = SimpleNamespace(position=lambda run_id: runs_ahead)
    return build_panel(queue).status_html(run)


@pytest.fixture
def run(runs_folder):
    return make_run()


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
