import shutil
from types import SimpleNamespace

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from short_run import SHORT_RUN

from foundry.errors import InputError
from foundry.runs.folders import RUNS_DIR_VARIABLE, rename_run
from foundry.training.runs import create_run, list_own_runs, read_run
from foundry.ui.train.own_runs import on_action, on_list


@pytest.fixture
def mine(finished, tmp_path, monkeypatch):
    """A finished run of “somebody” that may be changed."""
    shutil.copytree(finished.folder, tmp_path / finished.run_id)
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    return read_run(finished.run_id)


def press(action, run, token="somebody", shown="", name=""):
    return on_action(token, shown, gr.EventData(None, vars(event(action, run, name))))


def event(action, run, name):
    return SimpleNamespace(action=action, run=run.run_id, name=name)


def test_all_runs_are_listed_with_where_they_stand(mine):
    waiting = create_run(SHORT_RUN, "somebody", "cpu")
    create_run(SHORT_RUN, "bob", "cpu")
    html = on_list("somebody", mine.run_id)
    assert html.count("<li") == 2
    assert html.index(waiting.run_id) < html.index(mine.run_id)
    assert "Waiting" in html
    assert f"Done</span>, {mine.result['test_accuracy']:.2%}" in html.replace(
        "Done,", "Done</span>,"
    )
    assert html.count("aria-current") == 1
    assert "press Start" in on_list("nobody", "")


def test_a_run_is_shown_and_asking_again_is_a_change(mine):
    _, first = press("show", mine)
    _, second = press("show", mine)
    assert first[0] == second[0] == mine.run_id
    assert first != second


def test_a_run_is_renamed_wherever_it_is_named(mine):
    html, asked_for = press("rename", mine, name="  My <b>best</b>\n one ")
    assert asked_for == gr.skip()
    assert read_run(mine.run_id).name == "My <b>best</b> one"
    assert "My &lt;b&gt;best&lt;/b&gt; one" in html
    html, _ = press("rename", mine)
    assert "LeNet" in html


@given(name=st.one_of(st.text(), st.none(), st.integers(), st.text(min_size=61)))
def test_a_name_is_one_line_or_refused(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("run")
    try:
        rename_run(SimpleNamespace(folder=folder), name)
    except InputError:
        assert not list(folder.iterdir())
    else:
        kept = (folder / "name.txt").read_text("utf-8")
        assert kept == " ".join(name.split())
        assert len(kept) <= 60


def test_a_run_is_deleted_with_its_files_and_the_newest_is_shown(mine):
    html, asked_for = press("delete", mine, shown=mine.run_id)
    assert asked_for[0] == ""
    assert mine.run_id not in html
    assert not mine.folder.exists()
    assert list_own_runs("somebody") == []


def test_a_run_under_way_is_not_deleted(queue):
    run = queue.start(create_run, SHORT_RUN, "somebody", "cpu")
    with pytest.raises(gr.Error, match="stop it first"):
        press("delete", run)
    assert read_run(run.run_id).run_id == run.run_id


@pytest.mark.parametrize("action", ["show", "rename", "delete"])
def test_anothers_run_is_left_alone(mine, action):
    with pytest.raises(gr.Error, match="You have no run"):
        press(action, mine, token="bob", name="mine now")
    assert mine.folder.exists() and not read_run(mine.run_id).name
