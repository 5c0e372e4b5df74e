"""A compression of a run on a visitor's own data, on the page: its classes, not digits."""

import shutil

import pytest
import torch
from compress_report import make_report, make_row
from safetensors.torch import save_file
from shades import CLASSES, make_shades

from foundry.compression.config import CompressConfig, CompressEvent
from foundry.compression.runs import PROBS_FILE, create_compression, read_compression
from foundry.models import build_model, save_model
from foundry.runs.data_sets import _load_own, keep_data_set, load_data, remove_data_set
from foundry.runs.folders import RESULT_FILE, append_event, write_json, write_status
from foundry.training import TrainConfig
from foundry.training.runs import create_run, read_run
from foundry.ui.compress.one_input import on_image, on_next, render_one_input
from foundry.ui.compress.plots import table_html
from foundry.ui.compress.tab import on_visit
from foundry.ui.compress.view import describe_compression


@pytest.fixture
def done(runs_folder):
    """A finished compression with made-up figures: the third test image is disputed."""
    about = keep_data_set(make_shades(), "shades.zip", "alice")
    run = create_run(TrainConfig(dataset=about.data_id), "alice")
    save_model(build_model("lenet", classes=CLASSES), run.best_folder)
    made = create_compression(CompressConfig(run.run_id), "alice")
    probs = torch.tensor([0.8, 0.1, 0.1]).repeat(15, 1)
    other = probs.clone()
    other[2] = torch.tensor([0.1, 0.1, 0.8])
    save_file({"dense": probs, "pruned": other}, made.folder / PROBS_FILE)
    rows = [make_row(name, balanced_quality=0.75) for name in ("dense", "pruned")]
    report = make_report(rows=rows, row=rows[1], classes=list(CLASSES))
    write_json(made.folder / RESULT_FILE, report)
    write_status(made.folder, "done")
    return read_compression(made.run_id)


def test_its_run_is_offered_to_its_owner(done):
    assert done.config.model in dict(on_visit("alice", "lenet").choices).values()
    assert done.config.model not in dict(on_visit("bob", "lenet").choices).values()


def test_a_test_image_is_its_own_and_is_answered_by_its_classes(done):
    data = load_data(done.dataset)
    assert on_next(done.run_id, "alice", 0) == 2
    image, html = on_image(done.run_id, "alice", 2)
    assert image is not None
    assert f"Test image 2: “{CLASSES[data.test.labels[2]]}”" in html
    assert '<th scope="col" translate="no">striped</th>' in html
    assert '<td translate="no" class="other">striped</td>' in html
    _, index, *_ = render_one_input(done)
    assert index.maximum == len(data.test) - 1 == 14


def test_an_index_of_another_test_split_is_put_back(done):
    _, index, *_ = render_one_input(done)
    assert index.value == 0


def test_a_model_that_was_deleted_is_not_chosen_any_more(done):
    model = done.config.model
    assert on_visit("alice", model).value == model
    shutil.rmtree(read_run(model).folder)
    assert on_visit("alice", model).value == "lenet"


def test_without_its_data_the_answers_stay_and_a_sentence_says_so(done):
    _load_own.cache_clear()
    remove_data_set(done.dataset, "alice")
    image, html = on_image(done.run_id, "alice", 2)
    assert image is None
    assert "is no longer here" in html
    assert "striped" in html


def test_the_table_has_what_accuracy_hides_and_the_classes(done):
    html = table_html(done.result)
    assert "Balanced accuracy" in html and "75.00%" in html
    assert '<span translate="no">light, dark, striped</span>' in html
    many = done.result | {"classes": [f"<{number}>" for number in range(30)]}
    assert "&lt;19&gt;</span> <span>and 10 more</span>" in table_html(many)
    assert "Balanced" not in table_html(make_report())


def test_the_status_names_the_run_until_it_is_deleted(done):
    append_event(done.folder, CompressEvent("measure", "Measured", 1.0, 72.0))
    said = describe_compression(read_compression(done.run_id))
    assert said.startswith("Your run ") and said.endswith(", in 72 s.")
    shutil.rmtree(read_run(done.config.model).folder)
    said = describe_compression(read_compression(done.run_id))
    assert said == f"{done.config.model}, in 72 s."
