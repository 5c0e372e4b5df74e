"""Drawings that visitors put right: kept, taken home, read again, and removed."""

import os
import time
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.data.holding_out import hold_out
from foundry.data.own.reading import finish, read_data_set
from foundry.errors import ArtifactError, InputError
from foundry.runs import drawings
from foundry.runs.drawings import (
    drawings_dir,
    keep_drawing,
    read_collection,
    remove_collection,
    remove_drawing,
    remove_old_collections,
    set_aside,
    write_archive,
)
from foundry.runs.folders import RUNS_DIR_VARIABLE


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "runs"))


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)


def keep(num, label="4", owner="alice", first=0):
    for seed in range(first, first + num):
        collection = keep_drawing(picture(seed), label, owner)
    return collection


def test_a_drawing_is_kept_pixel_for_pixel_under_the_hash_of_its_pixels():
    (drawing,) = keep(1).drawings
    collection = read_collection("alice")
    assert collection.drawings == (drawing,)
    assert np.array_equal(collection.read_image(drawing.digest), picture(0))
    assert collection.file_of(drawing.digest).name == f"{drawing.digest}.png"


def test_the_token_is_nowhere_on_disk():
    keep(1)
    assert all("alice" not in str(path) for path in drawings_dir().rglob("*"))


def test_nobody_sees_the_drawings_of_others():
    keep(2)
    assert not read_collection("bob").drawings
    for owner in ("", None, 3):
        assert not read_collection(owner).drawings
        with pytest.raises(InputError, match="owner"):
            keep_drawing(picture(0), "4", owner)


def test_the_same_drawing_put_right_again_is_of_the_class_said_last():
    keep(2)
    collection = keep_drawing(picture(0), "9", "alice")
    assert collection.counts == {"4": 1, "9": 1}


def test_a_class_of_ones_own_is_one_however_it_is_spelt():
    keep(1, "heart")
    collection = keep(1, "  Heart ", first=1)
    assert collection.own_classes == ("heart",)
    assert collection.counts == {"heart": 2}


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", "x" * 41, "a\nb\0", None, 4, "\ud800"])
def test_what_cannot_name_a_class_is_refused(name):
    with pytest.raises(InputError, match="class"):
        keep_drawing(picture(0), name, "alice")
    assert not read_collection("alice").drawings


def test_there_are_bounds(monkeypatch):
    monkeypatch.setattr(drawings, "MAX_DRAWINGS", 3)
    monkeypatch.setattr(drawings, "MAX_OWN_CLASSES", 1)
    keep(1, "heart")
    with pytest.raises(InputError, match="1 classes beside the digits"):
        keep_drawing(picture(1), "star", "alice")
    keep(2, first=1)
    with pytest.raises(InputError, match="3 drawings, the most"):
        keep_drawing(picture(9), "4", "alice")
    # What is there already may still be put right.
    assert keep_drawing(picture(0), "4", "alice").counts == {"4": 3}


def test_one_is_removed_and_all_are():
    first, second = keep(2).drawings
    assert remove_drawing(first.digest, "alice").drawings == (second,)
    assert not read_collection("alice").file_of(first.digest).exists()
    assert remove_drawing("no such", "alice").drawings == (second,)
    remove_collection("alice")
    remove_collection("alice")
    assert not any(drawings_dir().iterdir())
    assert not remove_drawing(first.digest, "bob").drawings


def test_a_fifth_is_set_aside_for_good():
    keep(10)
    aside = {one.digest for one in set_aside("alice").drawings if one.is_held_out}
    assert len(aside) == 2
    keep(10, first=10)
    again = set_aside("alice").drawings
    assert len(again) == 20
    assert sum(one.is_held_out for one in again) == 4
    assert aside <= {one.digest for one in again if one.is_held_out}
    assert not set_aside("bob").drawings


@given(st.lists(st.sampled_from("0123456789x"), max_size=60), st.integers(0, 5))
def test_of_every_class_some_are_set_aside_and_some_are_not(labels, seed):
    digests = [f"{number:04}" for number in range(len(labels))]
    nothing = [None] * len(labels)
    decided = hold_out(labels, digests, nothing, seed)
    for label in set(labels):
        of_class = [held for held, other in zip(decided, labels, strict=True) if other == label]
        if len(of_class) == 1:
            assert of_class == [False]
        else:
            assert sum(of_class) == max(1, round(0.2 * len(of_class)))
    assert hold_out(labels, digests, decided, seed + 1) == decided
    # The order in which they came does not matter.
    backwards = hold_out(labels[::-1], digests[::-1], nothing, seed)
    assert backwards[::-1] == decided


def test_the_zip_is_a_data_set_with_the_same_pixels(tmp_path):
    keep(4)
    collection = keep(4, "heart", first=4)
    path = tmp_path / "drawings.zip"
    write_archive(collection, path)
    with zipfile.ZipFile(path) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"4", "heart"}
    data = finish(read_data_set(path)).data
    assert data.classes == ("4", "heart")
    images = [image for part in (data.train, data.val, data.test) for image in part.images]
    assert {image.numpy().tobytes() for image in images} == {picture(n).tobytes() for n in range(8)}


def test_nothing_is_not_taken_home(tmp_path):
    with pytest.raises(InputError, match="no drawings"):
        write_archive(read_collection("alice"), tmp_path / "drawings.zip")


def test_a_damaged_drawing_says_so():
    collection = keep(1)
    collection.file_of(collection.drawings[0].digest).write_bytes(b"no picture")
    with pytest.raises(ArtifactError, match="can no longer be read"):
        collection.read_image(collection.drawings[0].digest)


def test_old_ones_go_and_the_oldest_when_all_are_too_large():
    for age_days, owner in ((40, "old"), (2, "middle"), (1, "new")):
        collection = keep(1, owner=owner)
        moment = time.time() - age_days * 24 * 3600
        os.utime(collection.folder / "drawings.json", (moment, moment))
    remove_old_collections()
    assert [len(read_collection(one).drawings) for one in ("old", "middle", "new")] == [0, 1, 1]
    size = sum(file.stat().st_size for file in read_collection("new").folder.iterdir())
    remove_old_collections(max_bytes=round(1.5 * size))
    assert [len(read_collection(one).drawings) for one in ("middle", "new")] == [0, 1]
    remove_old_collections(max_bytes=0)
    assert not any(drawings_dir().iterdir())
