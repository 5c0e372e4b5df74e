"""Data sets on disk: named by their content, owned, kept within bounds, never half written."""

import json
import os
import time

import numpy as np
import pytest
import torch

from foundry.data import load_mnist
from foundry.data.own.found import Found
from foundry.data.own.splitting import split
from foundry.errors import ArtifactError, InputError
from foundry.runs import data_sets
from foundry.runs.cleaning import remove_old_data_sets
from foundry.runs.data_sets import (
    data_sets_dir,
    keep_data_set,
    list_data_sets,
    load_data,
    read_about,
    remove_data_set,
)


def build_own(seed=0, classes=("cat", "dog")):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    labels = np.arange(60, dtype=np.int64) % len(classes)
    return split(Found({"train": (images, labels)}, classes))


@pytest.fixture(autouse=True)
def fresh(runs_folder):
    data_sets._load_own.cache_clear()


def test_what_is_kept_is_loaded_as_it_was():
    own = build_own()
    about = keep_data_set(own, "cats.zip", "alice")
    data = load_data(about.data_id)
    assert data.classes == ("cat", "dog")
    for name in ("train", "val", "test"):
        kept, was = getattr(data, name), getattr(own.data, name)
        assert torch.equal(kept.images, was.images)
        assert torch.equal(kept.labels, was.labels)
    assert read_about(about.data_id, "alice") == about
    assert about.counts == {"train": (24, 24), "val": (3, 3), "test": (3, 3)}
    assert [path.name for path in data_sets_dir().iterdir()] == [about.data_id]


def test_mnist_is_always_there():
    assert load_data("mnist") is load_mnist()


def test_the_same_content_is_kept_once_and_another_has_another_name():
    first = keep_data_set(build_own(), "a.zip", "alice")
    again = keep_data_set(build_own(), "b.zip", "bob")
    assert first.data_id == again.data_id
    renamed = keep_data_set(build_own(classes=("cat", "cow")), "a.zip", "alice")
    assert renamed.data_id != first.data_id
    assert len(list(data_sets_dir().iterdir())) == 2
    # What somebody's file is called is theirs.
    titles = {owner: {about.title for about in list_data_sets(owner)} for owner in ("alice", "bob")}
    assert titles == {"alice": {"a.zip"}, "bob": {"b.zip"}}


def test_one_of_an_earlier_version_is_listed():
    about = keep_data_set(build_own(), "a.zip", "alice", "as it is")
    folder = data_sets_dir() / about.data_id
    (mark,) = (folder / "owners").iterdir()
    both = json.loads((folder / "about.json").read_text()) | json.loads(mark.read_text())
    (folder / "about.json").write_text(json.dumps(both))
    mark.write_text("")
    assert list_data_sets("alice") == [about]


def test_anothers_data_set_looks_like_none():
    about = keep_data_set(build_own(), "a.zip", "alice")
    for data_id in (about.data_id, "0" * 24, "../x", "mnist", "", None):
        with pytest.raises(InputError, match="You have no data set"):
            read_about(data_id, "bob")
    assert list_data_sets("bob") == []
    assert list_data_sets("") == []
    assert [one.data_id for one in list_data_sets("alice")] == [about.data_id]


def test_with_its_last_owner_a_data_set_goes():
    about = keep_data_set(build_own(), "a.zip", "alice")
    keep_data_set(build_own(), "a.zip", "bob")
    remove_data_set(about.data_id, "alice")
    assert read_about(about.data_id, "bob")
    remove_data_set(about.data_id, "bob")
    assert list(data_sets_dir().iterdir()) == []
    with pytest.raises(ArtifactError, match="no longer here"):
        load_data(about.data_id)


def test_one_that_was_changed_on_disk_is_refused():
    about = keep_data_set(build_own(), "a.zip", "alice")
    other = keep_data_set(build_own(seed=1), "b.zip", "alice")
    (data_sets_dir() / other.data_id / "data.safetensors").replace(
        data_sets_dir() / about.data_id / "data.safetensors"
    )
    with pytest.raises(ArtifactError, match="damaged"):
        load_data(about.data_id)


def test_nothing_is_left_of_one_that_cannot_be_written(monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_sets, "save_file", fail)
    with pytest.raises(ArtifactError, match="No space left"):
        keep_data_set(build_own(), "a.zip", "alice")
    assert list(data_sets_dir().iterdir()) == []


def test_nothing_is_left_of_one_whose_owner_cannot_be_noted(monkeypatch):
    real = data_sets.write_json

    def fail_on_mark(path, value):
        if path.parent.name == "owners":
            raise OSError(28, "No space left on device")
        real(path, value)

    monkeypatch.setattr(data_sets, "write_json", fail_on_mark)
    with pytest.raises(ArtifactError, match="No space left"):
        keep_data_set(build_own(), "a.zip", "alice")
    assert list(data_sets_dir().iterdir()) == []

    monkeypatch.setattr(data_sets, "write_json", real)
    about = keep_data_set(build_own(), "a.zip", "alice")
    monkeypatch.setattr(data_sets, "write_json", fail_on_mark)
    with pytest.raises(ArtifactError, match="No space left"):
        keep_data_set(build_own(), "a.zip", "bob")
    assert read_about(about.data_id, "alice") == about


def test_a_half_written_mark_is_no_owner():
    about = keep_data_set(build_own(), "a.zip", "alice")
    (data_sets_dir() / about.data_id / "owners" / "someone.123.partial").touch()
    remove_data_set(about.data_id, "alice")
    assert list(data_sets_dir().iterdir()) == []


def test_a_visitor_keeps_so_many_and_no_more(monkeypatch):
    monkeypatch.setattr(data_sets, "MAX_OWN", 2)
    for seed in (0, 1):
        keep_data_set(build_own(seed), "a.zip", "alice")
    with pytest.raises(InputError, match="delete one first"):
        keep_data_set(build_own(2), "a.zip", "alice")
    keep_data_set(build_own(1), "a.zip", "alice")
    keep_data_set(build_own(2), "a.zip", "bob")


def test_old_ones_go_then_the_oldest_while_all_are_too_large():
    ids = [keep_data_set(build_own(seed), "a.zip", "alice").data_id for seed in range(3)]
    now = time.time()
    for age, data_id in enumerate(reversed(ids)):
        os.utime(data_sets_dir() / data_id, (now - 100 * age, now - 100 * age))
    assert remove_old_data_sets(max_age_s=150) == [ids[0]]
    size = (data_sets_dir() / ids[2] / "data.safetensors").stat().st_size
    assert remove_old_data_sets(max_bytes=round(1.5 * size)) == [ids[1]]
    assert remove_old_data_sets() == []


def test_what_a_killed_reading_has_left_goes_after_a_while():
    folder = data_sets_dir() / "partial-x-1"
    folder.mkdir(parents=True)
    remove_old_data_sets()
    assert folder.exists()
    os.utime(folder, (0, 0))
    remove_old_data_sets()
    assert not folder.exists()


def test_a_title_from_a_file_is_one_short_line():
    about = keep_data_set(build_own(), "a\n" * 100 + ".zip", "alice")
    assert len(about.title) <= 60
    assert about.title.isprintable()


def test_one_whose_description_is_damaged_is_none_and_is_written_anew():
    about = keep_data_set(build_own(), "a.zip", "alice")
    (data_sets_dir() / about.data_id / "about.json").write_text("{}")
    assert list_data_sets("alice") == []
    with pytest.raises(InputError):
        read_about(about.data_id, "alice")
    assert keep_data_set(build_own(), "a.zip", "alice") == about
    assert read_about(about.data_id, "alice") == about
