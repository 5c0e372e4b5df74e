"""What was taught, in a fresh process without Foundry, and loaded again."""

import json
import re
import subprocess
import sys
import zipfile

import pytest
from fine_tuned import fine_tune
from patterns import draw_pattern, pattern_entries, write_zip
from safetensors import safe_open
from safetensors.torch import save

from foundry.errors import InputError
from foundry.photos.teaching.changes import add_squares, remove_example
from foundry.photos.teaching.lessons import ask, load_taught, teach_project
from foundry.photos.teaching.pictures import make_square
from foundry.photos.teaching.projects import create_project, list_own_projects, remove_project
from foundry.photos.teaching.taking_home import load_project, save_project
from foundry.ui.photos.teach.downloads import on_load, on_take, write_taught


@pytest.fixture(autouse=True)
def folder(runs_folder):
    return runs_folder


@pytest.fixture
def taught(tmp_path):
    write_zip(tmp_path / "two.zip", pattern_entries())
    *_, project = teach_project(load_project(tmp_path / "two.zip", "me")[0])
    return project


@pytest.mark.slow("starts a process for each archive")
@pytest.mark.parametrize(
    ("file_format", "is_tuned"),
    [("safetensors", False), ("safetensors", True), ("openvino", True), ("onnx", True)],
)
def test_it_answers_the_same_in_a_fresh_process(taught, file_format, is_tuned, tmp_path):
    if is_tuned:
        taught = fine_tune(taught)
    archive = write_taught(taught, file_format, tmp_path / "out")
    zipfile.ZipFile(archive).extractall(tmp_path / "elsewhere")
    ran = subprocess.run(
        [sys.executable, "-I", "load.py"],
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    found = re.search(r"logits that came with the model: (\S+)", ran.stdout)
    assert found and float(found[1]) < 1e-3
    names = json.loads((tmp_path / "elsewhere" / "classes.json").read_text("utf-8"))
    assert names == {"labels": ["stripes", "spots"]}


def test_a_project_is_loaded_as_it_was(taught, tmp_path):
    save_project(taught, tmp_path / "saved.zip")
    loaded, _ = load_project(tmp_path / "saved.zip", "you")
    assert (loaded.labels, loaded.examples) == (taught.labels, taught.examples)
    assert loaded.outcome == taught.outcome
    picture = draw_pattern("spots", 60)
    assert ask(load_taught(loaded), picture) == ask(load_taught(taught), picture)
    # Also packed again, by a system that puts a folder around it or has another sign in paths.
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for rename in ("packed/{}".format, lambda name: name.replace("/", "\\")):
        write_zip(tmp_path / "again.zip", {rename(name): one for name, one in entries.items()})
        again, _ = load_project(tmp_path / "again.zip", "you")
        assert (again.examples, again.outcome) == (taught.examples, taught.outcome)
        assert load_taught(again).head.labels == taught.labels


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"[" * 100_000, b'{"examples": [{"x": 1}], "outcome": null}']
)
def test_a_damaged_project_is_a_sentence_and_leaves_nothing(tmp_path, content):
    write_zip(tmp_path / "bad.zip", pattern_entries() | {"project.json": content})
    with pytest.raises(InputError, match="is damaged; save it again"):
        load_project(tmp_path / "bad.zip", "me")
    assert list_own_projects("me") == []


def _spoil(values, **changes):
    return json.dumps(values | {"outcome": values["outcome"] | changes}).encode()


def test_a_picture_that_goes_before_it_is_saved_is_not_in_it(taught, tmp_path):
    left = remove_example(taught, taught.examples[0].digest)
    save_project(taught, tmp_path / "saved.zip")
    assert load_project(tmp_path / "saved.zip", "you")[0].examples == left.examples
    remove_project(left)
    with pytest.raises(InputError, match="deleted meanwhile"):
        save_project(left, tmp_path / "gone.zip")
    assert not (tmp_path / "gone.zip").exists()


def test_what_cannot_have_come_out_of_a_teaching_is_a_sentence(taught, tmp_path):
    save_project(taught, tmp_path / "saved.zip")
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    values = json.loads(entries["project.json"])
    one = values["outcome"]["checked"][0]
    with safe_open(taught.folder / "head.safetensors", "pt") as file:
        metadata, head = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    small = save(head | {"weight": head["weight"][:, :7].contiguous()}, metadata)
    endless = save(head | {"bias": head["bias"] * float("nan")}, metadata)
    for spoilt in (
        {"project.json": _spoil(values, checked=[])},
        {"project.json": _spoil(values, checked=[one | {"answer": "<b>"}])},
        {"project.json": _spoil(values, elapsed_s="soon")},
        {"project.json": json.dumps(values | {"labels": "stripes"}).encode()},
        {"head.safetensors": small},
        {"head.safetensors": endless},
    ):
        write_zip(tmp_path / "spoilt.zip", entries | spoilt)
        with pytest.raises(InputError, match="is damaged; save it again"):
            load_project(tmp_path / "spoilt.zip", "you")
    assert list_own_projects("you") == []


def test_a_project_in_the_making_is_loaded_as_it_was(taught, tmp_path):
    """Also with classes that have too few pictures so far, or none."""
    changed, _ = add_squares(taught, "waves", [make_square(draw_pattern("waves", 1))])
    changed, _ = add_squares(changed, "nothing yet", [])
    save_project(changed, tmp_path / "saved.zip")
    loaded, _ = load_project(tmp_path / "saved.zip", "you")
    assert loaded.labels == ("stripes", "spots", "waves", "nothing yet")
    assert loaded.examples == changed.examples


def test_a_fine_tuned_project_is_loaded_as_it_was(taught, tmp_path):
    tuned = fine_tune(taught)
    save_project(tuned, tmp_path / "saved.zip")
    loaded, _ = load_project(tmp_path / "saved.zip", "you")
    assert (loaded.tuned, loaded.has_chosen_tuned) == (tuned.tuned, True)
    picture = draw_pattern("spots", 60)
    assert ask(load_taught(loaded), picture) == ask(load_taught(tuned), picture)
    # Not as the head alone does.
    assert load_taught(loaded).tail is not None
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for spoilt in ({"tuned.safetensors": b"x"}, {"head.safetensors": b"x"}):
        write_zip(tmp_path / "spoilt.zip", entries | spoilt)
        with pytest.raises(InputError, match="is damaged; save it again"):
            load_project(tmp_path / "spoilt.zip", "you")


def test_the_page_writes_and_loads_projects(taught):
    button = on_take("project", "me")
    board, *_, note = on_load(
        button.value["path"] if isinstance(button.value, dict) else button.value, "me"
    )
    assert board.count("data-remove=") == 10
    assert len(list_own_projects("me")) == 2
    assert "here before left the page" in note and taught.project_id in note


def test_what_is_kept_once_of_a_file_is_said(tmp_path):
    entries = pattern_entries()
    name, content = next(iter(entries.items()))
    write_zip(tmp_path / "two.zip", entries | {f"{name.rpartition('/')[0]}/again.png": content})
    *_, note = on_load(str(tmp_path / "two.zip"), "me")
    assert note == "1 picture was there twice and is kept once."


def test_what_was_never_trained_has_no_network_to_take_home(tmp_path):
    with pytest.raises(InputError, match="not trained yet"):
        write_taught(create_project("me"), "onnx", tmp_path)
