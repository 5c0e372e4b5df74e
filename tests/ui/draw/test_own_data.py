"""A run on a visitor's own data on the Draw tab: its classes answer; what needs digits says so."""

import re
from functools import partial

import gradio as gr
import numpy as np
import pytest
import torch
from drawing import data_url, write_shapes
from outputs import value_of
from PIL import Image, ImageDraw

from foundry.compression.pruning import prune
from foundry.data import normalize
from foundry.data.own.reading import finish, read_data_set
from foundry.models import build_model, load_model, save_model
from foundry.models.quantization import quantize
from foundry.runs.data_sets import keep_data_set, load_data
from foundry.training import TrainConfig, TrainState, train
from foundry.training.runs import create_run
from foundry.ui.components.model_choice import list_digit_models
from foundry.ui.components.variants.answers import Answered
from foundry.ui.draw import maps
from foundry.ui.draw import photo as draw_photo
from foundry.ui.draw import tab as draw_tab
from foundry.ui.draw.fool import on_fool
from foundry.ui.draw.look_inside import ANY, on_classes, on_explain


def picture(name):
    page = Image.new("L", (280, 280), 255)
    draw = ImageDraw.Draw(page)
    (draw.ellipse if name == "disc" else draw.rectangle)((80, 80, 200, 200), fill=0)
    return page


@pytest.fixture
def run(runs_folder, tmp_path, monkeypatch):
    """A run that tells discs from squares."""
    monkeypatch.setenv("FOUNDRY_CACHE_DIR", str(tmp_path / "cache"))
    write_shapes(tmp_path / "shapes.zip")
    own = finish(read_data_set(tmp_path / "shapes.zip"))
    about = keep_data_set(own, "shapes.zip", "alice", "as it is")
    config = TrainConfig(dataset=about.data_id, epochs=20, batch_size=8, learning_rate=0.003)
    run = create_run(config, "alice", "cpu")
    data = load_data(about.data_id)
    state = TrainState(run.config, classes=run.classes)
    for _ in train(state, data):
        pass
    save_model(state.best_model(), run.best_folder)
    return run


@pytest.mark.parametrize("name", ["disc", "square"])
def test_a_drawing_is_answered_by_the_classes_of_the_run(run, name):
    bars, note, *_ = draw_tab.on_draw("cpu", data_url(picture(name)), run.run_id, "alice")
    assert f'<b translate="no">{name}</b>' in bars
    assert "ms" in note
    assert "Draw a digit" in draw_tab.on_draw("cpu", None, run.run_id, "alice")[0]
    blank = data_url(Image.new("L", (280, 280), 255))
    assert "Draw a digit" in draw_tab.on_draw("cpu", blank, run.run_id, "alice")[0]
    assert maps.on_look("cpu", data_url(picture(name)), run.run_id, "alice").count("<img") == 3
    assert maps.on_look("cpu", blank, run.run_id, "alice").count("<img") == 0


def test_a_picture_that_is_sent_is_looked_at_as_a_whole(run, tmp_path):
    picture("disc").save(tmp_path / "disc.png")
    _, sentence, crops = draw_photo.on_photo("cpu", str(tmp_path / "disc.png"), run.run_id, "alice")
    assert "“disc”" in sentence
    assert len(value_of(crops)) == 1


def test_it_is_offered_for_drawing_and_not_where_digits_are_needed(run):
    offered = dict(draw_tab.on_visit("alice", run.run_id).choices)
    assert run.run_id in offered.values()
    assert run.run_id not in dict(list_digit_models("alice")).values()
    assert run.run_id not in dict(draw_tab.on_visit("bob", run.run_id).choices).values()


def test_its_int8_form_is_calibrated_on_its_own_pictures(run, monkeypatch):
    calibrated = []

    def quantize_seen(model, signature, samples, on_progress=None):
        calibrated.extend(samples)
        return quantize(model, signature, samples, on_progress)

    monkeypatch.setattr("foundry.models.variants.quantize", quantize_seen)
    *_, last = draw_tab.on_variant("cpu", run.run_id, "alice", "int8")
    assert last == ""
    train = run.data.train
    assert len(calibrated) == len(train)
    assert torch.equal(torch.cat([image for (image,) in calibrated]), normalize(train.images))
    drawing = data_url(picture("disc"))
    bars, _, answered, rows = draw_tab.on_draw("cpu", drawing, run.run_id, "alice", "int8")
    assert '<b translate="no">disc</b>' in bars
    assert {name: one.text for name, one in answered.answers.items()} == {
        "dense": "disc",
        "int8": "disc",
    }
    assert '<button type="button" role="radio" data-variant="pruned" aria-checked="false"' in rows
    # Each was asked before, so nothing is made anew.
    steps = draw_tab.on_compare("cpu", drawing, run.run_id, "alice", "int8", Answered())
    *_, (told, _, _) = steps
    assert list(told.answers) == ["dense", "int8"]


def test_a_variant_that_it_lacks_is_a_sentence_until_it_was_pruned(run):
    drawing = data_url(picture("square"))
    *_, answered, _ = draw_tab.on_draw("cpu", drawing, run.run_id, "alice")
    bars, said, answered, _ = draw_tab.on_draw(
        "cpu", drawing, run.run_id, "alice", "pruned", answered
    )
    assert re.search(r"no variant “pruned”.*choose one of dense, int8", said)
    assert "<b>" not in bars
    assert not answered.answers
    save_model(prune(load_model(run.best_folder), 0.3).model, run.pruned_folder)
    _, _, answered, _ = draw_tab.on_draw("cpu", drawing, run.run_id, "alice", "pruned")
    assert list(answered.answers) == ["dense", "pruned"]
    assert maps.on_look("cpu", drawing, run.run_id, "alice", "pruned").count("<img") == 3


def test_a_blank_pad_has_nothing_to_compare(run):
    blank = data_url(Image.new("L", (280, 280), 255))
    with pytest.raises(gr.Error, match="nothing to compare"):
        list(draw_tab.on_compare("cpu", blank, run.run_id, "alice", "dense", Answered()))


def test_why_it_answers_so_is_told_with_its_classes(run):
    drawing = data_url(picture("disc"))
    explain = partial(on_explain, "cpu", drawing, run.run_id, "alice", "dense")
    assert "Why disc?" in explain(ANY)
    # A digit that was chosen for the model before is no class of this one.
    assert "Why disc?" in explain(1)
    assert "Why disc?" in explain(ANY, "disc")
    html = explain(ANY, "square")
    assert "Why disc and not square?" in html and "speaks for square" in html
    assert "Why disc?" in explain(ANY, "heart")
    assert "Draw a digit on the pad first" in on_explain(
        "cpu", None, run.run_id, "alice", "dense", ANY
    )


def test_it_is_fooled_into_another_class_and_only_its_like_are_asked(run):
    drawing = data_url(picture("disc"))
    fool = partial(on_fool, "cpu", drawing, run.run_id, "alice", "dense", ANY, "pgd", 0.5)
    html = fool()
    assert "Fooled: the disc is read as square." in html
    assert fool("square") == html
    assert "It is read as “disc” already" in fool("disc")
    assert "LeNet (shipped)" not in html
    assert '<b translate="no">square</b>' in html


def test_the_choice_of_a_class_follows_the_model(run):
    digit, named = on_classes(run.run_id, "alice")
    assert (digit.visible, named.visible) == (False, True)
    assert [name for name, _ in named.choices][1:] == ["disc", "square"]
    assert [shown.visible for shown in on_classes("lenet", "alice")] == [True, False]
    assert [shown.visible for shown in on_classes(run.run_id, "bob")] == [True, False]


@pytest.mark.parametrize("model", ["lenet", "cnn", "lstm", "transformer"])
def test_every_network_can_be_looked_into(run, model):
    network = build_model(model, classes=("disc", "square", "ring"))
    shown = maps._look_into(network.eval(), np.zeros((28, 28), np.uint8))
    assert len(shown) == 2
