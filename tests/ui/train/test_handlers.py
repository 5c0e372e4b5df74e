"""The Train tab's handlers, called with plain values, and what it shows of a run."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import gradio as gr
import pytest
from outputs import value_of
from waiting import PATIENCE_S, wait_until

from foundry.data import load_test_split
from foundry.runs.folders import RUNS_DIR_VARIABLE, write_status
from foundry.training import TrainConfig
from foundry.training.config import PRESETS
from foundry.training.runs import create_run, read_run
from foundry.ui.train import compare as compare_view
from foundry.ui.train import results as results_view
from foundry.ui.train import tab as train_tab
from foundry.ui.train.form import LABELS, PRESET_NOTES, on_preset

KNOBS = asdict(TrainConfig(epochs=1, num_train_images=500))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_every_knob_but_the_data_in_the_order_of_the_config(name):
    note, *values = on_preset(name)
    assert note == PRESET_NOTES[name]
    *names, last = [field.name for field in fields(TrainConfig)]
    assert last == "dataset"
    assert TrainConfig(**dict(zip(names, values, strict=True))) == PRESETS[name]


@pytest.mark.parametrize(
    ("knob", "value"),
    [("epochs", -1), ("learning_rate", "abc"), ("learning_rate", float("nan")), ("epochs", None)],
)
def test_start_refuses_a_bad_knob_with_a_sentence(queue, knob, value):
    knobs = KNOBS | {knob: value}
    with pytest.raises(gr.Error) as refused:
        train_tab.on_start(train_tab.build_panel(queue), "cpu", "alice", *knobs.values())
    assert refused.value.message.startswith(f"{LABELS[knob]} is ")
    assert "accepted" in refused.value.message


def test_start_says_when_the_runs_folder_cannot_be_written(queue, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with monkeypatch.context() as patch:
        patch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "file"))
        with pytest.raises(gr.Error) as refused:
            train_tab.on_start(train_tab.build_panel(queue), "cpu", "alice", *KNOBS.values())
    assert RUNS_DIR_VARIABLE in refused.value.message


def test_a_started_run_is_shown_refreshed_and_stopped_by_its_visitor_only(queue):
    panel = train_tab.build_panel(queue)
    knobs = KNOBS | {"epochs": 100, "batch_size": 8}
    run_id, seen, timer, done, status, *_ = train_tab.on_start(
        panel, "cpu", "alice", *knobs.values()
    )
    assert seen.status in ("queued", "running")
    assert timer.active
    assert done == ""
    assert "run-status" in status

    for handler in (panel.on_pause, panel.on_stop, panel.on_resume, panel.on_step):
        with pytest.raises(gr.Error) as refused:
            handler(run_id, "bob")
        assert "You have no run" in refused.value.message

    wait_until(lambda: read_run(run_id).events, "the first event")
    refreshed = panel.on_refresh(run_id, "alice", seen)
    assert len(refreshed) == 12
    assert refreshed[0] != seen
    # Another visitor sees nothing of it.
    assert "Nothing trained yet" in panel.on_refresh(run_id, "bob", None)[3]
    assert panel.on_return(run_id, "bob")[0] == ""
    # A page opened anew finds it, with its id or without.
    assert panel.on_return(run_id, "alice")[0] == run_id
    assert panel.on_return("", "alice")[0] == run_id

    panel.on_stop(run_id, "alice")
    queue.wait(run_id, PATIENCE_S)
    last, timer, done, status, *_ = panel.on_refresh(run_id, "alice", refreshed[0])
    assert timer.active, "once more, should an answer of before come late"
    assert not panel.on_refresh(run_id, "alice", last)[1].active
    assert done == run_id
    assert "Stopped" in status


def test_nothing_is_sent_when_nothing_has_changed(queue, finished):
    panel = train_tab.build_panel(queue)
    seen = panel.on_refresh(finished.run_id, "somebody", None)[0]
    again = panel.on_refresh(finished.run_id, "somebody", seen)
    assert not again.pop(1).active
    assert again == [gr.skip()] * 11
    # The answer to what was asked of the run before may come last: then all is sent once more.
    late = seen._replace(run_id="another")
    assert panel.on_refresh(finished.run_id, "somebody", late)[0] == seen
    assert "run-status" in panel.on_refresh(finished.run_id, "somebody", late)[3]


def test_a_visitor_without_a_token_sees_no_run(finished):
    assert train_tab.on_finish(finished.run_id, "")[0].visible is False


def test_a_finished_run_shows_figures_matrix_mistakes_and_downloads(finished):
    outputs = train_tab.on_finish(finished.run_id, "somebody")
    headline, sentences, group, figures, matrix, _, _, mistakes, _, *downloads = outputs
    assert headline.visible and group.visible
    mistaken = round(10_000 * (1 - finished.result["test_accuracy"]))
    assert f"{finished.result['test_accuracy']:.1%}" in sentences
    assert f": {mistaken:,} mistakes." in sentences
    assert f"{finished.result['test_accuracy']:.2%}" in figures
    assert matrix.count("data-cell=") == 100
    labels = load_test_split().labels.numpy()
    read = finished.test_probs.numpy().argmax(1)
    sevens = int(((labels == 7) & (read == 7)).sum())
    assert f'aria-label="{sevens} images of 7 read as 7"' in matrix
    assert 0 < len(value_of(mistakes)) <= 12
    shares = [float(caption.split("(")[1].rstrip("%)")) for _, caption in value_of(mistakes)]
    assert shares == sorted(shares, reverse=True)
    # Hidden of a network that went on from another, so that here it is said to be shown.
    assert downloads[-1].visible
    downloads[-1] = value_of(downloads[-1])
    assert [Path(path).suffix for path in downloads] == [".zip", ".csv", ".zip", ".py"]
    assert all(Path(path).stat().st_size > 0 for path in downloads)


def test_nothing_is_shown_of_an_unfinished_or_anothers_run(finished):
    assert not train_tab.on_finish("", "somebody")[0].visible
    assert not train_tab.on_finish(finished.run_id, "alice")[0].visible


@pytest.mark.parametrize(("true", "read"), [(7, 7), (4, 9), (0, 1)])
def test_a_cell_of_the_matrix_opens_the_images_behind_it(finished, true, read):
    event = gr.EventData(None, {"cell": 10 * true + read})
    heading, gallery = results_view.on_cell(finished.run_id, "somebody", event)
    labels = load_test_split().labels.numpy()
    predicted = finished.test_probs.numpy().argmax(1)
    count = int(((labels == true) & (predicted == read)).sum())
    assert heading.startswith(f"**{count:,}** images of **{true}** read as **{read}**")
    assert len(value_of(gallery)) == min(count, 40)


def test_anothers_cells_stay_closed(finished):
    with pytest.raises(gr.Error):
        results_view.on_cell(finished.run_id, "alice", gr.EventData(None, {"cell": 0}))


def test_runs_are_compared_side_by_side(finished):
    chosen = compare_view.on_open("somebody")
    assert chosen.value == [finished.run_id]
    assert compare_view.on_open("alice").choices == []
    chart, table = compare_view.on_choose([finished.run_id], "Accuracy", "Epochs", "somebody")
    table = value_of(table)
    column = table.columns[1]
    assert table.loc["Test accuracy", column] == f"{finished.result['test_accuracy']:.2%}"
    for name, value in asdict(finished.config).items():
        assert table.loc[LABELS[name], column] == str(value)
    points = json.loads(value_of(chart))["curves"][0]["points"]
    assert [epoch for epoch, _ in points] == list(range(1, finished.config.epochs + 1))
    assert points[-1][1] == pytest.approx(100 * finished.events[-1].val_accuracy, rel=1e-4)


def test_runs_are_compared_by_loss_and_over_time_too(finished):
    chart, _ = compare_view.on_choose([finished.run_id], "Loss", "Seconds", "somebody")
    last = json.loads(value_of(chart))["curves"][0]["points"][-1]
    event = finished.events[-1]
    assert last == pytest.approx([event.elapsed_s, event.val_loss], rel=1e-4)


def test_comparing_nothing_is_an_empty_table(runs_folder):
    _, table = compare_view.on_choose([], "Accuracy", "Epochs", "alice")
    assert len(value_of(table)) == 0


def test_anothers_run_cannot_be_compared(finished):
    with pytest.raises(gr.Error):
        compare_view.on_choose([finished.run_id], "Accuracy", "Epochs", "alice")


def test_two_runs_of_the_same_second_are_two_columns(runs_folder):
    made = create_run(TrainConfig(), "alice", "cpu")
    write_status(made.folder, "done")
    twins = []
    for suffix in ("00000000", "11111111"):
        twin = replace(made, run_id=f"20261123-101112-{suffix}")
        (runs_folder / twin.run_id).mkdir()
        for name in ("run.json", "status.json"):
            content = (made.folder / name).read_text()
            assert json.loads(content)
            (runs_folder / twin.run_id / name).write_text(content)
        twins.append(twin.run_id)
    _, table = compare_view.on_choose(twins, "Accuracy", "Epochs", "alice")
    # The names of the settings, and a column a run; twins differ in none.
    assert value_of(table).shape[1] == 3
    assert not set(LABELS.values()) & set(value_of(table).index)


def test_only_settings_that_differ_are_compared(runs_folder):
    configs = (TrainConfig(), TrainConfig(learning_rate=0.002))
    runs = [create_run(config, "alice", "cpu").run_id for config in configs]
    _, table = compare_view.on_choose(runs, "Accuracy", "Epochs", "alice")
    found = value_of(table)
    assert set(found.index) & set(LABELS.values()) == {LABELS["learning_rate"]}
    assert list(found.loc["Preset"][1:]) == ["Fast: 99% in seconds", "Your own settings"]


def test_an_error_names_the_field_as_the_page_does(runs_folder, queue):
    knobs = {**asdict(TrainConfig()), "learning_rate": 7}
    with pytest.raises(gr.Error, match=r"Learning rate is 7; a number from"):
        train_tab.on_start(train_tab.build_panel(queue), "cpu", "alice", *knobs.values())
