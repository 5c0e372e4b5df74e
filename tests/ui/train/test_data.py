"""Data that a visitor brings, on the Train tab: added, shown, chosen, trained on, deleted."""

import json
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from drawing import data_url, draw_strokes, write_shapes
from outputs import value_of

from foundry.data import normalize
from foundry.data.own.found import Found
from foundry.data.own.splitting import split
from foundry.models import load_model, save_model
from foundry.runs import data_sets
from foundry.runs.data_sets import data_sets_dir, keep_data_set, list_data_sets, load_data
from foundry.runs.folders import append_event, write_status
from foundry.training import TrainConfig, TrainState, train
from foundry.training.evaluation import evaluate
from foundry.training.inspection.measures import measure_classes
from foundry.training.runs import create_run, read_run, write_result
from foundry.training.worker import _measure_classes
from foundry.ui.components.model_choice import list_choices
from foundry.ui.components.pad import see_drawing
from foundry.ui.server import queues
from foundry.ui.train import data as data_view
from foundry.ui.train import results, tab
from foundry.ui.train.form import fill_form
from foundry.ui.train.headline import render_headline
from foundry.ui.train.inspection.replay import on_replay
from foundry.ui.train.inspection.watch import render_watch


@pytest.fixture
def shapes(tmp_path):
    write_shapes(tmp_path / "shapes.zip")
    return str(tmp_path / "shapes.zip")


def build_about(classes):
    """A data set of shades that anything can tell apart; the last class has most pictures."""
    generator = np.random.default_rng(0)
    labels = np.array([*range(len(classes))] * 10 + [len(classes) - 1] * 60)
    images = generator.integers(0, 20, (len(labels), 28, 28), dtype=np.uint8)
    images += (labels * (200 // len(classes)))[:, None, None].astype(np.uint8)
    return keep_data_set(split(Found({"train": (images, labels)}, classes)), "shades", "alice")


def finish(about):
    """A finished run on it, without a worker."""
    run = create_run(TrainConfig(dataset=about.data_id, epochs=2, batch_size=16), "alice", "cpu")
    data = load_data(about.data_id)
    state = TrainState(run.config, classes=run.classes)
    for event in train(state, data):
        append_event(run.folder, event)
    model = state.best_model()
    save_model(model, run.best_folder)
    test = evaluate(model, data.test)
    figures = {
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "val_accuracy": state.best_val_accuracy,
        "best_epoch": 1,
        "elapsed_s": 1.0,
        "images_per_s": 1.0,
        "parameters": 1,
        "device": "cpu",
        "num_threads": 1,
        **_measure_classes(data, test.probs),
    }
    write_result(run.folder, figures, test.probs)
    write_status(run.folder, "done")
    return read_run(run.run_id)


def test_a_file_is_added_chosen_and_shown(runs_folder, shapes):
    *_, last = data_view.on_add([shapes], "as it is", "alice")
    _, status, chosen, add, cancel = last
    assert "40 pictures of 2 classes" in status
    (about,) = list_data_sets("alice")
    assert chosen.value == about.data_id
    assert ("shapes.zip" in chosen.choices[1][0]) and add.interactive and not cancel.interactive
    report, delete = data_view.on_choose(about.data_id, "alice")
    html = value_of(report)
    assert html.count("data:image/png") == 2
    assert '<td translate="no">disc</td>' in html
    assert "<td>16</td><td>2</td><td>2</td>" in html
    assert "set aside" in html
    assert delete.visible
    assert not data_view.on_choose("mnist", "alice")[0].visible
    assert data_view.on_delete(about.data_id, "alice").value == "mnist"
    assert list(data_sets_dir().iterdir()) == []


def test_what_is_not_accepted_is_told_where_it_was_brought(runs_folder, tmp_path):
    (tmp_path / "a.csv").write_text("1,2,3\n")
    *_, last = data_view.on_add([str(tmp_path / "a.csv")], "as it is", "alice")
    assert "Not accepted" in last[1]
    assert "3 columns" in last[1]
    assert not data_sets_dir().exists()
    with pytest.raises(gr.Error):
        next(data_view.on_add(None, "as it is", "alice"))
    with pytest.raises(gr.Error):
        data_view.on_delete("mnist", "alice")
    *_, last = data_view.on_add([str(tmp_path / "a.csv")], "backwards", "alice")
    assert "preparation is “backwards”" in last[1]


def test_a_cancelled_reading_leaves_nothing(runs_folder, shapes):
    adding = data_view.on_add([shapes], "as it is", "alice")
    queues.on_cancel(next(adding)[0])
    *_, last = adding
    assert "Cancelled" in last[1]
    assert not data_sets_dir().exists()


def test_handwriting_is_framed_as_mnist_was(runs_folder, shapes):
    *_, last = data_view.on_add([shapes], "as handwriting", "alice")
    assert "Ready" in last[1]
    (about,) = list_data_sets("alice")
    images = load_data(about.data_id).train.images
    # MNIST's frame: 20x20 within 28x28, ink is bright.
    assert images[:, :3].max() == 0
    assert images[:, 13:15].max() == 255


def test_a_pair_of_idx_files_is_one_data_set(runs_folder, tmp_path):
    labels = np.arange(60, dtype=np.uint8) % 2
    pictures = np.repeat(labels, 784) * 200
    images, answers = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 28, 0, 0, 0, 28, *pictures]))
    answers.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 60, *labels]))
    *_, last = data_view.on_add([str(answers), str(images)], "as it is", "alice")
    assert "60 pictures of 2 classes" in last[1]
    (about,) = list_data_sets("alice")
    assert about.title == "train-images-idx3-ubyte"


def test_anothers_data_is_neither_listed_nor_shown_nor_trained_on(runs_folder, queue):
    about = build_about(("dark", "light"))
    assert [name for _, name in list_choices("bob").choices] == ["mnist"]
    for handler in (data_view.on_choose, data_view.on_delete):
        with pytest.raises(gr.Error, match="You have no data set"):
            handler(about.data_id, "bob")
    knobs = fill_form(TrainConfig(dataset=about.data_id))[2:]
    with pytest.raises(gr.Error, match="You have no data set"):
        tab.on_start(tab.build_panel(queue), "cpu", "bob", *knobs)


def test_a_run_brings_its_data_back_into_the_form(runs_folder):
    about = build_about(("dark", "light"))
    run = create_run(TrainConfig(dataset=about.data_id, epochs=3), "alice")
    preset, _, *values, chosen = tab.on_fill(run, "alice")
    assert preset == "Fast: 99% in seconds"
    assert chosen.value == about.data_id
    # Within what the slider takes.
    assert values[-2] >= 500
    assert tab.on_fill(run, "bob")[-1].value == "mnist"


def test_of_two_classes_accuracy_does_not_stand_alone(runs_folder):
    run = finish(build_about(("dark", "light")))
    group, sentences = render_headline(run)
    assert group.visible
    assert "no medical device" in sentences
    assert "commonest answer would be right for 87.5%" in sentences
    shown = results.render_results(run)
    labels = run.data.test.labels.numpy()
    measures = measure_classes(labels, run.test_probs.numpy().argmax(1), 2)
    for words, value in (
        ("balanced accuracy", measures.balanced_accuracy),
        ("always saying “light”", 0.875),
        ("sensitivity: “light”", measures.recalls[1]),
        ("specificity: “dark”", measures.recalls[0]),
    ):
        assert f"<b>{value:.2%}</b><span>" in shown[1]
        assert words in shown[1]
    assert shown[2].count("data-cell=") == 4
    assert "what the network says" in shown[2]


def test_the_matrix_of_many_classes_shows_those_most_mistaken(runs_folder):
    run = finish(build_about(tuple(f"class {i}" for i in range(30))))
    matrix = results.render_results(run)[2]
    assert matrix.count("data-cell=") == results._MAX_ROWS**2
    assert "Of 30 classes the 26 with the most mistakes" in matrix
    assert "medical" not in render_headline(run)[1]
    answers = run.test_probs.argmax(1)
    true, read = int(run.data.test.labels[0]), int(answers[0])
    heading, images = results.on_cell(run.run_id, "alice", SimpleNamespace(cell=30 * true + read))
    both = (run.data.test.labels == true) & (answers == read)
    images_of = "image of" if both.sum() == 1 else "images of"
    assert heading.startswith(f"**{int(both.sum())}** {images_of} **class {true}**")
    assert len(value_of(images)) == int(both.sum())


def test_a_name_from_a_folder_is_text_and_nothing_else(runs_folder):
    run = finish(build_about(("<b>bold</b>", "light")))
    matrix = results.render_results(run)[2]
    assert "<b>bold" not in matrix
    assert "&lt;b&gt;bold" in matrix
    (about,) = list_data_sets("alice")
    assert "<b>bold" not in value_of(data_view.on_choose(about.data_id, "alice")[0])


def test_the_pictures_that_are_watched_are_the_runs_own(runs_folder):
    run = finish(build_about(("dark", "light", "white")))
    value = json.loads(render_watch(run))
    assert value["names"] == ["dark", "light", "white"]
    # The first of each class, then the second.
    assert value["labels"][:4] == [0, 1, 2, 2]
    assert len(value["labels"]) == len(run.data.test)
    assert value["title"] == "Pictures it never learns from"
    with torch.inference_mode():
        assert len(value["frames"][-1]["guesses"]) == len(value["labels"])


@pytest.mark.parametrize("names", [("dark", "light"), tuple("0123456789")])
def test_the_replay_reads_the_runs_own_validation_pictures(runs_folder, names):
    run = finish(build_about(names))
    drawing = data_url(draw_strokes([[(80, 60), (200, 200)]]))
    event = SimpleNamespace(run=run.run_id, step=0, drawing=drawing)
    *_, last = (json.loads(value) for value in on_replay("alice", event))
    assert (last["names"], last["isOfDigits"]) == (list(names), False)
    val = run.data.val
    assert last["labels"][: len(names)] == sorted(set(val.labels.tolist()))[:8]
    network = load_model(run.best_folder)
    answers = network(normalize(val.images)).argmax(1)
    counts = np.zeros((len(names), len(names)), int)
    for label, answer in zip(val.labels.tolist(), answers.tolist(), strict=True):
        counts[label, answer] += 1
    (frame,) = last["frames"]
    assert frame["matrix"] == counts.ravel().tolist()
    assert [len(row) for row in frame["percents"]] == [len(names)] * (1 + len(last["labels"]))
    # What the drawing is to the network that learned pictures as they are.
    seen = torch.from_numpy(see_drawing(run, drawing)[None])
    probs = network(normalize(seen)).softmax(1)[0]
    np.testing.assert_allclose(frame["percents"][0], 100 * probs, atol=0.06)
    # The map is of digits.
    assert (frame["points"], frame["own"], frame["answers"]) == ("", "", "")


def test_of_many_classes_no_matrix_is_counted(runs_folder):
    run = finish(build_about(tuple(f"class {number}" for number in range(21))))
    event = SimpleNamespace(run=run.run_id, step=0, drawing=None)
    *_, last = (json.loads(value) for value in on_replay("alice", event))
    assert last["frames"][0]["matrix"] == []


def test_a_run_whose_data_is_gone_shows_its_figures(runs_folder):
    about = build_about(("dark", "light"))
    run = finish(about)
    data_view.on_delete(about.data_id, "alice")
    data_sets._load_own.cache_clear()
    shown = results.render_results(run)
    assert "test accuracy" in shown[1]
    assert "bring its file again" in shown[3]


def test_a_new_visitor_sees_the_network_that_start_would_train(runs_folder):
    assert json.loads(tab.on_first_look("alice"))["frames"][0]["when"].startswith("Untrained")
    create_run(TrainConfig(), "alice")
    assert tab.on_first_look("alice") == gr.skip()
