import base64
import io
import json
import shutil

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from foundry.data import load_test_split, normalize
from foundry.models import load_model
from foundry.training import TrainConfig
from foundry.training.runs import read_run
from foundry.training.snapshots import list_snapshots, load_snapshot
from foundry.training.state import build_untrained
from foundry.ui.train.inspection.watch import render_watch, render_watch_added


def shown(run):
    return json.loads(render_watch(run))


def images_of(value):
    """What the page shows, from the mask that it is sent, shape (20, 28, 28)."""
    file = io.BytesIO(base64.b64decode(value["sprite"].split(",")[1]))
    ink = np.asarray(Image.open(file).getchannel("A"))
    return np.stack(np.split(ink, 20, axis=1))


def guess(model, value):
    with torch.inference_mode():
        return model(normalize(torch.from_numpy(images_of(value)))).argmax(1).tolist()


def test_before_any_run_it_is_the_network_that_start_would_train():
    value = shown(None)
    (frame,) = value["frames"]
    assert frame["guesses"] == guess(build_untrained(TrainConfig()), value)
    right = sum(a == b for a, b in zip(frame["guesses"], value["labels"], strict=True))
    assert frame["when"] == f"Untrained: {right} of 20 right"


def test_the_digits_are_of_the_test_split_two_of_each():
    value = shown(None)
    assert value["labels"] == [*range(10)] * 2
    test = load_test_split()
    images = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(*vars(test).values(), strict=True)
    }
    assert [images[image.tobytes()] for image in images_of(value)] == value["labels"]


def test_a_finished_run_can_be_gone_through_from_its_start_to_its_end(finished):
    value = shown(finished)
    paths = list_snapshots(finished.snapshots_folder)
    assert len(value["frames"]) == len(paths) > 20
    assert value["frames"][0]["when"].startswith("Untrained: ")
    last = finished.events[-1]
    assert value["frames"][-1]["when"].startswith(
        f"After {last.num_steps} updates, in epoch {last.epoch}: "
    )
    for place in (0, len(paths) // 2, -1):
        model, frame = load_snapshot(paths[place], finished.config), value["frames"][place]
        assert frame["guesses"] == guess(model, value)
        weights = model.conv1.weight[:, 0].detach().numpy()
        sent = np.frombuffer(base64.b64decode(frame["filters"]), np.uint8).astype(float)
        filters = (sent.reshape(value["shape"]) - 127) / 127 * np.abs(weights).max()
        np.testing.assert_allclose(filters, weights, atol=np.abs(weights).max() / 250)


def test_it_is_sent_again_only_when_there_is_more_to_see(finished):
    num_events = len(finished.events)
    assert json.loads(render_watch_added(finished, 0)) == shown(finished)
    assert json.loads(render_watch_added(finished, num_events - 5)) == shown(finished)
    assert render_watch_added(finished, num_events) == gr.skip()


def test_a_run_without_snapshots_shows_the_epoch_that_was_kept(finished, tmp_path, monkeypatch):
    shutil.copytree(finished.folder, tmp_path / finished.run_id)
    shutil.rmtree(tmp_path / finished.run_id / "snapshots")
    monkeypatch.setenv("FOUNDRY_RUNS_DIR", str(tmp_path))
    run = read_run(finished.run_id)
    value = shown(run)
    (frame,) = value["frames"]
    assert frame["guesses"] == guess(load_model(run.best_folder), value)


@pytest.mark.parametrize("model", ["lenet", "cnn"])
def test_every_network_has_filters_to_see(model):
    network = build_untrained(TrainConfig(model=model))
    assert network.conv1.weight.shape[1] == 1
