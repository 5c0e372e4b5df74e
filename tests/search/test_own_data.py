"""A search on what a visitor brought; what starts Ray is in cluster/."""

import json
import sys

import pytest
from search_folder import SETTINGS, make_event
from shades import CLASSES, make_shades

from foundry.errors import ArtifactError, InputError
from foundry.runs import cluster
from foundry.runs.data_sets import _load_own, keep_data_set, list_data_sets, remove_data_set
from foundry.runs.folders import RUN_FILE, append_event, write_status
from foundry.search import SearchConfig
from foundry.search import __main__ as command_line
from foundry.search.runs import (
    TUNE_FOLDER,
    adopt_trial,
    create_search,
    find_trial_checkpoint,
    read_search,
)
from foundry.search.stream import search
from foundry.training import TrainState, train
from foundry.training.checkpoints import save_checkpoint
from foundry.ui.search.tab import on_fill, on_visit


@pytest.fixture
def about(runs_folder, monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: True)
    return keep_data_set(make_shades(), "shades.zip", "alice")


@pytest.fixture
def ended(about):
    """Alice's search, whose only trial went to its end."""
    config = SearchConfig(dataset=about.data_id, epochs=2, num_trials=1, minutes=0)
    made = create_search(config, "alice")
    state = TrainState(made.config.train_config(SETTINGS), classes=about.classes)
    checkpoint = made.folder / TUNE_FOLDER / "t1" / "checkpoint_000001"
    checkpoint.mkdir(parents=True)
    for event in train(state, make_shades().data):
        append_event(checkpoint, event)
    save_checkpoint(state, checkpoint / "checkpoints")
    append_event(made.folder, make_event("t1", "done", 2.0, state.best_val_accuracy))
    write_status(made.folder, "done")
    return read_search(made.run_id)


def test_a_search_uses_what_the_set_has_and_trials_learn_it(about):
    made = create_search(SearchConfig(dataset=about.data_id), "alice")
    assert made.config.num_train_images == 120
    trial = made.config.train_config({"learning_rate": 0.01})
    assert (trial.dataset, trial.num_train_images) == (about.data_id, 120)
    fewer = SearchConfig(dataset=about.data_id, num_train_images=50)
    assert create_search(fewer, "alice").config.num_train_images == 50
    assert read_search(made.run_id).config.widen(2).dataset == about.data_id


def test_anothers_data_is_refused_and_so_is_what_names_none(about, runs_folder):
    with pytest.raises(InputError, match="You have no data set"):
        create_search(SearchConfig(dataset=about.data_id), "bob")
    assert not (runs_folder / "searches").exists()
    with pytest.raises(InputError, match="dataset is “cifar”"):
        SearchConfig(dataset="cifar")


def test_a_search_of_an_earlier_version_is_one_on_mnist(about):
    made = create_search(SearchConfig(), "alice")
    written = json.loads((made.folder / RUN_FILE).read_text())
    del written["config"]["dataset"]
    (made.folder / RUN_FILE).write_text(json.dumps(written))
    assert read_search(made.run_id).config == SearchConfig()


def test_a_trial_becomes_a_run_that_says_its_data(about, ended):
    run = adopt_trial(ended, "t1", "alice")
    assert (run.classes, run.config.dataset) == (CLASSES, about.data_id)
    assert run.result["balanced_accuracy"] > 0.3
    assert run.test_probs.shape == (15, 3)


def test_a_trial_whose_data_was_removed_since_is_a_sentence_and_no_run(about, ended, runs_folder):
    assert find_trial_checkpoint(ended, "t1").exists()
    remove_data_set(about.data_id, "alice")
    with pytest.raises(InputError, match=r"was removed since.*bring its file again"):
        adopt_trial(ended, "t1", "alice")
    assert not list(runs_folder.glob("2*"))


def test_a_search_whose_data_is_gone_says_so_before_it_starts(about, tmp_path):
    remove_data_set(about.data_id, "alice")
    _load_own.cache_clear()
    with pytest.raises(ArtifactError, match="bring its file again"):
        next(search(SearchConfig(dataset=about.data_id), tmp_path / "search"))


def test_the_form_offers_the_visitors_own(about, ended):
    *_, offered = on_fill(ended, "alice")
    assert offered.value == about.data_id
    assert [name for _, name in offered.choices] == ["mnist", about.data_id]
    *_, offered = on_fill(ended, "bob")
    assert offered.value == "mnist"
    assert on_visit("alice", about.data_id).value == about.data_id
    remove_data_set(about.data_id, "alice")
    assert on_visit("alice", about.data_id).value == "mnist"


def test_a_terminal_learns_a_file(about, monkeypatch, tmp_path):
    rows = [",".join(["1" if n % 2 else "0", *[str(n % 200)] * 784]) for n in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    monkeypatch.setattr(sys, "argv", ["search", "--data", str(tmp_path / "rows.csv")])
    config = command_line._build_config(command_line._parse())
    (kept,) = list_data_sets("command line")
    assert (config.dataset, config.num_train_images) == (kept.data_id, sum(kept.counts["train"]))
