"""Several photos: what each is named, what cannot be read, and the table of it."""

import csv

import pytest

from foundry.data.pictures import load_photo
from foundry.errors import InputError
from foundry.photos import PhotoModel, classify_photo, load_photo_model, rank
from foundry.photos.several import MAX_PHOTOS, check_number, name_photos, write_names
from foundry.ui.photos.album import card_html
from foundry.ui.photos.examples import EXAMPLES, open_example


@pytest.fixture(scope="module")
def model():
    return load_photo_model("efficientnet-lite0")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    made = [folder / f"=sum {title}.png" for title in EXAMPLES]
    for title, path in zip(EXAMPLES, made, strict=True):
        open_example(title).save(path)
    (folder / "bad.jpg").write_bytes(b"no picture")
    return [made[0], folder / "bad.jpg", *made[1:]]


def test_each_is_named_as_it_is_alone_and_the_unreadable_says_why(model, paths):
    named = list(name_photos(model, paths))
    assert [one.file for one in named] == [path.name for path in paths]
    assert "not a picture" in named[1].problem and named[1].square is None
    assert not named[1].guesses
    for path, one in zip(paths, named, strict=True):
        if not one.problem:
            expected = rank(model, classify_photo(model, load_photo(path)), 5)
            assert one.guesses == tuple(expected)
            assert one.square.size == (256, 256)


def test_the_table_has_five_names_with_probabilities_and_no_formulas(model, paths, tmp_path):
    named = list(name_photos(model, paths))
    with write_names(named, tmp_path / "names.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:3] == ["file", "name_1", "prob_1"] and len(rows[0]) == 13
    assert rows[0]["file"] == "'=sum A cat.png"
    assert rows[1]["problem"] and not rows[1]["name_1"]
    assert rows[2]["name_1"] == "espresso"
    shares = [float(rows[2][f"prob_{number}"]) for number in range(1, 6)]
    assert shares == pytest.approx([guess.prob for guess in named[2].guesses], abs=1e-6)


def test_a_model_of_two_names_leaves_the_other_places_empty(model, paths, tmp_path):
    two = PhotoModel(lambda x: model.predict(x)[:, :2], ("tench", "goldfish"), None, model.prepare)
    named = list(name_photos(two, paths[:1]))
    rows = list(csv.reader(write_names(named, tmp_path / "a.csv").open(encoding="utf-8-sig")))
    assert [len(row) for row in rows] == [13, 13] and rows[1][5:] == [""] * 8


def test_of_a_file_with_several_pictures_it_is_said_that_one_is_named(model, tmp_path):
    first, *others = (open_example(title).convert("L").resize((64, 64)) for title in EXAMPLES)
    first.save(tmp_path / "some.gif", save_all=True, append_images=others)
    (named,) = name_photos(model, [tmp_path / "some.gif"])
    said = f"The file holds {len(EXAMPLES)} pictures; only the first one was looked at."
    assert named.remark == said and named.guesses
    assert said in write_names([named], tmp_path / "a.csv").read_text("utf-8-sig")
    assert said in card_html(model, 0, named)


@pytest.mark.parametrize(
    ("number", "sentence"), [(0, "no photos yet"), (MAX_PHOTOS + 1, "at most 200 at once")]
)
def test_too_many_or_none_are_refused_with_a_sentence(number, sentence):
    with pytest.raises(InputError, match=sentence):
        check_number(["a.jpg"] * number)
    check_number(["a.jpg"] * MAX_PHOTOS)
