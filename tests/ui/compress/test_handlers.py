"""The Compress tab's handlers, called with plain values."""

import json
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from compress_report import make_report
from queues import build_queue
from safetensors.torch import save_file

from foundry.compression.config import CompressConfig, CompressEvent
from foundry.compression.runs import PROBS_FILE, create_compression, list_own_compressions
from foundry.runs.folders import RESULT_FILE, append_event, write_json, write_status
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import create_run
from foundry.ui.compress.downloads import list_downloads, on_write
from foundry.ui.compress.one_input import on_image, on_next, on_result, render_one_input
from foundry.ui.compress.tab import (
    build_panel,
    on_model,
    on_start,
    on_visit,
)

NOBODY_WAITS = SimpleNamespace(position=lambda run_id: 0)
KNOBS = ["lenet", 0.4, 8, 0.8, "global", 6]


@pytest.fixture
def panel(runs_folder, monkeypatch):
    """Of a queue whose workers never start."""
    monkeypatch.setattr(RunQueue, "_work", lambda self: None)
    return build_panel(build_queue())


@pytest.fixture
def done(runs_folder):
    """A finished compression of Alice's with made-up figures: image 5 is disputed."""
    run = create_compression(CompressConfig(*KNOBS), "alice")
    probs = torch.full((10_000, 10), 0.01)
    probs[:, 7] = 0.91
    other = probs.clone()
    other[5, 3], other[5, 7] = 0.91, 0.01
    names = ["pruned", "masked", "pruned-int8"]
    save_file({"dense": probs} | {name: other.clone() for name in names}, run.folder / PROBS_FILE)
    append_event(run.folder, CompressEvent("measure", "Measured", 1.0, 65.0))
    write_json(run.folder / RESULT_FILE, make_report())
    write_status(run.folder, "done")
    return list_own_compressions("alice")[0]


def test_start_queues_what_the_knobs_say_and_shows_it(panel):
    run_id, *shown = on_start(panel, "alice", *KNOBS)
    (run,) = list_own_compressions("alice")
    assert (run.run_id, run.config) == (run_id, CompressConfig(*KNOBS))
    assert len(shown) == len(panel.show(None))
    assert "Waiting" in shown[3]


def test_a_wrong_knob_is_a_message_and_starts_nothing(panel):
    with pytest.raises(gr.Error, match="pruning_ratio is 2"):
        on_start(panel, "alice", "lenet", 2, *KNOBS[2:])
    assert list_own_compressions("alice") == []


def test_cancel_is_the_owners(panel):
    run_id, *_ = on_start(panel, "alice", *KNOBS)
    with pytest.raises(gr.Error, match="You have no compression"):
        panel.on_stop(run_id, "bob")
    panel.on_stop(run_id, "alice")
    assert list_own_compressions("alice")[0].status == "stopped"
    with pytest.raises(gr.Error, match="not under way"):
        panel.on_stop(run_id, "alice")


def test_refresh_skips_what_has_not_changed_and_moves_what_has(panel):
    run_id, *_ = on_start(panel, "alice", *KNOBS)
    (run,) = list_own_compressions("alice")
    write_status(run.folder, "running")
    seen = panel.on_refresh(run_id, "alice", None)[0]
    assert panel.on_refresh(run_id, "alice", seen) == [gr.skip()] * len(panel.show(None))
    append_event(run.folder, CompressEvent("prune", "Removing", 0.2, 3.0))
    moved = panel.on_refresh(run_id, "alice", seen)
    assert (moved[0], len(moved)) == ((run_id, "running", 1), len(panel.show(None)))
    assert moved[-1] == gr.skip()


def test_a_compression_that_waits_is_told_of_every_run_that_ends_before_it(panel):
    before, _, *_ = on_start(panel, "bob", *KNOBS)
    run_id, seen, *first = on_start(panel, "alice", *KNOBS)
    panel.on_stop(before, "bob")
    assert any("1 run before" in str(shown) for shown in first)
    then = panel.on_refresh(run_id, "alice", seen)
    assert any("run-status" in str(shown) for shown in then)
    assert not any("before this one" in str(shown) for shown in then)


def test_a_reload_re_attaches_with_the_settings_of_the_run(panel, done):
    run_id, model, *rest = panel.on_return("", "alice")
    assert run_id == done.run_id
    assert model.value == "lenet"
    assert rest[:5] == KNOBS[1:]
    assert len(rest) == 5 + len(panel.show(None))


def test_a_stranger_sees_nothing_and_the_form_stays(panel, done):
    run_id, model, *rest = panel.on_return(done.run_id, "bob")
    assert run_id == ""
    assert "value" not in model.constructor_args
    assert rest[:5] == [gr.skip()] * 5
    assert "Nothing compressed yet" in rest[5 + 3]


def test_a_page_just_opened_is_told_no_more_than_it_does_not_show_yet(panel, done):
    assert len(panel.on_arrive("", "alice")) == len(panel.on_return("", "alice"))
    assert panel.on_arrive("", "alice")[0] == done.run_id
    run_id, _, *rest = panel.on_arrive(done.run_id, "bob")
    assert (run_id, len(rest)) == ("", 5 + len(panel.show(None)))
    told = [update for update in rest if update != gr.skip()]
    assert len(told) == 1 and told[0].interactive


def test_models_of_other_tasks_cannot_be_pruned_here():
    *sliders, note = on_model("alice", "bert-sentiment")
    assert not any(slider.interactive for slider in sliders)
    assert (sliders[0].value, sliders[2].value) == (0.0, 0.0)
    assert note.visible and "takes this model hours" in note.value
    assert all(slider.interactive for slider in on_model("alice", "lenet")[:4])


def test_a_cnn_is_pruned_but_not_masked(runs_folder):
    run = create_run(TrainConfig(model="cnn"), "alice")
    ratio, _, sparsity, scope, note = on_model("alice", run.run_id)
    assert ratio.interactive and not sparsity.interactive and not scope.interactive
    assert (ratio.value, sparsity.value, note.visible) == (0.4, 0.0, False)


def test_the_choice_holds_every_shipped_model(runs_folder):
    names = [name for _, name in on_visit("alice", "lenet").choices]
    assert names == ["lenet", "bert-sentiment", "wav2vec2-commands"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("queued", "Starting the worker"),
        ("failed", "out of memory. Press Compress to try again"),
        ("interrupted", "The server went away"),
        ("stopped", "Nothing was compressed"),
    ],
)
def test_the_status_line_says_where_it_stands(runs_folder, status, said):
    run = create_compression(CompressConfig(*KNOBS), "alice")
    write_status(run.folder, status, "out of memory" if status == "failed" else "")
    assert said in build_panel(NOBODY_WAITS).status_html(list_own_compressions("alice")[0])


def test_the_next_image_is_one_they_differ_on(done):
    assert on_next(done.run_id, "alice", 0) == 5
    # After the last it begins again.
    assert on_next(done.run_id, "alice", 5) == 5


def test_an_image_through_every_form_dense_first(done, mnist):
    image, html = on_image(done.run_id, "alice", 5)
    assert np.asarray(image).shape == (140, 140)
    assert f"written {mnist.test.labels[5]}" in html
    assert "Variants that answer differently from dense: 3 of 3." in html
    assert html.index(">dense<") < html.index(">masked<")


@pytest.mark.parametrize("index", [-1, 10_000])
def test_an_image_that_there_is_not_is_a_sentence(done, index):
    with pytest.raises(gr.Error, match="test images 0 to 9,999"):
        on_image(done.run_id, "alice", index)


def test_when_it_has_ended_a_disputed_image_is_shown(done):
    place, _, html = on_result(done.run_id, "alice", 0, "", None)
    assert place == 5
    assert "answer differently from dense" in html
    assert on_result("", "alice", 0, "", None) == [gr.skip(), None, ""]
    digits, _, text, clip, _ = render_one_input(done)
    assert (digits.visible, text.visible, clip.visible) == (True, False, False)


def test_only_forms_of_the_table_can_be_taken_home(done):
    assert list_downloads(done) == ["dense", "pruned", "masked", "pruned-int8"]
    assert list_downloads(None) == []
    with pytest.raises(gr.Error, match="There is no variant “int8”; choose one of dense"):
        on_write(done.run_id, "alice", "int8", "openvino")
    with pytest.raises(gr.Error, match="You have no compression"):
        on_write(done.run_id, "bob", "dense", "openvino")


def test_the_report_is_json(done):
    json.dumps(done.result)
