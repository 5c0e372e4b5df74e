"""Trainings whose numbers leave the finite ones, from the loop to what a page is told."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from foundry.compression.config import CompressConfig
from foundry.compression.recovery import RECOVERY, PrunedTraining, RecoveryEvent
from foundry.compression.runs import create_compression, read_compression
from foundry.errors import ArtifactError, DivergedError, InputError
from foundry.models import build_model, load_model, save_model
from foundry.models.networks import is_finite
from foundry.runs.folders import append_event, write_json, write_status
from foundry.training import TrainConfig, TrainEvent, TrainState, train
from foundry.training.checkpoints import load_checkpoint, save_checkpoint
from foundry.training.runs import create_run, list_own_runs, read_run
from foundry.ui.train.results import render_results
from foundry.ui.train.view import describe_run, render_curves

DIVERGING = TrainConfig(
    num_train_images=2_000,
    epochs=3,
    batch_size=64,
    optimizer="sgd",
    learning_rate=1.0,
    schedule="constant",
    label_smoothing=0.0,
)


def refuse_constants(name):
    raise AssertionError(f"{name} is no JSON")


def read_strictly(path):
    text = path.read_text()
    lines = text.splitlines() if path.suffix == ".jsonl" else [text]
    return [json.loads(line, parse_constant=refuse_constants) for line in lines]


def poison(state):
    """Make a weight infinite, as one update too large does."""
    with torch.no_grad():
        state.model.fc3.weight[0, 0] = math.inf


def follow(events):
    """Return what was yielded before the end, and the error that ended it."""
    seen = []
    with pytest.raises(DivergedError) as ended:
        for event in events:
            seen.append(event)
    return seen, str(ended.value)


def test_a_rate_far_too_high_ends_in_a_sentence_with_a_step_and_a_way_out(small_mnist):
    state = TrainState(DIVERGING)
    events, sentence = follow(train(state, small_mnist))
    assert sentence == (
        f"diverged at step {state.step} of {state.num_steps}: the loss is no longer finite, most "
        "likely because a learning rate of 1 is too high for sgd; try 0.1"
    )
    assert all(math.isfinite(event.train_loss) for event in events)
    assert is_finite(state.model.parameters())


def test_the_weights_of_the_last_event_are_there_again(small_mnist):
    state = TrainState(replace(DIVERGING, learning_rate=0.01))
    events = train(state, small_mnist)
    before = [next(events) for _ in range(3)]
    weights = state.copy_weights()
    poison(state)
    seen, sentence = follow(events)
    assert seen == [] and f"at step {before[-1].step + 1} of" in sentence
    assert all(torch.equal(state.model.state_dict()[name], weights[name]) for name in weights)


def test_an_epoch_that_ends_out_of_bounds_is_not_kept(small_mnist, monkeypatch):
    state = TrainState(replace(DIVERGING, learning_rate=0.01, epochs=2))
    events = train(state, small_mnist)
    for event in events:
        if event.is_best:
            break
    kept = state.best_weights
    monkeypatch.setattr("foundry.training.loop._measure", lambda *_: (math.nan, 0.098))
    follow(events)
    assert state.best_epoch == 1 and state.best_weights is kept


def test_recovery_after_pruning_keeps_the_best_weights_so_far(lenet, small_mnist):
    short = replace(RECOVERY, num_train_images=2_000, batch_size=64, epochs=2)
    training = PrunedTraining(lenet, 0.5, small_mnist, short)
    events = iter(training)
    for event in events:
        if isinstance(event, RecoveryEvent) and event.event.is_best:
            break
    poison(training.state)
    follow(events)
    assert is_finite(training.best_model().parameters())


@pytest.mark.slow("a real worker")
def test_a_run_that_diverges_fails_for_good(queue):
    run = queue.start(create_run, DIVERGING, "alice", "cpu")
    queue.wait(run.run_id, 120)
    run = read_run(run.run_id)
    assert run.status == "failed"
    assert run.reason.startswith("diverged at step")
    assert run.result is None
    assert not run.is_resumable
    with pytest.raises(InputError, match="cannot be started again"):
        queue.submit(run)
    for path in run.folder.rglob("*.json*"):
        read_strictly(path)
    assert "Resume" not in describe_run(run)
    if run.events:
        assert is_finite(load_model(run.best_folder).parameters())


@pytest.fixture
def old_run(runs_folder):
    """What the version before left of a run that had diverged: done, with numbers that are none."""
    run = create_run(DIVERGING, "alice", "cpu")
    event = TrainEvent(
        step=32, num_steps=96, epoch=1, train_loss=math.nan, learning_rate=1.0, val_loss=math.nan,
        val_accuracy=0.098, is_best=True, images_per_s=9_000.0, elapsed_s=1.0,
    )  # fmt: skip
    log = [json.dumps(asdict(replace(event, train_loss=2.3, val_loss=None, val_accuracy=None)))]
    log.append(json.dumps(asdict(event)))
    (run.folder / "events.jsonl").write_text("\n".join(log) + "\n")
    result = {"run_id": run.run_id, "status": "done", "test_accuracy": 0.098, "test_loss": math.nan}
    (run.folder / "result.json").write_text(json.dumps(result))
    save_model(build_model("lenet"), run.best_folder)
    weights = load_file(run.best_folder / "model.safetensors")
    save_file(
        {name: torch.full_like(tensor, math.nan) for name, tensor in weights.items()},
        run.best_folder / "model.safetensors",
    )
    write_status(run.folder, "done")
    return read_run(run.run_id)


def test_a_run_of_the_version_before_is_listed_and_shown_as_what_it_is(old_run):
    assert list_own_runs("alice") == [old_run]
    assert (old_run.status, old_run.is_resumable, old_run.result) == ("failed", False, None)
    assert describe_run(old_run) == "at 33%, epoch 1 of 3: its loss was not finite: it diverged."
    json.dumps(old_run.summary, allow_nan=False)
    loss, _ = render_curves(old_run)
    training = json.loads(loss.value)["curves"][0]
    assert (training["name"], training["points"]) == ("training", [[1.0, 2.3]])
    assert render_results(old_run)[0].visible is False


@pytest.mark.slow("a real worker")
def test_weights_that_are_no_numbers_neither_read_nor_compress(old_run, queue):
    with pytest.raises(ArtifactError, match="not finite numbers: their training diverged"):
        load_model(old_run.best_folder)
    config = CompressConfig(model=old_run.run_id)
    run = queue.start(create_compression, config, "alice")
    queue.wait(run.run_id, 120)
    ended = read_compression(run.run_id)
    assert (ended.status, ended.result) == ("failed", None)
    assert "their training diverged" in ended.reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_name_for_is_not_written(tmp_path, value):
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "result.json", {"test_loss": value})
    assert (tmp_path / "result.json").read_text() == "{}"
    event = TrainEvent(1, 2, 1, value, 0.1, None, None, False, 1.0, 1.0)
    with pytest.raises(ValueError, match="JSON"):
        append_event(tmp_path, event)


def test_a_checkpoint_before_the_first_epoch_ends_is_strict_json(tmp_path):
    path = save_checkpoint(TrainState(DIVERGING), tmp_path)
    read_strictly(path / "state.json")
    assert load_checkpoint(path).best_val_loss == math.inf
