"""ZIP files with examples: what is read, and a sentence for what is not."""

import random
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patterns import KINDS, pattern_bytes, pattern_entries, write_zip

from foundry.errors import InputError
from foundry.photos.teaching.archive import list_pictures, read_archive
from foundry.photos.teaching.examples import MAX_PICTURES

TWO = pattern_entries(num_each=3)


def read(tmp_path, entries):
    path = tmp_path / "sent.zip"
    write_zip(path, entries)
    return read_archive(path)


def test_folders_are_classes(tmp_path):
    labels, squares, num_twice = read(tmp_path, TWO)
    assert labels == ("stripes", "spots")
    assert sorted(squares.values()) == ["spots"] * 3 + ["stripes"] * 3
    assert num_twice == 0


def test_a_folder_around_them_and_what_systems_leave_there_are_passed_over(tmp_path):
    left = {"__MACOSX/all/stripes/._0.png": b"x", "all/.DS_Store": b"x", "all/spots/Thumbs.db": b""}
    labels, squares, _ = read(tmp_path, {f"all/{name}": one for name, one in TWO.items()} | left)
    assert labels == ("stripes", "spots") and len(squares) == 6


def test_names_are_read_as_they_were_meant(tmp_path, monkeypatch):
    """As the Finder of macOS packs them: UTF-8 that does not say so; bsdtar begins with `./`."""
    path = tmp_path / "classes.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("./", b"")
        for number, label in enumerate(("Käse", "猫", "cat")):
            for kind in range(3):
                archive.writestr(f"{label}/{kind}.png", pattern_bytes(KINDS[number], kind))
    # The flag, in the headers of the files and in the list of them.
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place + 1] &= ~0x08
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    labels, examples, _ = read_archive(path)
    assert set(labels) == {"Käse", "猫", "cat"}
    assert len(examples) == 9


def test_a_picture_that_a_class_has_twice_is_kept_once_and_counted(tmp_path):
    _, squares, num_twice = read(tmp_path, TWO | {"spots/again.png": TWO["spots/0.png"]})
    assert (len(squares), num_twice) == (6, 1)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({}, "2 to 10 classes are needed.*not 0"),
        (
            {name: one for name, one in TWO.items() if "spots" in name},
            "2 to 10 classes are needed.*not 1",
        ),
        (TWO | {"waves/": b""}, "“waves” is empty"),
        (TWO | {"waves/0.png": pattern_bytes("waves", 0)}, "has 1 picture; each needs at least 3"),
        (TWO | {"spots/x.png": TWO["stripes/0.png"]}, "The same picture is in “stripes” and in"),
        (TWO | {"../spots/x.png": b""}, "leads out of"),
        (TWO | {"spots/../../x.png": b""}, "leads out of"),
        (TWO | {"/etc/passwd": b""}, "leads out of"),
        (TWO | {"C:/x/y.png": b""}, "leads out of"),
        (TWO | {"loose.png": b""}, "lies in no class's folder"),
        (TWO | {"spots/deep/x.png": b""}, "lies in no class's folder"),
        (TWO | {"spots/x.png": b"no picture"}, "“spots/x.png”: This file is not a picture"),
        (TWO | {"spots/note.txt": b"hello"}, "“spots/note.txt”: This file is not a picture"),
        (
            {f"{kind}/{i}.png": b"" for kind in range(11) for i in range(3)},
            "11 classes; at most 10",
        ),
        (TWO | {f"Spots/{i}.png": b"" for i in range(3)}, "Two classes are called “spots”"),
        (TWO | {f"none of these/{i}.png": b"" for i in range(3)}, "the answer when no class fits"),
    ],
)
def test_what_is_not_accepted_is_a_sentence(tmp_path, entries, told):
    with pytest.raises(InputError, match=told):
        read(tmp_path, entries)


def test_five_thousand_pictures_are_refused_before_any_is_read(tmp_path):
    entries = {f"{kind}/{i}.png": b"" for kind in "ab" for i in range(2_500)}
    with pytest.raises(
        InputError, match=f"5,000 pictures in the ZIP file; at most {MAX_PICTURES:,}"
    ):
        read(tmp_path, entries)


def test_a_name_that_is_too_long_for_this_system_is_read_as_any(tmp_path):
    """As other systems accept it: their names have as many characters as these have bytes."""
    _, squares, _ = read(tmp_path, TWO | {f"spots/{'字' * 100}.png": pattern_bytes("spots", 9)})
    assert len(squares) == 7


def test_a_picture_of_two_classes_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"^“spots/x\.png”: The same picture is in “stripes” and in"
    ):
        read(tmp_path, TWO | {"spots/x.png": TWO["stripes/0.png"]})


def test_a_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        entry = zipfile.ZipInfo("spots/link.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(InputError, match="has a link"):
        read_archive(tmp_path / "link.zip")


def test_a_bomb_is_refused_by_what_it_says_and_by_what_it_does(tmp_path, monkeypatch):
    module = "foundry.photos.teaching.archive"
    monkeypatch.setattr(f"{module}._MAX_PICTURE_BYTES", 100_000)
    monkeypatch.setattr(f"{module}._MAX_BYTES", 1_000_000)
    zeros = bytes(200_000)
    with pytest.raises(InputError, match="unpacks to more than"):
        read(tmp_path, TWO | {"spots/x.png": zeros})
    with pytest.raises(InputError, match="would unpack to more than 1 GB"):
        read(tmp_path, {f"spots/{i}.png": zeros for i in range(9)})
    # The header claims a hundred bytes.
    path = tmp_path / "sent.zip"
    write_zip(path, TWO | {"spots/x.png": zeros})
    path.write_bytes(path.read_bytes().replace(len(zeros).to_bytes(4, "little"), b"d\0\0\0"))
    with pytest.raises(InputError, match=r"“spots/x\.png” is damaged and cannot be unpacked"):
        read_archive(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip file at all" * 99])
def test_what_is_no_zip_file_is_a_sentence(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(InputError, match="damaged or no ZIP file"):
        read_archive(tmp_path / "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_whatever_is_damaged_is_a_sentence(tmp_path, method):
    """Names that are no text, streams that break off: zipfile has an error of its own for each."""
    path, rng = tmp_path / "x.zip", random.Random(0)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in TWO.items():
            archive.writestr(name.replace("spots", "späts"), content)
    content = path.read_bytes()
    num_refused = 0
    for _ in range(150):
        spoilt = bytearray(content)
        # Half of the time in the list at the end, which is a small part of it.
        begin = rng.choice((0, content.find(b"PK\x01\x02")))
        for place in rng.sample(range(begin, len(content)), 3):
            spoilt[place] = rng.randrange(256)
        path.write_bytes(spoilt)
        try:
            read_archive(path)
        except InputError:
            num_refused += 1
    assert num_refused > 50


def test_an_encrypted_one_is_a_sentence(tmp_path):
    path = tmp_path / "x.zip"
    write_zip(path, TWO)
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content[place + 8] |= 1
        place = content.find(b"PK\x01\x02", place + 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match="password"):
        read_archive(path)


@given(st.lists(st.text(st.sampled_from("ab./\\: \0é"), max_size=9), max_size=6))
def test_any_names_give_classes_or_a_sentence(tmp_path, names):
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            if name.partition("\0")[0] and name.partition("\0")[0] not in archive.namelist():
                archive.writestr(zipfile.ZipInfo(name), b"")
    with zipfile.ZipFile(path) as archive:
        try:
            classes = list_pictures(archive)
        except InputError as error:
            assert str(error).endswith(".")
        else:
            for label, entries in classes.items():
                assert label.strip() == label != "" and "/" not in label and ".." not in label
                assert all(not entry.is_dir() for entry in entries)
