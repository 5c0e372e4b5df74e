import json
from dataclasses import asdict

import pytest
import torch

from foundry.errors import ArtifactError, InputError
from foundry.runs.folders import RUNS_DIR_VARIABLE, append_event, runs_dir, write_status
from foundry.training import TrainConfig, TrainEvent
from foundry.training.runs import (
    create_run,
    list_own_runs,
    list_runs,
    read_own_run,
    read_run,
    rewind_events,
    write_result,
)

CONFIG = TrainConfig(num_train_images=500, epochs=2)


def event_at(step, **changes):
    values = {
        "step": step,
        "num_steps": 10,
        "epoch": 1,
        "train_loss": 1.5,
        "learning_rate": 1e-3,
        "val_loss": None,
        "val_accuracy": None,
        "is_best": False,
        "images_per_s": 1000.0,
        "elapsed_s": 2.0 * step,
    }
    return TrainEvent(**values | changes)


@pytest.fixture
def run(runs_folder):
    return create_run(CONFIG, "alice", "cpu")


def test_a_new_run_is_queued_and_empty(run, runs_folder):
    assert run.folder == runs_folder / run.run_id
    assert (run.status, run.reason, run.device, run.config) == ("queued", "", "cpu", CONFIG)
    assert run.events == []
    assert run.result is None
    assert run.progress == 0.0
    assert run.remaining_s is None
    assert not run.has_weights
    assert not run.stopped_early


def test_a_run_reads_back_as_it_was_made(run):
    assert read_own_run(run.run_id, "alice") == run
    assert read_run(run.run_id) == run


def test_runs_made_at_once_have_ids_of_their_own(runs_folder):
    assert len({create_run(CONFIG, "alice").run_id for _ in range(20)}) == 20


def test_the_secret_token_is_not_written_down(run):
    assert not any(b"alice" in file.read_bytes() for file in run.folder.iterdir())


def test_a_visitor_lists_only_their_own_runs(run):
    other = create_run(CONFIG, "bob")
    assert [r.run_id for r in list_own_runs("alice")] == [run.run_id]
    assert [r.run_id for r in list_own_runs("bob")] == [other.run_id]
    assert list_own_runs("") == []
    assert {r.run_id for r in list_runs()} == {run.run_id, other.run_id}


def test_runs_are_listed_newest_first(runs_folder):
    made = create_run(CONFIG, "alice")
    for run_id in ("20200101-000000-00000000", "20300101-000000-00000000"):
        (runs_folder / made.run_id).rename(runs_folder / run_id)
        made = create_run(CONFIG, "alice")
    assert [r.run_id for r in list_own_runs("alice")] == [
        "20300101-000000-00000000",
        made.run_id,
        "20200101-000000-00000000",
    ]


def test_a_runs_folder_that_does_not_exist_lists_nothing(runs_folder):
    assert list_runs() == []


def test_anothers_run_and_an_unknown_one_look_alike(run):
    with pytest.raises(InputError) as anothers:
        read_own_run(run.run_id, "bob")
    unknown_id = "20200101-000000-00000000"
    with pytest.raises(InputError) as unknown:
        read_own_run(unknown_id, "bob")
    assert str(anothers.value).replace(run.run_id, unknown_id) == str(unknown.value)


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        ".",
        "..",
        "../../etc",
        "/etc",
        "../20200101-000000-00000000",
        "20200101-000000-00000000/..",
        "20200101-000000-00000000\n",
        "20200101-000000-0000000\x00",
        "*",
        "x" * 10_000,
    ],
    ids=lambda run_id: run_id[:30],
)
def test_what_is_no_run_id_never_reaches_the_disk(runs_folder, tmp_path, run_id):
    # A readable run outside the runs folder must stay out of reach.
    outside = tmp_path / "20200101-000000-00000000"
    outside.mkdir()
    (outside / "run.json").write_text(
        json.dumps({"owner": "x", "config": asdict(CONFIG), "device": "cpu"})
    )
    write_status(outside, "done")
    runs_folder.mkdir()
    with pytest.raises(InputError, match="list_runs"):
        read_run(run_id)


def test_events_read_back_as_they_were_appended(run):
    events = [event_at(1), event_at(2, val_loss=0.5, val_accuracy=0.9, is_best=True)]
    for event in events:
        append_event(run.folder, event)
    assert read_run(run.run_id).events == events


@pytest.mark.parametrize("half", ['{"step": 2', "{", '{"step": 2, "num_steps": 10}'])
def test_a_line_still_being_written_is_left_for_next_time(run, half):
    append_event(run.folder, event_at(1))
    with open(run.folder / "events.jsonl", "a") as log:
        log.write(half)
    assert [event.step for event in read_run(run.run_id).events] == [1]


def test_rewinding_drops_later_events_and_a_half_written_line(run):
    for step in range(1, 6):
        append_event(run.folder, event_at(step))
    with open(run.folder / "events.jsonl", "a") as log:
        log.write('{"step": 6')
    rewind_events(read_run(run.run_id), 3)
    append_event(run.folder, event_at(4))
    assert [event.step for event in read_run(run.run_id).events] == [1, 2, 3, 4]


def test_rewinding_a_run_without_events_is_harmless(run):
    rewind_events(run, 0)
    assert read_run(run.run_id).events == []


def test_progress_and_time_left_follow_the_last_event(run):
    append_event(run.folder, event_at(1))
    append_event(run.folder, event_at(4))
    read = read_run(run.run_id)
    # 4 of 10 steps took 8 s: 2 s a step, 6 to go.
    assert read.progress == pytest.approx(0.4)
    assert read.remaining_s == pytest.approx(12.0)


def test_an_early_stop_is_a_finished_run_with_fewer_epochs(run):
    append_event(run.folder, event_at(5, epoch=1))
    assert not read_run(run.run_id).stopped_early
    write_status(run.folder, "done")
    assert read_run(run.run_id).stopped_early
    append_event(run.folder, event_at(10, epoch=2))
    assert not read_run(run.run_id).stopped_early


def test_status_and_reason_are_replaced_whole(run):
    write_status(run.folder, "failed", "the disk is full")
    read = read_run(run.run_id)
    assert (read.status, read.reason) == ("failed", "the disk is full")
    write_status(run.folder, "queued")
    assert read_run(run.run_id).reason == ""
    assert not list(run.folder.glob("*.partial"))


def test_a_result_reads_back_with_the_probabilities_behind_it(run):
    probs = torch.rand(10_000, 10)
    write_result(run.folder, {"test_accuracy": 0.5}, probs)
    read = read_run(run.run_id)
    assert read.result == {"test_accuracy": 0.5}
    assert torch.equal(read.test_probs, probs)


@pytest.mark.parametrize("name", ["run.json", "status.json"])
@pytest.mark.parametrize("content", ["", "garbage", "{}", "[]", "null", '{"config": {}}', None])
def test_an_unreadable_run_is_left_out_of_the_list(run, name, content):
    good = create_run(CONFIG, "alice")
    if content is None:
        (run.folder / name).unlink()
    else:
        (run.folder / name).write_text(content)
    assert [r.run_id for r in list_own_runs("alice")] == [good.run_id]


def test_a_run_whose_settings_are_no_longer_accepted_is_left_out_of_the_list(run):
    made = json.loads((run.folder / "run.json").read_text())
    for config in (made["config"] | {"epochs": 10_000}, made["config"] | {"colour": "blue"}):
        (run.folder / "run.json").write_text(json.dumps(made | {"config": config}))
        assert list_own_runs("alice") == []


def test_strangers_in_the_runs_folder_are_left_out(run, runs_folder):
    (runs_folder / "notes-of-mine.txt").write_text("x")
    (runs_folder / "a-b-c").mkdir()
    assert [r.run_id for r in list_runs()] == [run.run_id]


def test_a_runs_folder_that_cannot_be_made_is_a_sentence(tmp_path, monkeypatch):
    # Under a file, because tests may run as root, who can write anywhere else.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "file" / "runs"))
    assert list_runs() == []
    with pytest.raises(ArtifactError, match=rf"write to .*file/runs.*{RUNS_DIR_VARIABLE}"):
        create_run(CONFIG, "alice")


def test_a_runs_folder_that_is_a_file_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "file"))
    assert list_runs() == []
    with pytest.raises(ArtifactError, match=RUNS_DIR_VARIABLE):
        create_run(CONFIG, "alice")


def test_runs_go_to_the_users_cache_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv(RUNS_DIR_VARIABLE, raising=False)
    assert runs_dir().name == "runs"
    assert "foundry" in runs_dir().parts
