"""Training on what a visitor brought: outputs and names follow it, and resuming does not mix."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from shades import CLASSES, make_shades
from waiting import PATIENCE_S

from foundry.errors import InputError
from foundry.models import available_architectures, load_model
from foundry.runs.data_sets import keep_data_set, load_data, remove_data_set
from foundry.training import TrainConfig, TrainState, train
from foundry.training.checkpoints import load_checkpoint, save_checkpoint
from foundry.training.config import LIMITS
from foundry.training.inspection.measures import measure_classes
from foundry.training.inspection.replay import list_moments
from foundry.training.runs import create_run, read_run
from foundry.training.worker import _start_or_go_on


@pytest.fixture
def about(runs_folder):
    return keep_data_set(make_shades(), "shades.zip", "alice")


def settings(about, **knobs):
    return TrainConfig(
        dataset=about.data_id, num_train_images=500, batch_size=16, epochs=3, **knobs
    ).fit(120)


@pytest.mark.parametrize("model", available_architectures())
def test_every_network_learns_other_classes_than_digits(about, model):
    data = load_data(about.data_id)
    config = settings(about, model=model, learning_rate=0.003)
    state = TrainState(config, classes=data.classes)
    losses = [event.train_loss for event in train(state, data)]
    assert losses[-1] < losses[0]
    assert state.model.last.out_features == 3
    assert state.best_model().classes == CLASSES


def test_a_run_takes_the_names_and_the_number_from_its_data(about):
    run = create_run(TrainConfig(dataset=about.data_id), "alice")
    assert run.classes == CLASSES
    # All there are.
    assert run.config.num_train_images == 120
    assert read_run(run.run_id).classes == CLASSES
    (moment,) = list_moments(run)
    assert moment.load().last.out_features == 3


def test_a_run_on_anothers_data_is_refused_and_nothing_is_made(about, runs_folder):
    with pytest.raises(InputError, match="You have no data set"):
        create_run(TrainConfig(dataset=about.data_id), "bob")
    assert not list(runs_folder.glob("2*"))


def test_a_run_of_an_earlier_version_is_one_of_digits(runs_folder):
    run = create_run(TrainConfig(), "alice")
    made = json.loads((run.folder / "run.json").read_text())
    assert "classes" not in made
    del made["config"]["dataset"]
    (run.folder / "run.json").write_text(json.dumps(made))
    again = read_run(run.run_id)
    assert again.is_on_mnist
    assert again.classes == tuple("0123456789")


@pytest.mark.parametrize("value", ["cifar", "", None, 3, "../x", "0" * 23, ["mnist"]])
def test_what_names_no_data_set_is_refused(value):
    with pytest.raises(InputError, match=r"^dataset is .* accepted\.$"):
        TrainConfig(dataset=value)


def test_the_number_of_images_follows_the_set():
    own = TrainConfig(dataset="0" * 24)
    assert own.fit(40).num_train_images == 40
    assert own.fit(100_000).num_train_images == 100_000
    fewer = TrainConfig(dataset="0" * 24, num_train_images=500)
    assert fewer.fit(10_000).num_train_images == 500
    assert fewer.fit(40).num_train_images == 40
    with pytest.raises(InputError):
        TrainConfig(num_train_images=LIMITS["num_train_images"][0] - 1)


def test_a_checkpoint_knows_its_classes_and_goes_on_with_the_same_numbers(about, tmp_path):
    data = load_data(about.data_id)
    state = TrainState(settings(about), classes=data.classes)
    events = train(state, data)
    for _ in range(9):
        next(events)
    resumed = load_checkpoint(save_checkpoint(state, tmp_path))
    assert resumed.model.classes == CLASSES
    losses = [event.train_loss for event in events]
    assert [event.train_loss for event in train(resumed, data)] == pytest.approx(losses)


def test_going_on_with_another_data_set_is_refused(about):
    run = create_run(TrainConfig(epochs=1, num_train_images=500), "alice", "cpu")
    state = TrainState(settings(about), classes=CLASSES)
    save_checkpoint(state, run.checkpoints_folder)
    with pytest.raises(InputError, match="another data set"):
        _start_or_go_on(run, torch.device("cpu"))


@pytest.mark.slow("a real worker")
def test_a_worker_trains_on_it_and_says_what_accuracy_hides(about, queue):
    run = queue.start(create_run, settings(about, learning_rate=0.003), "alice", "cpu")
    queue.wait(run.run_id, PATIENCE_S)
    run = read_run(run.run_id)
    assert run.status == "done", run.reason
    assert run.test_probs.shape == (15, 3)
    assert run.result["majority_share"] == 9 / 15
    assert 0 < run.result["balanced_accuracy"] <= 1
    config = json.loads((run.best_folder / "config.json").read_text())
    assert config["classes"] == list(CLASSES)
    assert load_model(run.best_folder).classes == CLASSES


@pytest.mark.slow("a real worker")
def test_a_run_whose_data_is_gone_says_so(about, queue):
    run = create_run(TrainConfig(**asdict(settings(about))), "alice", "cpu")
    remove_data_set(about.data_id, "alice")
    queue.submit(run)
    queue.wait(run.run_id, PATIENCE_S)
    run = read_run(run.run_id)
    assert run.status == "failed"
    assert "bring its file again" in run.reason
    assert run.is_resumable


def test_measures_are_what_the_hand_counts():
    # Of class 0 three of four are right, of class 1 one of two; class 2 is not there.
    labels, answers = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 2])
    measures = measure_classes(labels, answers, 3)
    assert measures.recalls[:2] == (0.75, 0.5)
    assert np.isnan(measures.recalls[2])
    assert measures.balanced_accuracy == 0.625
    assert (measures.majority, measures.majority_share) == (0, 4 / 6)
