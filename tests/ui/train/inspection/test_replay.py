import base64
import json
import shutil

import gradio as gr
import numpy as np
import pytest
import torch
from drawing import SEVEN, data_url, draw_strokes

from foundry.data import load_mnist, normalize
from foundry.digits import read_drawing
from foundry.runs.folders import RUNS_DIR_VARIABLE, write_status
from foundry.training.runs import read_run
from foundry.training.snapshots import list_snapshots, load_snapshot, read_step
from foundry.ui.train.inspection.replay import on_replay

DRAWN = draw_strokes(SEVEN)
SENT = data_url(DRAWN)


def replay(run, drawing=SENT, step=0, owner="somebody"):
    """Return all that the page is sent."""
    event = gr.EventData(None, {"run": run.run_id, "step": step, "drawing": drawing})
    return [json.loads(value) for value in on_replay(owner, event)]


def probs_of(path, run, images):
    with torch.inference_mode():
        return load_snapshot(path, run.config)(normalize(images)).softmax(1)


def test_the_drawing_and_eight_digits_are_read_at_every_snapshot(finished, lenet):
    *_, last = replay(finished)
    assert last["isWhole"] and last["run"] == finished.run_id
    paths = list_snapshots(finished.snapshots_folder)
    assert [frame["step"] for frame in last["frames"]] == [read_step(path) for path in paths]
    seen = torch.from_numpy(read_drawing(lenet, DRAWN).image[None])
    for path, frame in zip(paths, last["frames"], strict=True):
        percents = np.array(frame["percents"])
        assert percents.shape == (9, 10)
        np.testing.assert_allclose(percents.sum(1), 100, atol=0.6)
        expected = probs_of(path, finished, seen)[0]
        np.testing.assert_allclose(percents[0], 100 * expected, atol=0.06)


def test_the_eight_are_validation_digits_that_a_trained_network_reads(lenet, finished):
    *_, last = replay(finished)
    labels = load_mnist().val.labels
    assert sorted(last["labels"]) == last["labels"] == [0, 1, 2, 3, 4, 5, 7, 9]
    answers = [int(np.argmax(row)) for row in last["frames"][-1]["percents"][1:]]
    assert np.mean(np.array(answers) == last["labels"]) >= 0.5
    assert set(last["labels"]) <= set(labels.tolist())


def test_the_matrix_is_what_training_itself_looks_at(finished):
    *_, last = replay(finished)
    digits = load_mnist().val.head(500)
    path = list_snapshots(finished.snapshots_folder)[-1]
    answers = probs_of(path, finished, digits.images).argmax(1)
    expected = np.zeros((10, 10), int)
    for label, answer in zip(digits.labels.tolist(), answers.tolist(), strict=True):
        expected[label, answer] += 1
    assert last["frames"][-1]["matrix"] == expected.ravel().tolist()
    assert all(sum(frame["matrix"]) == 500 for frame in last["frames"])


def test_the_map_has_every_digit_and_the_drawing_at_every_moment(finished):
    *_, last = replay(finished)
    for frame in last["frames"]:
        assert len(frame["answers"]) == 500
        assert len(base64.b64decode(frame["points"])) == 2 * 500
        assert len(base64.b64decode(frame["own"])) == 2


def test_the_moment_in_sight_comes_first(finished):
    steps = [read_step(path) for path in list_snapshots(finished.snapshots_folder)]
    first, *_ = replay(finished, step=steps[3])
    assert [frame["step"] for frame in first["frames"]] == [steps[3]]
    assert not first["isWhole"]


def test_it_says_since_when_the_drawing_is_read_as_it_is(finished):
    *_, last = replay(finished)
    answers = [int(np.argmax(frame["percents"][0])) for frame in last["frames"]]
    since = len(answers) - 1
    while since and answers[since - 1] == answers[-1]:
        since -= 1
    assert since > 0
    assert last["said"] == (
        f"Read as {answers[-1]} since update {last['frames'][since]['step']}; "
        f"just before, as {answers[since - 1]}."
    )


def test_without_a_drawing_there_are_the_eight(finished):
    *_, last = replay(finished, drawing="")
    assert (last["ink"], last["said"]) == ("", "")
    assert {len(frame["percents"]) for frame in last["frames"]} == {8}


def test_of_a_run_that_goes_on_only_what_is_in_sight_and_the_newest_are_counted(
    finished, tmp_path, monkeypatch
):
    shutil.copytree(finished.folder, tmp_path / finished.run_id)
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    run = read_run(finished.run_id)
    write_status(run.folder, "running")
    *_, last = replay(run, step=0)
    counted = [frame["step"] for frame in last["frames"] if frame["matrix"]]
    assert counted == [0, last["frames"][-1]["step"]] and len(last["frames"]) > 20


def test_of_anothers_run_nothing_is_shown(finished):
    *_, last = replay(finished, owner="alice")
    assert last["run"] == ""
    assert [frame["step"] for frame in last["frames"]] == [0]


@pytest.mark.parametrize("drawing", ["rubbish", "data:image/png;base64,AAAA", 7])
def test_what_is_no_drawing_is_refused(finished, drawing):
    with pytest.raises(gr.Error, match="did not arrive whole"):
        replay(finished, drawing=drawing)
