"""Putting drawings right, and learning them: what the page is told."""

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from drawing import ONE, SEVEN, data_url, draw_strokes

from foundry.errors import ArtifactError
from foundry.runs.drawings import read_collection
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.training.hand import learning
from foundry.training.hand.learning import Scores, plan_lesson
from foundry.training.runs import list_own_runs
from foundry.ui.components.model_choice import find_own_data_run, list_drawable_models
from foundry.ui.draw.hand import handlers
from foundry.ui.draw.hand.correction import correction_html, on_arrive, on_correct
from foundry.ui.draw.hand.handlers import (
    find_start,
    on_board,
    on_changed,
    on_delete,
    on_learn,
    on_use,
)
from foundry.ui.draw.hand.view import Outcome, result_html
from foundry.ui.draw.tab import on_draw
from foundry.ui.server.queues import LESSONS, on_cancel
from foundry.ui.train import tab as train_tab


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(learning, "NUM_REPLAYED", 500)
    monkeypatch.setattr(learning, "NUM_VARIED", 100)
    monkeypatch.setattr(learning, "_NUM_NEW", 100)


def event(**data):
    return SimpleNamespace(**data, _data=data)


def correct(strokes, label, token="alice", shift=0):
    moved = [[(x + 7 * shift * (y > 150), y) for x, y in one] for one in strokes]
    return on_correct(data_url(draw_strokes(moved)), token, event(label=label))


def draw_some(token="alice", own="heart"):
    for shift in range(6):
        correct(SEVEN, "7", token, shift)
        correct(ONE, own, token, shift)


def test_a_drawing_put_right_is_kept_as_the_network_sees_it():
    html = correct(SEVEN, "7")
    assert "Kept as “7”, the first of your drawings" in html
    (drawing,) = read_collection("alice").drawings
    image = read_collection("alice").read_image(drawing.digest)
    assert image.shape == (28, 28)
    assert image.max() == 255
    assert "you have 2 drawings" in correct(ONE, "heart")
    assert 'data-label="heart"' in on_arrive("alice")
    assert 'data-label="heart"' not in on_arrive("bob")


def test_an_empty_pad_is_not_kept():
    for drawing in ("", data_url(draw_strokes([]))):
        with pytest.raises(gr.Error, match="Draw something"):
            on_correct(drawing, "alice", event(label="4"))


def test_names_are_shown_as_text():
    html = correct(SEVEN, "a&b'c")
    assert "a&amp;b" in html
    with pytest.raises(gr.Error, match="folder"):
        correct(SEVEN, "<b>")
    assert "<b>" not in correction_html(read_collection("alice"), "<b>")


def test_the_board_shows_drawings_and_removes_them():
    draw_some()
    board, button = on_changed("alice")
    assert board.count("data-remove") == 12
    assert board.index(">7<") < board.index(">heart<")
    assert str(button.value["path"]).endswith(".zip")
    digest = read_collection("alice").drawings[0].digest
    assert "11 drawings" in on_board(event(remove=digest), "alice")
    assert on_board(event(remove="../../etc"), "alice")
    assert len(read_collection("alice").drawings) == 11
    assert not Path(button.value["path"]).exists(), "a ZIP that holds what was removed"
    assert "deleted" in on_delete("alice")
    board, button = on_changed("alice")
    assert "None yet" in board
    assert not button.interactive


def assert_the_train_tab_shows(run):
    headline, sentences, group, _, matrix, *_, script = train_tab.on_finish(run.run_id, "alice")
    assert headline.visible
    assert group.visible
    assert f"{run.result['test_accuracy']:.1%}" in sentences
    assert "heart" in matrix
    # Its settings alone would not repeat it.
    assert not script.visible
    assert train_tab.on_fill(run, "alice")[:5] == train_tab.on_fill(None, "alice")[:5]


def test_a_network_learns_a_hand_with_a_class_more_and_is_drawn_with(quick, lenet):
    draw_some()
    steps = list(on_learn("cpu", "lenet", "alice"))
    assert any("Learned" in step[1] for step in steps if isinstance(step[1], str))
    job, *_, learn, cancel = steps[-1]
    assert job == ""
    assert learn.interactive
    assert not cancel.interactive
    results = [step[4] for step in steps if isinstance(step[4], str)]
    assert "As it was" in results[-1]
    assert results[-1].count("data-run") == 2
    runs = list_own_runs("alice")
    assert {run.name for run in runs} == {"My hand", "My hand, without replay"}
    (run,) = [run for run in runs if run.name == "My hand"]
    assert run.classes[10:] == ("heart",)
    assert find_own_data_run(run.run_id, "alice") == run
    # Digits are told from it by who reads nothing else.
    assert run.run_id in [name for _, name in list_drawable_models("alice")]
    chosen, used = on_use(event(run=run.run_id), "alice")
    assert chosen.value == used["run"] == run.run_id
    with pytest.raises(gr.Error, match="no longer among your runs"):
        on_use(event(run=run.run_id), "bob")
    answer = on_draw("cpu", data_url(draw_strokes(SEVEN)), run.run_id, "alice")[0]
    assert "sure" in answer
    for own in runs:
        assert_the_train_tab_shows(own)
    # It can go on from there.
    start, width = find_start(run.run_id, "alice", "cpu")
    assert start.classes == run.classes
    assert width == 1


def test_digits_alone_make_a_run_that_reads_digits(quick):
    for shift in range(6):
        correct(SEVEN, "7", shift=shift)
        correct(ONE, "1", shift=shift)
    list(on_learn("cpu", "lenet", "alice"))
    assert len(list_own_runs("alice")) == 2
    assert all(run.is_on_mnist for run in list_own_runs("alice"))


def test_it_ends_between_two_steps_when_it_is_cancelled(quick):
    draw_some()
    learned = on_learn("cpu", "lenet", "alice")
    on_cancel(next(learned)[0])
    job, status, *_ = list(learned)[-1]
    assert job == ""
    assert "Cancelled" in status
    assert not list_own_runs("alice")


def test_what_is_removed_before_its_turn_comes_is_not_learned(quick):
    draw_some()
    with LESSONS.join():
        learning = on_learn("cpu", "lenet", "alice")
        assert "Waiting" in next(learning)[1]
        on_delete("alice")
    job, status, *_ = list(learning)[-1]
    assert job == ""
    assert "From 5 drawings on" in status
    assert not list_own_runs("alice")


def test_drawings_that_did_not_change_meanwhile_are_read_once(quick, monkeypatch):
    planned = []

    def plan(*given):
        planned.append(plan_lesson(*given))
        return planned[-1]

    monkeypatch.setattr(handlers, "plan_lesson", plan)
    draw_some()
    learning = on_learn("cpu", "lenet", "alice")
    assert "Measuring" in next(learning)[1]
    learning.close()
    assert len(planned) == 1


def test_what_goes_wrong_on_the_way_is_said_and_can_be_tried_again(quick, monkeypatch):
    def fail(*_, **__):
        raise ArtifactError("The disk is full.")

    monkeypatch.setattr(handlers, "keep_hand", fail)
    draw_some()
    job, status, *_, learn, _ = list(on_learn("cpu", "lenet", "alice"))[-1]
    assert job == ""
    assert "The disk is full." in status
    assert learn.interactive


@pytest.mark.parametrize(
    ("model", "said"), [("lenet", "From 5 drawings on"), ("no such", "There is no model")]
)
def test_what_cannot_be_learned_says_why(model, said):
    with pytest.raises(gr.Error, match=said):
        list(on_learn("cpu", model, "alice"))


def test_a_new_class_needs_a_few_drawings(quick):
    draw_some()
    correct(SEVEN, "star", shift=3)
    with pytest.raises(gr.Error, match="“star” is new to the network"):
        list(on_learn("cpu", "lenet", "alice"))


def test_the_result_says_what_is_forgotten():
    before = Scores(0.99, 3, 6)
    outcomes = {
        True: Outcome("a", Scores(0.9895, 6, 6)),
        False: Outcome("b", Scores(0.95, 5, 6)),
    }
    html = result_html(before, outcomes)
    assert "4.00 points of MNIST are lost, for 0.05 with replay" in html
    assert "-4.00 points" in html
    assert "<b>6 of 6</b>" in html
    assert "+3" in html
    kept = outcomes | {False: Outcome("b", Scores(0.99, 5, 6))}
    assert "next to nothing" in result_html(before, kept)
