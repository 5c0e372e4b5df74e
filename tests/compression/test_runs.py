"""Compressions on disk and in the queue, with a real worker."""

import pytest
from queues import build_queue
from waiting import PATIENCE_S, wait_until

from foundry.compression.config import CompressConfig, CompressEvent
from foundry.compression.runs import (
    create_compression,
    list_compressions,
    list_own_compressions,
    read_compression,
    read_own_compression,
)
from foundry.errors import InputError
from foundry.models import build_model, save_model
from foundry.runs.folders import RUN_FILE, append_event, write_status
from foundry.training import TrainConfig
from foundry.training.runs import create_run, list_runs

QUICK = CompressConfig(pruning_ratio=0.0, weight_bits=32)
ENDLESS = CompressConfig(pruning_ratio=0.5, recovery_epochs=20)


def status_of(run):
    return read_compression(run.run_id).status


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FOUNDRY_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.slow("a real worker")
def test_cancel_ends_it_without_a_result(queue, cache):
    run = queue.start(create_compression, ENDLESS, "alice")
    wait_until(
        lambda: any(e.epoch for e in read_compression(run.run_id).events), "the recovery to begin"
    )
    queue.stop(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    assert (status_of(run), read_compression(run.run_id).result) == ("stopped", None)


@pytest.mark.slow("a real worker")
def test_a_compression_waits_behind_a_training_and_can_be_cancelled_there(queue):
    training = queue.start(create_run, TrainConfig(epochs=100), "alice", "cpu")
    run = queue.start(create_compression, QUICK, "bob")
    assert queue.position(run.run_id) == 1
    queue.stop(run.run_id)
    assert status_of(run) == "stopped"
    queue.stop(training.run_id)


def test_what_a_dead_server_left_is_interrupted(runs_folder):
    run = create_compression(QUICK, "alice")
    write_status(run.folder, "running")
    build_queue()
    assert status_of(run) == "interrupted"


def test_only_the_owner_reads_it(runs_folder):
    run = create_compression(QUICK, "alice")
    assert read_own_compression(run.run_id, "alice") == run
    for stranger in ("bob", "", None):
        with pytest.raises(InputError, match="You have no compression"):
            read_own_compression(run.run_id, stranger)
        assert list_own_compressions(stranger) == []
    assert list_own_compressions("alice") == list_compressions() == [run]
    # Trainings are another list.
    assert list_runs() == []


@pytest.mark.parametrize("owner", ["", None, 7])
def test_nobody_cannot_own_a_compression(runs_folder, owner):
    with pytest.raises(InputError, match="needs an owner"):
        create_compression(QUICK, owner)


@pytest.mark.parametrize("run_id", ["", "../..", "20260101-000000-0000000g", None, 7, "x" * 500])
def test_an_id_that_is_none_is_a_sentence(runs_folder, run_id):
    with pytest.raises(InputError, match="You have no compression"):
        read_compression(run_id)


def test_damaged_folders_are_left_out(runs_folder):
    run = create_compression(QUICK, "alice")
    other = create_compression(QUICK, "alice")
    (other.folder / RUN_FILE).write_text('{"owner": ')
    assert list_compressions() == [run]


def test_a_line_still_being_written_is_left_for_next_time(runs_folder):
    run = create_compression(QUICK, "alice")
    event = CompressEvent("load", "Loading", 0.25, 1.0)
    append_event(run.folder, event)
    with open(run.folder / "events.jsonl", "a") as log:
        log.write('{"stage": "mea')
    assert read_compression(run.run_id).events == [event]
    assert read_compression(run.run_id).progress == 0.25


def test_a_model_that_nobody_has_is_a_sentence_that_lists_those_there_are(runs_folder):
    with pytest.raises(InputError, match="There is no model “resnet”; choose one of lenet, bert"):
        create_compression(CompressConfig("resnet"), "alice")


def test_only_own_runs_with_weights_are_compressed(runs_folder):
    training = create_run(TrainConfig(), "alice")
    with pytest.raises(InputError, match="no weights yet"):
        create_compression(CompressConfig(training.run_id), "alice")
    with pytest.raises(InputError, match="There is no model"):
        create_compression(CompressConfig(training.run_id), "bob")


def test_a_cnn_has_no_mask(runs_folder):
    training = create_run(TrainConfig(model="cnn"), "alice")
    save_model(build_model("cnn"), training.best_folder)
    create_compression(CompressConfig(training.run_id), "alice")
    with pytest.raises(InputError, match="LeNet only"):
        create_compression(CompressConfig(training.run_id, sparsity=0.5), "alice")
