import errno
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from queues import build_queue
from short_run import SHORT_RUN
from waiting import PATIENCE_S, wait_until

import foundry
from foundry.data import load_mnist
from foundry.errors import ArtifactError, InputError
from foundry.models import load_model
from foundry.runs.folders import (
    ACTIVE,
    LOG_FILE,
    RESUMABLE,
    RUNS_DIR_VARIABLE,
    runs_dir,
    write_status,
)
from foundry.training import TrainConfig
from foundry.training.checkpoints import find_checkpoint
from foundry.training.evaluation import evaluate
from foundry.training.runs import STEP, Run, create_run, list_runs, read_run
from foundry.training.snapshots import find_newest_step

PROJECT = Path(foundry.__file__).parent.parent

# Longer than any test lets it run.
ENDLESS = TrainConfig(num_train_images=500, batch_size=8, epochs=100)


def numbers(run):
    return [replace(event, images_per_s=0, elapsed_s=0) for event in run.events]


def status_of(run):
    return read_run(run.run_id).status


def wait_for_status(run, status):
    wait_until(lambda: status_of(run) == status, f"{run.run_id} to be {status}")
    return read_run(run.run_id)


def wait_for_epochs(run, num_epochs):
    def validated():
        return [e for e in read_run(run.run_id).events if e.val_loss is not None]

    wait_until(lambda: len(validated()) >= num_epochs, f"{num_epochs} epochs")


def steps_of(run):
    return [event.step for event in read_run(run.run_id).events]


# ---- with the real worker ----


@pytest.mark.slow("a real worker")
def test_a_run_goes_to_its_end_and_leaves_its_result(finished_run):
    run = finished_run
    assert (run.status, run.reason) == ("done", "")
    # The specification: at least these.
    expected = {"run_id", "status", "epochs", "val_accuracy", "test_accuracy"}
    assert set(run.result) >= expected | {"images_per_s", "elapsed_s"}
    assert run.result["run_id"] == run.run_id
    assert run.result["status"] == "done"
    assert run.result["epochs"] == SHORT_RUN.epochs
    assert run.result["images_per_s"] > 0
    assert run.result["elapsed_s"] == pytest.approx(run.events[-1].elapsed_s)
    assert run.progress == 1.0
    best = [event for event in run.events if event.is_best][-1]
    assert run.result["best_epoch"] == best.epoch
    assert run.result["val_accuracy"] == best.val_accuracy


@pytest.mark.slow("a real worker")
def test_a_finished_runs_figures_are_those_of_its_kept_weights(finished_run):
    mnist = load_mnist()
    model = load_model(finished_run.best_folder)
    test = evaluate(model, mnist.test)
    # The same weights on another number of threads: sums differ in the last digits.
    assert test.accuracy == pytest.approx(finished_run.result["test_accuracy"], abs=3e-4)
    assert test.loss == pytest.approx(finished_run.result["test_loss"], rel=1e-3)
    probs = finished_run.test_probs
    read = (probs.argmax(1) == mnist.test.labels).double().mean().item()
    assert read == finished_run.result["test_accuracy"]
    val = evaluate(model, mnist.val)
    assert val.accuracy == pytest.approx(finished_run.result["val_accuracy"], abs=5e-4)


@pytest.mark.slow("a real worker")
def test_a_paused_and_resumed_run_ends_with_the_numbers_of_an_uninterrupted_one(
    queue, finished_run
):
    run = queue.start(create_run, SHORT_RUN, "alice", "cpu")
    # The worker hears it when the first step is done.
    wait_for_status(run, "running")
    queue.pause(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    paused = read_run(run.run_id)
    assert paused.status == "paused"
    assert 0 < paused.progress < 1
    assert paused.result is None

    # One update by itself: shown, kept to look at, and paused again.
    before = steps_of(paused)
    queue.submit(paused, STEP)
    queue.wait(run.run_id, PATIENCE_S)
    stepped = read_run(run.run_id)
    assert stepped.status == "paused"
    step = before[-1] + 1
    assert steps_of(stepped) == [*before, step]
    assert find_newest_step(run.snapshots_folder) == step

    queue.submit(stepped)
    queue.wait(run.run_id, PATIENCE_S)
    resumed = read_run(run.run_id)
    assert resumed.status == "done"
    # Its loss is its own: it was the only update before its event, and the next event lacks it.
    seen, expected = numbers(resumed), numbers(finished_run)
    assert [event for event in seen if event.val_loss] == [
        event for event in expected if event.val_loss
    ]
    assert [event.step for event in seen if event.step != step] == [
        event.step for event in expected if event.step != step
    ]
    for name in ("val_accuracy", "test_accuracy", "test_loss", "best_epoch"):
        assert resumed.result[name] == finished_run.result[name]


@pytest.mark.slow("a real worker")
def test_a_killed_worker_is_a_failure_with_a_reason_and_can_be_resumed_and_stopped(queue):
    run = queue.start(create_run, ENDLESS, "alice", "cpu")
    wait_until(lambda: find_checkpoint(run.checkpoints_folder), "the first checkpoint")
    os.kill(queue._worker.pid, signal.SIGKILL)
    queue.wait(run.run_id, PATIENCE_S)
    failed = read_run(run.run_id)
    assert failed.status == "failed"
    assert "killed" in failed.reason
    assert "9" in failed.reason

    saved_step = int(find_checkpoint(run.checkpoints_folder).name.removeprefix("step-"))
    queue.submit(failed)
    before = failed.events[-1].step
    wait_until(lambda: steps_of(run) and steps_of(run)[-1] > before, "the run to go past the kill")
    # Before its first epoch has ended it has no figures to compare.
    wait_for_epochs(run, 1)
    queue.stop(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    stopped = read_run(run.run_id)
    assert stopped.status == stopped.result["status"] == "stopped"
    steps = steps_of(run)
    assert steps == sorted(set(steps))
    assert saved_step in steps
    elapsed = [event.elapsed_s for event in stopped.events]
    assert elapsed == sorted(elapsed)

    # The best weights so far are kept, and the figures are theirs.
    best = [event for event in stopped.events if event.is_best][-1]
    assert stopped.result["val_accuracy"] == best.val_accuracy
    measured = evaluate(load_model(stopped.best_folder), load_mnist().test).accuracy
    assert measured == pytest.approx(stopped.result["test_accuracy"], abs=3e-4)
    with pytest.raises(InputError, match="stopped"):
        queue.submit(stopped)


@pytest.mark.slow("a real worker")
def test_one_run_trains_while_the_other_waits_its_turn_and_then_starts_by_itself(queue):
    first = queue.start(create_run, ENDLESS, "alice", "cpu")
    second = queue.start(create_run, replace(ENDLESS, num_train_images=2000), "bob", "cpu")
    wait_for_status(first, "running")
    assert queue.position(first.run_id) == 0
    assert queue.position(second.run_id) == 1
    assert status_of(second) == "queued"
    # Stopped before its first epoch has ended: what there is becomes the kept weights.
    queue.stop(first.run_id)
    queue.wait(first.run_id, PATIENCE_S)
    assert read_run(first.run_id).result["status"] == "stopped"
    assert read_run(first.run_id).has_weights
    wait_until(lambda: read_run(second.run_id).events, "the second run to train")
    assert queue.position(second.run_id) == 0
    queue.stop(second.run_id)
    queue.wait(second.run_id, PATIENCE_S)
    assert status_of(second) == "stopped"


@pytest.mark.slow("a real worker")
def test_a_run_of_a_dead_server_is_interrupted_and_goes_on(runs_folder):
    # A worker whose server dies sees the end of its input.
    run = create_run(ENDLESS, "alice", "cpu")
    worker = subprocess.Popen(
        [sys.executable, "-m", "foundry.training.worker", run.run_id],
        stdin=subprocess.PIPE,
        cwd=PROJECT,
    )
    wait_until(lambda: len(steps_of(run)) >= 3, "three events")
    worker.stdin.close()
    assert worker.wait(PATIENCE_S) == 0
    assert status_of(run) == "interrupted"
    reached = steps_of(run)[-1]

    # A worker that had no time to say so leaves the run as it was.
    write_status(run.folder, "running")
    queue = build_queue()
    assert status_of(run) == "interrupted"
    queue.submit(read_run(run.run_id))
    wait_until(lambda: steps_of(run)[-1] > reached, "the run to go on")
    queue.stop(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    assert status_of(run) == "stopped"
    assert steps_of(run) == sorted(set(steps_of(run)))


@pytest.fixture
def standby(queue):
    """The process that stands by for the queue's next training; it ends with the test."""
    queue.stand_by(Run.worker)
    worker = queue._standby.worker
    yield worker
    for left in {worker, queue._standby.worker} - {None}:
        left.kill()
        left.wait(PATIENCE_S)


@pytest.mark.slow("a real worker")
def test_a_worker_that_stands_by_takes_the_next_run_and_another_takes_its_place(
    queue, standby, finished_run
):
    queue.stand_by(Run.worker)
    assert queue._standby.worker is standby, "one is enough"
    run = queue.start(create_run, SHORT_RUN, "alice", "cpu")
    queue.wait(run.run_id, PATIENCE_S)
    assert status_of(run) == "done"
    assert standby.wait(PATIENCE_S) == 0
    # Nothing that it did before has moved its random numbers.
    assert numbers(read_run(run.run_id)) == numbers(finished_run)
    # What it printed went where a worker's words go.
    assert (run.folder / LOG_FILE).exists()
    wait_until(lambda: queue._standby.worker not in (None, standby), "another worker to stand by")


@pytest.mark.slow("a real worker")
def test_a_run_whose_standby_has_died_gets_a_worker_of_its_own(queue, standby):
    standby.kill()
    standby.wait(PATIENCE_S)
    run = queue.start(create_run, SHORT_RUN, "alice", "cpu")
    queue.wait(run.run_id, PATIENCE_S)
    assert status_of(run) == "done"


@pytest.mark.slow("a real worker")
def test_a_damaged_checkpoint_is_a_failure_that_names_it(queue):
    run = create_run(SHORT_RUN, "alice", "cpu")
    checkpoint = run.checkpoints_folder / "step-00000010"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.json").write_text("garbage")
    queue.submit(run)
    queue.wait(run.run_id, PATIENCE_S)
    failed = read_run(run.run_id)
    assert failed.status == "failed"
    assert "step-00000010" in failed.reason
    assert "Traceback" not in failed.reason


# ---- with a stand-in for the worker, which ends at the first word it hears ----


@pytest.fixture
def quick_queue(queue, monkeypatch):
    started = []
    real_popen = subprocess.Popen

    def popen(command, **options):
        started.append(command[-1])
        return real_popen(["head", "-n", "1"], **options)

    monkeypatch.setattr("foundry.runs.queue.subprocess.Popen", popen)
    queue.started = started
    return queue


def test_runs_start_in_the_order_they_came(quick_queue):
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(3)]
    wait_until(lambda: quick_queue.started, "the first worker")
    assert [quick_queue.position(run.run_id) for run in runs] == [0, 1, 2]
    for run in runs:
        wait_until(lambda run=run: run.run_id in quick_queue.started, "its worker")
        quick_queue.stop(run.run_id)
        quick_queue.wait(run.run_id, PATIENCE_S)
    assert quick_queue.started == [run.run_id for run in runs]


def test_a_full_line_turns_the_next_one_away_with_an_estimate(quick_queue, monkeypatch):
    monkeypatch.setattr("foundry.runs.queue.MAX_WAITING", 2)
    running = quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    wait_until(lambda: quick_queue.started, "the first worker")
    waiting = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(2)]
    with pytest.raises(InputError, match=r"2 runs are waiting already.*in about 1 min"):
        quick_queue.start(create_run, ENDLESS, "bob", "cpu")
    assert len(list_runs()) == 3
    quick_queue.stop(waiting[0].run_id)
    assert quick_queue.start(create_run, ENDLESS, "bob", "cpu").status == "queued"
    assert status_of(running) == "queued"


@pytest.mark.parametrize("owner", ["", None, ["alice"], 3])
def test_nobody_cannot_own_a_run(quick_queue, owner):
    with pytest.raises(InputError, match="needs an owner"):
        quick_queue.start(create_run, ENDLESS, owner, "cpu")
    assert list_runs() == []


def test_a_worker_that_ends_without_a_word_is_a_failure_with_its_exit_code(quick_queue):
    run = quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    wait_until(lambda: quick_queue.started, "the worker")
    quick_queue.stop(run.run_id)
    quick_queue.wait(run.run_id, PATIENCE_S)
    assert status_of(run) == "failed"
    assert "exit code 0" in read_run(run.run_id).reason


def raise_no_room(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_run_resumed_on_a_full_disk_is_a_sentence_and_goes_on_when_there_is_room(quick_queue):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, "failed")
    with pytest.MonkeyPatch.context() as full:
        full.setattr("foundry.runs.queue.write_status", raise_no_room)
        with pytest.raises(ArtifactError, match=r"cannot be written \(No space left on device\)"):
            quick_queue.submit(read_run(run.run_id))
    quick_queue.submit(read_run(run.run_id))
    wait_until(lambda: run.run_id in quick_queue.started, "its worker")


def test_a_waiting_run_that_cannot_be_stopped_for_a_full_disk_keeps_its_place(quick_queue):
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(2)]
    wait_until(lambda: quick_queue.started, "the first worker")
    with pytest.MonkeyPatch.context() as full:
        full.setattr("foundry.runs.queue.write_status", raise_no_room)
        with pytest.raises(ArtifactError, match="cannot be written"):
            quick_queue.stop(runs[1].run_id)
    assert quick_queue.position(runs[1].run_id) == 1
    quick_queue.stop(runs[1].run_id)
    assert status_of(runs[1]) == "stopped"


def test_a_worker_that_cannot_be_started_is_a_failure_with_a_reason(queue, monkeypatch):
    monkeypatch.setattr("foundry.runs.queue.subprocess.Popen", raise_no_room)
    run = queue.start(create_run, ENDLESS, "alice", "cpu")
    queue.wait(run.run_id, PATIENCE_S)
    assert status_of(run) == "failed"
    assert "could not be started (No space left on device)" in read_run(run.run_id).reason


@pytest.mark.parametrize(("command", "status"), [("stop", "stopped"), ("pause", "paused")])
def test_a_waiting_run_can_be_stopped_or_paused_and_the_others_move_up(
    quick_queue, command, status
):
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(3)]
    wait_until(lambda: quick_queue.started, "the first worker")
    getattr(quick_queue, command)(runs[1].run_id)
    assert status_of(runs[1]) == status
    assert quick_queue.position(runs[1].run_id) == 0
    assert quick_queue.position(runs[2].run_id) == 1
    quick_queue.wait(runs[1].run_id, PATIENCE_S)  # it has left the queue: no waiting


def test_a_paused_run_goes_to_the_end_of_the_queue_when_resumed(quick_queue):
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(3)]
    wait_until(lambda: quick_queue.started, "the first worker")
    quick_queue.pause(runs[1].run_id)
    quick_queue.submit(read_run(runs[1].run_id))
    assert status_of(runs[1]) == "queued"
    assert quick_queue.position(runs[1].run_id) == 2


def test_a_resumed_run_that_is_stopped_while_it_waits_can_still_go_on(quick_queue):
    """Stopped for good it would have no result: a worker writes that."""
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(2)]
    wait_until(lambda: quick_queue.started, "the first worker")
    quick_queue.pause(runs[1].run_id)
    quick_queue.submit(read_run(runs[1].run_id))
    quick_queue.stop(runs[1].run_id)
    assert status_of(runs[1]) == "paused"
    assert read_run(runs[1].run_id).is_resumable


def test_a_run_cannot_be_queued_twice(quick_queue):
    run = quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    with pytest.raises(InputError, match="cannot be started again"):
        quick_queue.submit(read_run(run.run_id))


@pytest.mark.parametrize("status", ["done", "stopped", "running"])
def test_a_run_that_is_over_or_under_way_cannot_be_resumed(queue, status):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, status)
    with pytest.raises(InputError, match=status):
        queue.submit(read_run(run.run_id))


@pytest.mark.parametrize("status", RESUMABLE)
def test_a_run_that_was_cut_short_can_be_resumed(quick_queue, status):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, status)
    quick_queue.submit(read_run(run.run_id))
    wait_until(lambda: quick_queue.started == [run.run_id], "its worker")


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_there_is_nothing_to_stop_or_pause_in_a_run_that_is_not_under_way(queue, command):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, "done")
    with pytest.raises(InputError, match="not under way"):
        getattr(queue, command)(run.run_id)
    assert status_of(run) == "done"


def test_a_run_whose_folder_vanished_does_not_hold_up_the_others(quick_queue):
    runs = [quick_queue.start(create_run, ENDLESS, "alice", "cpu") for _ in range(3)]
    wait_until(lambda: quick_queue.started, "the first worker")
    shutil.rmtree(runs[1].folder)
    quick_queue.stop(runs[0].run_id)
    try:
        wait_until(lambda: runs[2].run_id in quick_queue.started, "the third run")
    finally:
        # The fixture ends what the queue still holds; this run cannot be read any more.
        quick_queue._locks.pop(runs[1].run_id, None)
        if runs[2].run_id not in quick_queue.started:
            quick_queue._locks.pop(runs[2].run_id, None)


@pytest.mark.parametrize("status", ACTIVE)
def test_what_a_dead_server_left_active_is_interrupted(runs_folder, status):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, status)
    build_queue()
    assert status_of(run) == "interrupted"


def test_what_a_server_leaves_that_dies_later_is_marked_too_and_own_runs_stay(quick_queue):
    mine = quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    theirs = create_run(ENDLESS, "bob", "cpu")
    write_status(theirs.folder, "running")
    with FileLock(theirs.folder / "queue.lock"):
        quick_queue.mark_abandoned()
        assert status_of(theirs) == "running"
    for _ in range(2):
        quick_queue.mark_abandoned()
        assert status_of(theirs) == "interrupted"
        assert status_of(mine) in ACTIVE


@pytest.mark.parametrize("status", ["paused", "stopped", "done", "failed"])
def test_what_a_dead_server_left_at_rest_stays_as_it_is(runs_folder, status):
    run = create_run(ENDLESS, "alice", "cpu")
    write_status(run.folder, status, "a reason")
    build_queue()
    assert (status_of(run), read_run(run.run_id).reason) == (status, "a reason")


def test_a_second_server_leaves_the_runs_of_the_first_alone(quick_queue):
    run = quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    wait_until(lambda: quick_queue.started, "the worker")
    second_server = build_queue()
    assert status_of(run) in ACTIVE
    with pytest.raises(InputError):
        second_server.submit(read_run(run.run_id))


def test_a_runs_folder_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "file" / "runs"))
    with pytest.raises(ArtifactError, match=RUNS_DIR_VARIABLE):
        build_queue().start(create_run, ENDLESS, "alice", "cpu")


# While its first files are written, and while it is put in line.
@pytest.mark.parametrize("module", ["folders", "queue"])
def test_nothing_is_left_of_a_run_that_cannot_be_started(quick_queue, module):
    with pytest.MonkeyPatch.context() as full:
        full.setattr(f"foundry.runs.{module}.write_status", raise_no_room)
        with pytest.raises(ArtifactError, match="No space left"):
            quick_queue.start(create_run, ENDLESS, "alice", "cpu")
    assert list(runs_dir().iterdir()) == []
