"""A search's settings, its table, and trials that become runs; what starts Ray is in cluster/."""

import shutil
import sys
from dataclasses import asdict, replace

import pytest
from safetensors import SafetensorError
from search_folder import SETTINGS, SMALL, make_event, make_search

from foundry.errors import ArtifactError, InputError
from foundry.models import load_model
from foundry.runs import cluster
from foundry.runs.cluster import ADDRESS_VARIABLE, HOW_TO_INSTALL
from foundry.runs.folders import append_event, list_run_folders, runs_dir, write_status
from foundry.search import SearchConfig
from foundry.search import __main__ as command_line
from foundry.search import runs as search_runs
from foundry.search.config import RANGES
from foundry.search.runs import (
    TUNE_FOLDER,
    adopt_trial,
    create_search,
    list_own_searches,
    list_trials,
    read_own_search,
    read_search,
)
from foundry.training.config import LIMITS
from foundry.training.evaluation import evaluate
from foundry.ui.search.plots import table_html


@pytest.fixture
def ended(runs_folder, mnist, monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: True)
    return make_search(mnist)


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"learning_rate": (0.1, 0.01)}, "learning_rate goes from 0.1 to 0.01"),
        ({"learning_rate": (0.1, 7.0)}, "learning_rate is 7.0"),
        ({"learning_rate": 0.1}, "a range is accepted"),
        ({"batch_size": (64, "many")}, "batch_size is “many”"),
        ({"dropout": (0.1, 0.2, 0.3)}, "a range is accepted"),
        ({"weight_decay": (float("nan"), 0.1)}, "weight_decay is nan"),
        ({"optimizer": ("lion",)}, "optimizer is “lion”, but only adam, adamw, sgd"),
        ({"optimizer": ()}, "at least one choice"),
        ({"model": "lenet"}, "at least one choice"),
        ({"epochs": 0}, "epochs is 0"),
        ({"minutes": -1}, "minutes is “-1”"),
        ({"minutes": float("nan")}, "minutes is “nan”"),
        ({"num_trials": 2.5}, "a whole number"),
        ({"num_trials": 0, "minutes": 0}, "A search needs an end"),
        ({"objective": "fame"}, "objective is “fame”"),
        ({"objective": "accuracy-parameters"}, "more than one model of lenet, cnn"),
        ({"sampler": "grid"}, "sampler is “grid”"),
    ],
)
def test_a_bad_value_is_a_sentence(knobs, said):
    with pytest.raises(InputError, match=said):
        SearchConfig(**knobs)


def test_what_json_made_of_a_search_is_the_search():
    as_lists = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(SMALL).items()}
    assert SearchConfig(**as_lists) == SMALL


def test_equal_ends_fix_a_knob():
    fixed = replace(SMALL, learning_rate=(0.01, 0.01), optimizer=("sgd",))
    assert set(SMALL.searched) - set(fixed.searched) == {"learning_rate", "optimizer"}
    assert fixed.train_config({}).learning_rate == 0.01
    assert fixed.train_config({}).optimizer == "sgd"


def test_accuracy_against_parameters_needs_sizes_that_differ():
    by_size = replace(SMALL, objective="accuracy-parameters", width=(0.25, 2))
    assert "width" in by_size.searched
    assert replace(by_size, width=(1, 1), model=("lenet", "cnn")).searched[0] == "model"
    with pytest.raises(InputError, match="a range of width, or more than one model"):
        replace(by_size, width=(0.5, 0.5))


def test_wider_ranges_are_ten_times_as_wide_on_both_sides_or_end_where_the_knob_does():
    narrow, wide = SearchConfig(), SearchConfig().widen(10)
    assert wide.width == narrow.width == (1.0, 1.0)
    for name in set(RANGES) - {"width"}:
        (low, high), (lowest, highest) = getattr(narrow, name), LIMITS[name]
        assert getattr(wide, name) == pytest.approx(
            (max(lowest, low / 10), min(highest, 10 * high))
        )


def test_the_table_has_the_newest_of_every_trial_and_its_best_whole_epoch():
    events = [
        make_event("a", epoch=0.5, accuracy=0.99),
        make_event("b", epoch=0.25, accuracy=0.4),
        make_event("a", epoch=1.0, accuracy=0.97),
        make_event("a", epoch=2.0, accuracy=0.96),
        make_event("a", "stopped early", epoch=2.25, accuracy=0.98),
    ]
    first, second = list_trials(events)
    assert (first.number, first.last.state, first.accuracy) == (1, "stopped early", 0.97)
    # No epoch has ended: what was glanced at.
    assert (second.number, second.last.state, second.accuracy) == (2, "running", 0.4)


def test_a_trial_that_has_ended_stays_so():
    # After a kill Tune may try it again, and may find its checkpoint gone.
    ended = make_event("a", "stopped early", epoch=1.0, accuracy=0.97)
    again = [make_event("a", epoch=0.0, accuracy=None), make_event("a", "failed", accuracy=None)]
    assert [one.last for one in list_trials([make_event("a"), ended, *again])] == [ended]


def test_progress_is_that_of_what_ends_first(ended):
    # By hand: of two trials one is over and one a quarter through.
    assert ended.progress == pytest.approx((1 + 0.25) / 2)
    timed = replace(ended, config=replace(SMALL, minutes=1 / 60 / 0.9))
    assert timed.progress == pytest.approx(0.9)
    assert timed.remaining_s == pytest.approx(1 / 0.9 - 1)


def test_the_best_trial_has_finished_an_epoch(ended):
    append_event(ended.folder, make_event("t3", "stopped early", epoch=0.5, accuracy=1.0))
    again = read_search(ended.run_id)
    assert again.best.last.trial_id == "t1"
    assert [row["trial_id"] for row in again.rows] == ["t1", "t3", "t2"]
    assert again.rows[0]["learning_rate"] == SETTINGS["learning_rate"]


@pytest.mark.slow("a real worker")
def test_a_trial_becomes_an_ordinary_run_once(ended, mnist):
    run = adopt_trial(ended, "t1", "alice")
    assert (run.status, run.config) == ("done", SMALL.train_config(SETTINGS))
    assert run.events[-1].step == run.events[-1].num_steps
    test = evaluate(load_model(run.best_folder), mnist.test).accuracy
    assert test == pytest.approx(run.result["test_accuracy"], abs=3e-4)
    assert run.result["num_threads"] == 1
    assert adopt_trial(ended, "t1", "alice").run_id == run.run_id
    shutil.rmtree(run.folder)
    assert adopt_trial(ended, "t1", "alice").run_id != run.run_id


@pytest.mark.parametrize(
    ("trial_id", "said"),
    [("t2", "under way"), ("../t1", "has no trial"), ("", "has no trial"), (None, "has no trial")],
)
def test_what_cannot_become_a_run_says_why(ended, trial_id, said):
    with pytest.raises(InputError, match=said):
        adopt_trial(ended, trial_id, "alice")


def test_a_trial_without_a_reading_and_one_with_a_damaged_checkpoint_say_so(ended):
    write_status(ended.folder, "stopped")
    with pytest.raises(InputError, match="nothing to keep"):
        adopt_trial(read_search(ended.run_id), "t2", "alice")
    for file in ended.folder.rglob("state.json"):
        file.write_text("garbage")
    with pytest.raises(ArtifactError, match="cannot be read"):
        adopt_trial(ended, "t1", "alice")


@pytest.mark.parametrize(
    "error",
    [
        shutil.Error([("a", "b", "No space left on device")]),
        SafetensorError("I/O error: No space left on device"),
    ],
)
def test_nothing_is_left_of_a_trial_that_cannot_be_kept(ended, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(search_runs.shutil, "copytree", fail)
    with pytest.raises(ArtifactError, match="No space left"):
        adopt_trial(ended, "t1", "alice")
    assert list_run_folders(runs_dir()) == []


def test_a_search_is_its_owners(ended):
    assert [run.run_id for run in list_own_searches("alice")] == [ended.run_id]
    assert list_own_searches("bob") == []
    with pytest.raises(InputError, match="You have no search"):
        read_own_search(ended.run_id, "bob")


def test_without_ray_a_sentence_says_how_to_get_it(runs_folder, monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: False)
    with pytest.raises(InputError, match="Search needs Ray") as refused:
        create_search(SMALL, "alice")
    assert HOW_TO_INSTALL in str(refused.value)
    assert not runs_folder.exists()


def test_the_command_line_refuses_with_a_sentence(monkeypatch, tmp_path):
    arguments = ["search", "--learning-rate", "0.1", "0.01", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match="the lowest has to come first"):
        command_line.main()


def test_the_command_line_prints_the_table_and_the_best_as_python(monkeypatch, capsys, ended):
    def replay(config, folder, address):
        assert (config.num_trials, config.minutes, address) == (2, 0.0, None)
        yield from read_search(ended.run_id).events

    monkeypatch.setattr(command_line, "search", replay)
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "argv", ["search", "--trials", "2", "--out", str(ended.folder)])
    command_line.main()
    printed = capsys.readouterr().out
    assert "t1  done" in printed and "learning_rate" in printed
    script = printed[printed.index('"""Repeat run') :]
    assert "learning_rate=0.01," in script
    compile(script, "script", "exec")


def test_a_search_that_goes_on_does_so_with_its_own_settings_and_says_so(
    monkeypatch, capsys, tmp_path
):
    searched = []
    monkeypatch.setattr(command_line, "search", lambda config, *_: searched.append(config) or [])
    out = tmp_path / "out"

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["search", "--out", str(out), *options])
        command_line.main()
        return capsys.readouterr().out

    # Before anything was tried, it begins as it is told.
    for trials in ("2", "3"):
        assert "goes on" not in run("--trials", trials, "--epochs", "1")
    assert searched[-1].num_trials == 3
    (out / TUNE_FOLDER).mkdir()
    assert "goes on" not in run("--trials", "3")
    assert searched[-1] == searched[-2]
    said = "the settings that it began with, without --epochs, --trials."
    assert said in run("--trials", "4", "--epochs", "2", "--seed", "0")
    assert searched[-1] == searched[-2]
    (out / "run.json").write_text("{}")
    with pytest.raises(SystemExit, match="damaged; choose another folder"):
        run("--trials", "3")


def test_a_trial_that_diverged_stays_so_and_is_never_the_best(ended):
    append_event(ended.folder, make_event("t3", "diverged", epoch=0.5, accuracy=None))
    # Killed before Tune had noted it, it is told to have begun again.
    append_event(ended.folder, make_event("t3", "running", epoch=0.25, accuracy=0.99))
    again = read_search(ended.run_id)
    diverged = next(one for one in again.trials if one.last.trial_id == "t3")
    assert (diverged.last.state, diverged.accuracy) == ("diverged", None)
    assert again.best.last.trial_id == "t1"
    with pytest.raises(InputError, match="nothing to keep"):
        adopt_trial(again, "t3", "alice")
    html = table_html(again)
    assert '<span class="state diverged">diverged</span>' in html
    assert 'data-trial="t3"' not in html
