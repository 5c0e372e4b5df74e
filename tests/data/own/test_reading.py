"""Files that visitors bring: each form, read; and whatever is wrong, refused with a sentence."""

import gzip
import io
import os
import stat
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

from foundry.data import archives
from foundry.data.archives import MAX_FILES
from foundry.data.own import found
from foundry.data.own.framing import reduce_arrays, reduce_by_area
from foundry.data.own.idx import read_idx
from foundry.data.own.reading import finish, read_data_set
from foundry.errors import InputError

RNG = np.random.default_rng(7)


def noise(count, *shape):
    return RNG.integers(0, 256, (count, *(shape or (28, 28))), dtype=np.uint8)


def png(pixels=None):
    file = io.BytesIO()
    Image.fromarray(noise(1)[0] if pixels is None else pixels).save(file, "PNG")
    return file.getvalue()


def write_zip(path, files, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
        for name in links:
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(link, "/etc/passwd")
    return path


def folders(classes=("cat", "dog"), count=10, start=""):
    return {f"{start}{name}/{i}.png": png() for name in classes for i in range(count)}


def npz(path, **changes):
    arrays = {
        "train_images": noise(40),
        "train_labels": np.arange(40)[:, None] % 2,
        "val_images": noise(6),
        "val_labels": np.arange(6)[:, None] % 2,
        "test_images": noise(8),
        "test_labels": np.arange(8)[:, None] % 2,
    }
    arrays = {name: one for name, one in (arrays | changes).items() if one is not None}
    np.savez_compressed(path, **arrays)
    return path


SIZES = (("train", 40), ("val", 6), ("test", 8))


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def read(path):
    return finish(read_data_set(path))


def refusal(path):
    with pytest.raises(InputError) as refused:
        read(path)
    sentence = str(refused.value)
    assert sentence[0].isupper() or sentence[0] in "“tv"
    assert sentence.endswith(".")
    return sentence


def pairs_of(data):
    """Every picture with its class, whichever split it is in."""
    return sorted(
        (image.numpy().tobytes(), data.classes[label])
        for part in (data.train, data.val, data.test)
        for image, label in zip(part.images, part.labels.tolist(), strict=True)
    )


# ZIP of folders


def test_a_zip_of_folders_is_split_alike_every_time_a_tenth_of_each_class(tmp_path):
    path = write_zip(tmp_path / "a.zip", folders(("cat", "dog", "owl"), 20))
    own = read(path)
    assert own.data.classes == ("cat", "dog", "owl")
    assert own.counts == {"train": (16, 16, 16), "val": (2, 2, 2), "test": (2, 2, 2)}
    again = read(path)
    for name in ("train", "val", "test"):
        assert torch.equal(getattr(own.data, name).images, getattr(again.data, name).images)
    assert any("set aside for validation and test" in note for note in own.notes)
    assert own.data.train.images.dtype == torch.uint8
    assert own.data.train.labels.dtype == torch.int64


def test_no_picture_is_lost_or_changes_its_class(tmp_path):
    files = folders(("cat", "dog"), 15)
    data = read(write_zip(tmp_path / "a.zip", files)).data
    expected = sorted(
        (np.asarray(Image.open(io.BytesIO(content))).tobytes(), name.split("/")[0])
        for name, content in files.items()
    )
    assert pairs_of(data) == expected


def test_folders_of_splits_are_kept_and_those_around_them_ignored(tmp_path):
    files = folders(start="set/train/") | folders(count=3, start="set/Test/")
    own = read(write_zip(tmp_path / "a.zip", files))
    assert own.counts == {"train": (9, 9), "val": (1, 1), "test": (3, 3)}


def test_classes_are_sorted_as_people_do(tmp_path):
    own = read(write_zip(tmp_path / "a.zip", folders(("10", "2", "1"), 3)))
    assert own.data.classes == ("1", "2", "10")


def test_what_cannot_be_read_is_counted_and_named_and_the_rest_kept(tmp_path):
    files = folders() | {f"cat/bad{i}.png": b"no picture" for i in range(7)}
    files |= {"readme.txt": "hello", "loose.png": png(), "__MACOSX/cat/._1.png": b"x"}
    own = read(write_zip(tmp_path / "a.zip", files))
    assert sum(map(sum, own.counts.values())) == 20
    notes = " ".join(own.notes)
    assert "cannot be read were left out: 7 (cat/bad0.png" in notes
    assert "and 2 more" in notes
    assert "Files other than PNG, JPEG, WebP and BMP were left out: 1." in notes
    assert "in no folder of a class were left out: 1 (loose.png)" in notes


@pytest.mark.parametrize(
    ("beside", "start"),
    [
        ("test/1.png", "train/"),
        ("train/cover.png", "train/"),
        ("set/cover.png", "set/"),
        ("set/cover.png", "set/train/"),
        ("cover.png", "set/"),
    ],
)
def test_what_lies_beside_the_folders_of_classes_makes_no_class(tmp_path, beside, start):
    own = read(write_zip(tmp_path / "a.zip", folders(start=start) | {beside: png()}))
    assert own.data.classes == ("cat", "dog")
    assert sum(map(sum, own.counts.values())) == 20
    assert f"were left out: 1 ({beside})" in " ".join(own.notes)


def test_a_folder_beside_several_splits_is_none(tmp_path):
    files = folders(start="train/") | folders(start="test/", count=2) | {"docs/a.png": png()}
    own = read(write_zip(tmp_path / "a.zip", files))
    assert own.data.classes == ("cat", "dog")
    assert own.counts["test"] == (2, 2)
    assert "were left out: 1 (docs/a.png)" in " ".join(own.notes)


def test_classes_may_be_called_as_splits_are(tmp_path):
    own = read(write_zip(tmp_path / "a.zip", folders(("test", "train"))))
    assert own.data.classes == ("test", "train")


def test_a_name_of_a_class_may_be_written_in_two_ways_and_join_its_letters(tmp_path):
    joined = "می\u200cخواهم"
    files = folders(("caf\u00e9", joined), start="train/")
    files |= folders(("cafe\u0301", joined), 2, start="test/")
    own = read(write_zip(tmp_path / "a.zip", files))
    assert set(own.data.classes) == {"caf\u00e9", joined}
    assert own.counts["test"] == (2, 2)


def test_pictures_in_two_splits_are_counted(tmp_path):
    files = folders(start="train/")
    files |= {"test/cat/x.png": files["train/cat/0.png"], "test/dog/y.png": png()}
    notes = " ".join(read(write_zip(tmp_path / "a.zip", files)).notes)
    assert "1 picture for test can be found among those for training, too" in notes


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_every_format_of_pictures_is_read(tmp_path, kind):
    file = io.BytesIO()
    Image.new("RGB", (50, 30), (200, 10, 10)).save(file, kind)
    files = {f"{n}/{i}.{kind.lower()}": file.getvalue() for n in "ab" for i in range(3)}
    data = read(write_zip(tmp_path / "a.zip", files)).data
    # ITU-R 601: 0.299 * 200 + 0.587 * 10 + 0.114 * 10 = 66.8
    assert abs(int(data.train.images[0, 14, 14]) - 67) <= 2


@pytest.mark.parametrize("name", ["../cat/1.png", "/cat/1.png", "cat/../../1.png", "C:/cat/1.png"])
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    path = write_zip(tmp_path / "a.zip", folders() | {name: png()})
    assert "leads out of it" in refusal(path)


def test_a_link_is_refused(tmp_path):
    assert "link" in refusal(write_zip(tmp_path / "a.zip", folders(), links=["cat/link.png"]))


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path):
    path = write_zip(tmp_path / "a.zip", folders() | {"cat/big.png": b"\0" * 60_000_000})
    assert path.stat().st_size < 200_000
    assert "unpacks to 60 MB" in refusal(path)


def test_a_zip_whose_sizes_are_lies_is_not_believed(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a/1.npy": b"\0" * 5_000_000} | folders())
    raw = bytearray(path.read_bytes())
    # The size in the directory says 10 bytes.
    place = raw.rindex(b"PK\x01\x02", 0, raw.rindex(b"a/1.npy"))
    raw[place + 24 : place + 28] = struct.pack("<I", 10)
    path.write_bytes(raw)
    refusal(path)


def test_too_many_files_are_refused_soon(tmp_path, monkeypatch):
    assert MAX_FILES < 200_000
    monkeypatch.setattr(archives, "MAX_FILES", 15)
    assert "20 files; at most 15" in refusal(write_zip(tmp_path / "a.zip", folders()))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (folders(("cat",)), "1 class; 2 to 100"),
        (folders(tuple(map(str, range(101))), 3), "101 classes; 2 to 100"),
        (folders() | folders(("owl",), 1), "“owl” has 1 picture to learn from; at least 3"),
        ({"a.txt": "x"}, "no pictures"),
        ({f"{n}/{i}.png": b"x" for n in "ab" for i in range(3)}, "None of the pictures"),
        ({f"{'n' * 61}{i}/1.png": png() for i in range(3)}, "cannot name a class"),
    ],
    ids=["one class", "101 classes", "class of one", "no pictures", "unreadable", "long name"],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, files, sentence):
    assert sentence in refusal(write_zip(tmp_path / "a.zip", files))


def test_a_damaged_or_locked_zip_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", folders())
    raw = bytearray(path.read_bytes())
    (tmp_path / "cut.zip").write_bytes(raw[: len(raw) // 2])
    refusal(tmp_path / "cut.zip")
    # The first bit of the flags of every entry in the directory says "encrypted".
    place = -1
    while (place := raw.find(b"PK\x01\x02", place + 1)) >= 0:
        raw[place + 8] |= 1
    path.write_bytes(raw)
    assert "password" in refusal(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.zip"
    for raw in (content, b"PK\x03\x04" + content, b"\0\0\x08\x03" + content):
        path.write_bytes(raw)
        refusal(path)


def test_a_reading_says_how_far_it_is_and_leaves_nothing_when_it_is_ended(tmp_path):
    path = write_zip(tmp_path / "a.zip", folders(count=120))
    reading = read_data_set(path)
    shares = [next(reading), next(reading)]
    assert 0 <= shares[0] < shares[1] < 1
    reading.close()
    assert os.listdir(tmp_path) == ["a.zip"]


# NPZ


def test_an_npz_is_what_numpy_says_it_is(tmp_path):
    path = npz(tmp_path / "a.npz")
    own = read(path)
    stored = np.load(path)
    expected = sorted(
        (image.tobytes(), str(label))
        for part in ("train", "val", "test")
        for image, label in zip(
            stored[f"{part}_images"], stored[f"{part}_labels"][:, 0], strict=True
        )
    )
    assert pairs_of(own.data) == expected
    assert own.counts == {"train": (20, 20), "val": (3, 3), "test": (4, 4)}
    assert own.data.classes == ("0", "1")


@pytest.mark.parametrize("array", ["class_names", "label_names"])
@pytest.mark.parametrize("kind", ["U", "S"])
def test_an_npz_may_name_its_labels(tmp_path, array, kind):
    own = read(npz(tmp_path / "a.npz", **{array: np.array(["well", " not  well "], kind)}))
    assert own.data.classes == ("well", "not well")
    # A name for a label that no picture has is of no use, and no other takes its place.
    names = np.array(["never", "well", "not well"])
    labels = {f"{part}_labels": np.arange(n) % 2 + 1 for part, n in SIZES}
    own = read(npz(tmp_path / "b.npz", **labels, **{array: names}))
    assert own.data.classes == ("well", "not well")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["one"], "The list of classes has 1 name, and a label is 1"),
        (["same", "same"], "Two classes are called “same”"),
        (["", "b"], "Among class_names is “”, which cannot name a class"),
        (["a" * 61, "b"], "cannot name a class"),
    ],
)
def test_names_that_name_no_class_are_refused(tmp_path, names, sentence):
    assert sentence in refusal(npz(tmp_path / "a.npz", class_names=np.array(names)))


@pytest.mark.parametrize(
    "names", [np.array(["a", 2], object), np.array([1, 2]), np.array([["a", "b"]]), np.array("a")]
)
def test_names_that_are_no_plain_texts_are_left_out_and_that_is_said(tmp_path, names):
    own = read(npz(tmp_path / "a.npz", class_names=names))
    assert own.data.classes == ("0", "1")
    assert any("The classes keep their numbers" in note for note in own.notes)


def test_a_colour_npz_is_made_grey_and_that_is_said(tmp_path):
    images = noise(40, 28, 28, 3)
    own = read(npz(tmp_path / "a.npz", train_images=images))
    assert any("colours of train_images" in note for note in own.notes)
    expected = {np.asarray(Image.fromarray(one).convert("L")).tobytes() for one in images}
    assert {one.numpy().tobytes() for one in own.data.train.images} == expected


@pytest.mark.parametrize("shape", [(28, 40), (8, 8)])
def test_an_npz_of_another_size_is_resized_and_that_is_said(tmp_path, shape):
    own = read(npz(tmp_path / "a.npz", train_images=noise(40, *shape)))
    size = "x".join(map(str, shape))
    assert f"train_images of 40x{size} were resized to 28x28." in own.notes


def test_a_larger_npz_is_reduced_by_area(tmp_path):
    images = noise(40, 56, 56)
    # The mean of blocks of 2x2, computed by numpy.
    means = images[0].reshape(28, 2, 28, 2).mean((1, 3))
    assert np.abs(reduce_arrays(images[:1])[0] - means).max() <= 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train_labels": np.arange(40) % 2 + 0.5}, "float64; whole numbers"),
        ({"train_labels": np.arange(40) % 2 * 1.0}, "float64; whole numbers"),
        ({"train_labels": np.arange(40) % 2 - 1}, "A label is -1"),
        ({"train_labels": np.arange(39) % 2}, "40 pictures and 39 labels"),
        ({"train_labels": np.ones((40, 14), int)}, "40x14"),
        ({"train_labels": np.arange(40) % 2 * 0}, "“1” has 0 pictures"),
        ({"train_images": noise(40).astype(np.float32)}, "float32; uint8"),
        ({"train_images": noise(40, 784)}, "40x784"),
        ({"train_images": noise(40, 28, 28, 4)}, "40x28x28x4"),
        ({"train_images": None}, "only one"),
        ({"train_images": None, "train_labels": None}, "no train_images"),
        ({"train_labels": np.array([{}] * 40, dtype=object)}, "Python objects"),
        ({"test_labels": np.arange(8) + 5}, "to learn from"),
    ],
    ids=range(13),
)
def test_arrays_of_another_form_are_refused(tmp_path, changes, sentence):
    assert sentence in refusal(npz(tmp_path / "a.npz", **changes))


# IDX


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=3).flatmap(
        lambda shape: st.tuples(st.just(shape), st.binary(min_size=5**4, max_size=5**4))
    )
)
def test_idx_is_read_as_torchvision_does(tmp_path_factory, drawn):
    shape, content = drawn
    size = int(np.prod(shape))
    array = np.frombuffer(content[:size].ljust(size, b"\1"), np.uint8).reshape(shape)
    path = tmp_path_factory.mktemp("idx") / "one-idx-ubyte"
    path.write_bytes(idx(array))
    if size:
        theirs = read_sn3_pascalvincent_tensor(str(path)).numpy()
        assert np.array_equal(read_idx("one", idx(array)), theirs)
    assert np.array_equal(read_idx("one", idx(array)), array)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pair_of_idx_files_and_another_to_test_on(tmp_path, zipped):
    def pack(array):
        return gzip.compress(idx(array)) if zipped else idx(array)

    end = ".gz" if zipped else ""
    images, labels = noise(60), (np.arange(60) % 3).astype(np.uint8)
    files = {
        f"train-images-idx3-ubyte{end}": pack(images),
        f"train-labels-idx1-ubyte{end}": pack(labels),
        f"t10k-images-idx3-ubyte{end}": pack(images[:9]),
        f"t10k-labels-idx1-ubyte{end}": pack(labels[:9]),
    }
    own = read(write_zip(tmp_path / "a.zip", files))
    assert own.counts == {"train": (18, 18, 18), "val": (2, 2, 2), "test": (3, 3, 3)}
    expected = [(one.tobytes(), str(label)) for one, label in zip(images, labels, strict=True)]
    assert pairs_of(own.data) == sorted(expected + expected[:9])
    # Loose they are the same, in any order.
    loose = read(write_loose(tmp_path / "loose", files)[::-1])
    assert pairs_of(loose.data) == pairs_of(own.data)
    assert loose.counts == own.counts


def write_loose(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def test_of_several_files_only_pairs_of_idx_are_accepted(tmp_path, monkeypatch):
    images, labels, readme = write_loose(
        tmp_path / "loose",
        {
            "train-images-idx3-ubyte": idx(noise(20)),
            "train-labels-idx1-ubyte": idx((np.arange(20) % 2).astype(np.uint8)),
            "readme.txt": b"read me",
        },
    )
    assert "“readme.txt” is no IDX file; only pairs" in refusal([images, labels, readme])
    assert "labels that belong to “train” are missing; bring both" in refusal(images)
    assert "is there twice" in refusal([images, images])
    assert read([images, labels]).data.classes == ("0", "1")
    monkeypatch.setattr("foundry.data.own.idx.MAX_FILE_BYTES", 1_000)
    assert "“train-images-idx3-ubyte” has more than" in refusal([images, labels])


def test_emnist_is_set_upright(tmp_path):
    images, labels = noise(20), (np.arange(20) % 2).astype(np.uint8)
    files = {
        "emnist-letters-train-images-idx3-ubyte": idx(images),
        "emnist-letters-train-labels-idx1-ubyte": idx(labels),
    }
    own = read(write_zip(tmp_path / "a.zip", files))
    assert {one for one, _ in pairs_of(own.data)} == {one.T.tobytes() for one in images}
    assert any("set upright" in note for note in own.notes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train-images-idx3-ubyte": idx(noise(20))[:-1]}, "bytes of data where its header says"),
        ({"train-images-idx3-ubyte": b"\0\0\x08\x03\0"}, "cut short"),
        ({"train-images-idx3-ubyte": b"\0\0\x0d\x03" + bytes(12)}, "of another kind"),
        ({"train-images-idx3-ubyte": b"junk"}, "no IDX file"),
        ({"train-images-idx3-ubyte": idx(noise(20, 32, 32))}, "20x32x32"),
        ({"train-images-idx3-ubyte": idx(noise(19))}, "19 pictures and 20 labels"),
        ({"train-images-idx3-ubyte": None}, "images that belong to “train” are missing"),
        ({"train-labels-idx1-ubyte": None}, "labels that belong to “train” are missing"),
        ({"other-images-idx3-ubyte": idx(noise(20))}, "missing"),
    ],
    ids=range(9),
)
def test_idx_files_of_another_form_are_refused(tmp_path, changes, sentence):
    files = {
        "train-images-idx3-ubyte": idx(noise(20)),
        "train-labels-idx1-ubyte": idx((np.arange(20) % 2).astype(np.uint8)),
    } | changes
    files = {name: content for name, content in files.items() if content is not None}
    assert sentence in refusal(write_zip(tmp_path / "a.zip", files))


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("foundry.data.own.idx.MAX_FILE_BYTES", 1_000)
    files = {"train-images-idx3-ubyte.gz": gzip.compress(b"\0" * 5_000)}
    assert "unpacks to more than" in refusal(write_zip(tmp_path / "a.zip", files))


# CSV


def rows(count=20, width=785, header=False):
    lines = ["label," + ",".join(f"pixel{i}" for i in range(width - 1))] if header else []
    for i in range(count):
        lines.append(",".join(map(str, [i % 2, *RNG.integers(0, 256, width - 1)])))
    return lines


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_with_or_without_names_of_columns(tmp_path, header, end):
    lines = rows(header=header)
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(lines).encode())
    own = read(path)
    expected = sorted(
        (np.array(pixels, np.uint8).tobytes(), str(label))
        for label, *pixels in (map(int, line.split(",")) for line in lines[header:])
    )
    assert pairs_of(own.data) == expected


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: rows(width=784), "Line 1 has 784 columns; 785"),
        (lambda lines: [*lines, lines[0] + ",1"], "Line 21 has 786 columns"),
        (lambda lines: [*lines, "x" + lines[0][1:]], "Line 21 has “x”"),
        (lambda lines: [*lines, "0.5" + lines[0][1:]], "Line 21 has “0.5”"),
        (lambda lines: [*lines, "-1" + lines[0][1:]], "label -1"),
        (lambda lines: [*lines, "1" + ",256" * 784], "not from 0 to 255"),
        (lambda lines: [rows(header=True)[0]], "no rows"),
        (lambda lines: ["a,b,c"], "3 columns"),
    ],
    ids=range(8),
)
def test_rows_of_another_form_are_refused_by_their_line(tmp_path, change, sentence):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(change(rows())))
    assert sentence in refusal(path)


def test_more_pictures_than_are_kept_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(found, "MAX_PICTURES", 10)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows()))
    assert "at most 10" in refusal(path)


def test_an_empty_file_is_refused_with_what_is_accepted(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    assert "a ZIP of folders" in refusal(tmp_path / "a.csv")


# Framing


def test_a_picture_is_reduced_to_the_mean_of_its_areas():
    pixels = noise(1, 280, 280)[0]
    means = pixels.reshape(28, 10, 28, 10).mean((1, 3))
    assert np.abs(reduce_by_area(Image.fromarray(pixels)) - means).max() <= 1


def test_what_is_not_square_stands_in_the_middle_and_transparent_is_white():
    framed = reduce_by_area(Image.new("L", (56, 28), 90))
    assert (framed == 90).all()
    clear = reduce_by_area(Image.new("RGBA", (28, 28), (0, 0, 0, 0)))
    assert (clear == 255).all()
