"""A search by a real worker on Ray: killed, gone on with, stopped."""

import os
import signal
from dataclasses import replace

import pytest
from queues import build_queue
from waiting import wait_until

from foundry.errors import ArtifactError
from foundry.runs.folders import write_status
from foundry.search import SearchConfig
from foundry.search.runs import TUNE_FOLDER, adopt_trial, create_search, read_search

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

# Ray starts a dozen processes, which takes a while on a busy machine.
PATIENCE_S = 400
# More than any test lets it try.
ENDLESS = SearchConfig(
    num_train_images=500, batch_size=(64, 256), epochs=1, num_trials=300, minutes=0
)


@pytest.fixture
def queue(runs_folder):
    return build_queue()


def ended_trials(run):
    return [one for one in read_search(run.run_id).trials if one.last.state != "running"]


def test_a_killed_search_goes_on_and_a_stopped_one_keeps_what_there_is(queue):
    run = queue.start(create_search, ENDLESS, "alice")
    wait_until(lambda: len(ended_trials(run)) >= 2, "two trials", PATIENCE_S)
    os.kill(queue._worker.pid, signal.SIGKILL)
    queue.wait(run.run_id, PATIENCE_S)
    killed = read_search(run.run_id)
    assert killed.status == "failed" and "killed" in killed.reason
    before = {one.last.trial_id: one.last for one in ended_trials(run)}

    queue.submit(killed)
    wait_until(lambda: len(ended_trials(run)) >= len(before) + 2, "two trials more", PATIENCE_S)
    queue.stop(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    stopped = read_search(run.run_id)
    assert (stopped.status, stopped.reason) == ("stopped", "")
    # What had ended before the kill is as it was, and nothing is left under way.
    after = {one.last.trial_id: one.last for one in stopped.trials}
    assert [after[trial_id] for trial_id in before] == list(before.values())
    assert all(one.last.state != "running" for one in stopped.trials)
    assert stopped.result["trials"][0]["trial_id"] == stopped.best.last.trial_id
    elapsed = [event.elapsed_s for event in stopped.events]
    assert elapsed == sorted(elapsed)

    adopted = adopt_trial(stopped, stopped.best.last.trial_id, "alice")
    assert adopted.result["val_accuracy"] == stopped.best.accuracy
    assert adopted.config == stopped.config.train_config(stopped.best.last.settings)


def test_a_cluster_that_nobody_answers_at_is_a_failure_with_a_sentence(queue, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    run = queue.start(create_search, replace(ENDLESS, num_trials=1), "alice")
    queue.wait(run.run_id, PATIENCE_S)
    failed = read_search(run.run_id)
    assert failed.status == "failed"
    assert failed.reason.startswith("No Ray cluster answers at 127.0.0.1:1")


def test_a_search_of_a_dead_server_is_interrupted(runs_folder):
    run = create_search(ENDLESS, "alice")
    write_status(run.folder, "running")
    build_queue()
    assert read_search(run.run_id).status == "interrupted"


@pytest.mark.parametrize(
    "left",
    [b"", b"garbage", b"cno_such_module\nThing\n."],
    ids=["empty", "garbage", "another version's"],
)
def test_what_cannot_be_gone_on_with_is_a_sentence(tmp_path, left):
    from foundry.search.tune import build_tuner

    kept = tmp_path / TUNE_FOLDER
    kept.mkdir()
    for name in ("tuner.pkl", "trainable.pkl", "experiment_state-2026-11-25_00-00-00.json"):
        (kept / name).write_bytes(left)
    with pytest.raises(ArtifactError, match="damaged, or of another version"):
        build_tuner(ENDLESS, tmp_path, 0.0)


def test_trials_that_diverge_are_told_apart_and_do_not_end_a_search(queue):
    config = SearchConfig(
        num_train_images=1000, epochs=1, num_trials=3, minutes=0, optimizer=("sgd",),
        schedule=("constant",), learning_rate=(1.0, 1.0), batch_size=(16, 32),
    )  # fmt: skip
    run = queue.start(create_search, config, "alice")
    queue.wait(run.run_id, PATIENCE_S)
    ended = read_search(run.run_id)
    assert (ended.status, ended.reason) == ("done", "")
    states = [one.last.state for one in ended.trials]
    # Some get stuck at a finite loss instead, and may be stopped for it.
    assert len(states) == 3 and "diverged" in states
    assert set(states) <= {"diverged", "done", "stopped early"}
    # Told once each: nothing is tried again.
    assert sum(event.state == "diverged" for event in ended.events) == states.count("diverged")
