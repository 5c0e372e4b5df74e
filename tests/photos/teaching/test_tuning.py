"""Fine-tuning as a stream and as a run of a real worker."""

import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
import torch
from fine_tuned import begin, look_at
from patterns import draw_pattern
from waiting import PATIENCE_S, wait_until

from foundry.errors import ArtifactError, InputError
from foundry.photos.model import prepare_photo
from foundry.photos.teaching.changes import choose_tuned, hold, keep_tuned, remove_example
from foundry.photos.teaching.lessons import ask, load_frozen, load_taught, teach_project
from foundry.photos.teaching.outcome import Tuned
from foundry.photos.teaching.pictures import make_square
from foundry.photos.teaching.projects import (
    create_project,
    read_own_project,
    remove_project,
    write_project,
)
from foundry.photos.teaching.taking_home import build_whole, load_project, save_project
from foundry.photos.teaching.tuning import runs, worker
from foundry.photos.teaching.tuning.learning import NUM_EPOCHS, TuneEvent, tune
from foundry.photos.teaching.tuning.runs import (
    TUNINGS,
    create_tuning,
    find_tuning,
    remove_strays,
)
from foundry.photos.teaching.tuning.tail import Tail, pack_tail, read_tail
from foundry.runs.folders import RUNS_DIR_VARIABLE, append_event, create_folder

TUNED = Tuned((("x", "spots"),), 1, 1, 1, 1.0)
KINDS = ("stripes", "squares", "spots")


@pytest.fixture(scope="module")
def taught_folder(tmp_path_factory):
    """A runs folder with classes that were taught, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("taught")
        patch.setenv(RUNS_DIR_VARIABLE, str(folder))
        squares = {make_square(draw_pattern(kind, i)): kind for kind in KINDS for i in range(5)}
        list(teach_project(create_project("me", KINDS, squares)))
        return folder


@pytest.fixture
def project(taught_folder, runs_folder):
    shutil.copytree(taught_folder, runs_folder, dirs_exist_ok=True)
    (folder,) = (runs_folder / "classes").iterdir()
    return read_own_project(folder.name, "me")


@pytest.fixture
def lesson(project):
    return look_at(project)


def numbers(events):
    return [(one.epoch, one.train_loss, one.val_accuracy) for one in events]


def weights(state):
    return {name: one.clone() for name, one in state.tail.state_dict().items()}


def same(some, others):
    return all(torch.equal(some[name], others[name]) for name in some)


def test_before_the_first_epoch_it_answers_as_the_head_alone(project, lesson):
    state = begin(project)
    image = draw_pattern("spots", 33)
    taught = load_taught(project)
    inner = taught.network.compute_inner
    with torch.no_grad():
        inputs = prepare_photo(image)
        expected = taught.head(taught.network.compute_features(inputs))
        assert torch.allclose(state.tail(inner(inputs)), expected, atol=1e-5)
    first = next(tune(state, lesson))
    assert (first.epoch, first.train_loss) == (0, None)
    assert first.val_accuracy == pytest.approx(project.outcome.accuracy)


def test_what_is_behind_the_frozen_blocks_learns_and_the_normalisations_do_not(project, lesson):
    state = begin(project)
    before = weights(state)
    frozen = {name: one.clone() for name, one in load_frozen().state_dict().items()}
    events = list(tune(state, lesson))
    assert [one.epoch for one in events] == list(range(NUM_EPOCHS + 1))
    assert events[-1].share == 1 and events[-1].train_loss < events[1].train_loss
    after = weights(state)
    for name in before:
        is_statistic = "running" in name or "num_batches" in name
        assert torch.equal(before[name], after[name]) == is_statistic, name
    assert same(frozen, load_frozen().state_dict())


def test_the_same_seed_learns_the_same_and_a_pause_changes_nothing(project, lesson, tmp_path):
    straight = begin(project)
    events = list(tune(straight, lesson, seed=3))
    paused, stream = begin(project), None
    stream = tune(paused, lesson, seed=3)
    first = [next(stream) for _ in range(4)]
    paused.save(tmp_path / "state.safetensors")
    again = begin(project)
    again.load(tmp_path / "state.safetensors")
    rest = list(tune(again, lesson, seed=3))
    assert numbers([*first, *rest]) == numbers(events)
    assert same(weights(again), weights(straight))
    other = begin(project)
    list(tune(other, lesson, seed=4))
    assert not same(weights(other), weights(straight))


def test_a_damaged_file_is_said_to_be(project, tmp_path):
    state = begin(project)
    for content in (b"", b"no safetensors", pack_tail(Tail(load_frozen(), ("one", "two")))):
        (tmp_path / "tail").write_bytes(content)
        with pytest.raises(ArtifactError, match="damaged; fine-tune again"):
            read_tail(tmp_path / "tail", load_frozen(), KINDS)
        with pytest.raises(ArtifactError, match="cannot be read"):
            state.load(tmp_path / "tail")


# ---- as a run ----


def wait_for(run, *statuses):
    wait_until(lambda: TUNINGS.read(run.run_id).status in statuses, f"{run} to be {statuses}")
    return TUNINGS.read(run.run_id)


def wait_for_epoch(run, epoch):
    def reached():
        events = TUNINGS.read(run.run_id).events
        return events and events[-1].epoch >= epoch

    wait_until(reached, f"epoch {epoch}")


@pytest.mark.slow("a real worker")
def test_a_run_is_kept_with_the_classes_and_answers_for_them(project, queue, tmp_path):
    run = queue.start(create_tuning, project.project_id, "me")
    queue.wait(run.run_id, PATIENCE_S)
    run = TUNINGS.read_own(run.run_id, "me")
    assert (run.status, run.reason, run.progress) == ("done", "", 1.0)
    tuned = read_own_project(project.project_id, "me")
    held_out = [one for one in tuned.examples if one.is_held_out]
    assert run.result["num_validated"] == len(tuned.tuned.answers) == len(held_out) == 3
    assert run.result["num_right_head_alone"] == project.outcome.num_right
    assert not run.state_file.exists() and find_tuning(tuned).run_id == run.run_id
    # What is said of a picture, and what is taken home, say what was counted.
    assert tuned.has_chosen_tuned == (tuned.tuned.num_right >= tuned.tuned.num_right_of_head)
    chosen = choose_tuned(tuned, True)
    taught = load_taught(chosen)
    whole = build_whole(taught)
    for digest, label in tuned.tuned.answers:
        picture = tuned.open_picture(digest)
        said = ask(taught, picture)
        assert next(iter(said.probs)) == label
        with torch.no_grad():
            probs = whole(prepare_photo(picture)).softmax(1)[0]
        assert probs.max() == pytest.approx(said.probs[label], abs=1e-5)
    alone = load_taught(choose_tuned(tuned, False))
    assert alone.tail is None and ask(alone, picture).closeness == said.closeness
    # As a project it comes back whole, as it is now.
    chosen = choose_tuned(tuned, True)
    save_project(chosen, tmp_path / "project.zip")
    loaded, _ = load_project(tmp_path / "project.zip", "you")
    assert (loaded.tuned, loaded.has_chosen_tuned) == (tuned.tuned, True)
    assert ask(load_taught(loaded), picture) == said
    # Trained anew, the head alone answers.
    *_, anew = teach_project(chosen)
    assert anew.tuned is None and not anew.tuned_file.exists() and load_taught(anew).tail is None


@pytest.mark.slow("a real worker")
def test_paused_and_killed_it_goes_on_to_the_same_end(project, lesson, queue):
    straight = begin(project)
    expected = list(tune(straight, lesson))
    run = queue.start(create_tuning, project.project_id, "me")
    with pytest.raises(InputError, match="being fine-tuned already"):
        create_tuning(project.project_id, "me")
    wait_for_epoch(run, 1)
    queue.pause(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    paused = TUNINGS.read(run.run_id)
    if paused.status == "paused":
        queue.submit(paused)
        wait_for(run, "running")
        (worker,) = [
            one
            for one in psutil.Process().children()
            if "foundry.photos.teaching.tuning.worker" in one.cmdline()
        ]
        os.kill(worker.pid, signal.SIGKILL)
        queue.wait(run.run_id, PATIENCE_S)
        killed = TUNINGS.read(run.run_id)
        assert (killed.status, killed.is_resumable) == ("failed", True)
        assert "was killed (signal 9" in killed.reason
        queue.submit(killed)
        queue.wait(run.run_id, PATIENCE_S)
    done = TUNINGS.read(run.run_id)
    assert done.status == "done"
    learned = [one for one in done.events if one.val_accuracy is not None]
    assert numbers(learned) == numbers(expected)
    assert project.tuned_file.read_bytes() == pack_tail(straight.average())


@pytest.mark.slow("a real worker")
def test_stopped_it_keeps_what_there_is_and_of_deleted_classes_nothing(project, queue):
    run = queue.start(create_tuning, project.project_id, "me")
    wait_for_epoch(run, 1)
    queue.stop(run.run_id)
    queue.wait(run.run_id, PATIENCE_S)
    stopped = TUNINGS.read(run.run_id)
    # Where it came to its end before it heard of it, that counts.
    assert stopped.status in ("stopped", "done")
    tuned = read_own_project(project.project_id, "me").tuned
    assert tuned.epochs == stopped.result["epochs"] >= 1
    remove_project(project)
    remove_strays()
    assert TUNINGS.list_all() == []


def test_what_cannot_be_fine_tuned_is_refused_with_a_sentence(project, monkeypatch):
    with pytest.raises(InputError, match="You have no classes"):
        create_tuning(project.project_id, "you")
    untaught = create_project("me", ("one", "two"))
    with pytest.raises(InputError, match="not trained yet; press Train first"):
        create_tuning(untaught.project_id, "me")
    with pytest.raises(InputError, match="were not fine-tuned"):
        choose_tuned(project, True)
    anew = create_tuning(project.project_id, "me")
    (project.folder / "head.safetensors").write_bytes(b"another")
    fail_with(anew, monkeypatch, "the classes were trained anew meanwhile; fine-tune again")


def test_where_too_few_examples_are_left_it_ends_with_a_sentence(project, monkeypatch):
    run = create_tuning(project.project_id, "me")
    for example in project.examples:
        if example.is_held_out:
            remove_example(project, example.digest)
    fail_with(run, monkeypatch, "too many examples were removed since the training")


def test_the_head_alone_is_judged_by_the_pictures_that_are_still_there(project, lesson):
    """Before a pause there may have been others, of which it named more or fewer right."""
    run, held_out = (
        create_tuning(project.project_id, "me"),
        [one for one in project.examples if one.is_held_out],
    )
    append_event(run.folder, TuneEvent(0, 0.5, None, 0.0, 1.0))
    worker._finish(run, begin(project), lesson, held_out)
    tuned = read_own_project(project.project_id, "me").tuned
    assert tuned.num_right_of_head == tuned.num_right == project.outcome.num_right > 0


def test_who_asks_while_the_classes_are_trained_anew_is_answered(project):
    tuned = keep_tuned(project, pack_tail(begin(project).average()), TUNED, project.digest_head())
    assert load_taught(tuned).tail is not None
    with ThreadPoolExecutor(1) as pool, hold(tuned) as now:
        # Training does one after the other.
        now.tuned_file.unlink()
        asked = pool.submit(load_taught, tuned)
        wait([asked], timeout=0.2)
        write_project(replace(now, tuned=None, has_chosen_tuned=False))
    assert asked.result().tail is None


def test_two_pages_at_once_start_one_fine_tuning(project, monkeypatch):
    def create(*made):
        time.sleep(0.1)
        return create_folder(*made)

    monkeypatch.setattr(runs, "create_folder", create)
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(create_tuning, project.project_id, "me") for _ in range(2)]
    assert ["already" in str(one.exception()) for one in begun].count(True) == 1
    assert len(TUNINGS.list_all()) == 1


def test_stopped_before_it_has_gone_on_it_keeps_what_a_pause_kept(project, lesson, monkeypatch):
    run, state = create_tuning(project.project_id, "me"), begin(project)
    for event in tune(state, lesson):
        append_event(run.folder, event)
        if state.epoch == 2:
            break
    state.save(run.state_file)
    monkeypatch.setattr(worker, "look", lambda *_: iter([0.5, lesson]))
    stopped = take_up(run, monkeypatch, "stop")
    assert (stopped.status, stopped.result["epochs"]) == ("stopped", 2)
    assert project.tuned_file.read_bytes() == pack_tail(state.average())
    assert read_own_project(project.project_id, "me").tuned.epochs == 2


def take_up(run, monkeypatch, command):
    """Let it be taken up in this process; gives the run as it is then."""
    monkeypatch.setattr(worker, "Commands", lambda: SimpleNamespace(last=command))
    worker.main(run.run_id)
    return TUNINGS.read(run.run_id)


def fail_with(run, monkeypatch, reason):
    """Take it up: it says so before it learns anything."""
    failed = take_up(run, monkeypatch, None)
    assert (failed.status, failed.is_resumable) == ("failed", False)
    assert failed.reason.startswith(reason)
