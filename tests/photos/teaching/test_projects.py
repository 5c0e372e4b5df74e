"""A visitor's classes on disk: theirs alone, changed whole, and gone when they are to go."""

import hashlib
import io
import os
import time

import pytest
from patterns import pattern_bytes
from PIL import Image

from foundry.errors import ArtifactError, InputError
from foundry.photos.teaching.changes import add_squares, remove_class, remove_example
from foundry.photos.teaching.examples import MAX_EXAMPLES, check_label
from foundry.photos.teaching.lessons import load_taught, teach_project
from foundry.photos.teaching.pictures import Square, make_square, read_square
from foundry.photos.teaching.projects import (
    MAX_AGE_S,
    create_project,
    list_own_projects,
    projects_dir,
    read_own_project,
    remove_old_projects,
    remove_project,
)


@pytest.fixture(autouse=True)
def folder(runs_folder):
    return runs_folder


@pytest.fixture
def squares(tmp_path):
    def make(kind, num):
        made = []
        for seed in range(num):
            path = tmp_path / f"{kind}{seed}.png"
            path.write_bytes(pattern_bytes(kind, seed))
            made.append(read_square(path))
        return made

    return make


@pytest.fixture
def project(squares):
    made = {one: kind for kind in ("stripes", "spots") for one in squares(kind, 4)}
    return create_project("me", ("stripes", "spots"), made)


def test_what_is_made_is_read_by_its_owner_alone(project):
    assert read_own_project(project.project_id, "me") == project
    assert list_own_projects("me") == [project] and list_own_projects("you") == []
    for asked in (
        (project.project_id, "you"),
        ("../x", "me"),
        (None, "me"),
        (project.project_id, ""),
    ):
        with pytest.raises(InputError, match="You have no classes"):
            read_own_project(*asked)


def test_an_example_is_a_small_square_that_stays_as_it_is(project, tmp_path):
    digest = project.examples[0].digest
    assert project.open_picture(digest).size == (256, 256)
    kept = tmp_path / f"{digest}.jpg"
    kept.write_bytes(project.file_of(digest).read_bytes())
    assert read_square(kept) == Square(digest, kept.read_bytes())


def test_a_file_that_only_has_the_name_of_a_kept_example_is_cut_like_any_other(tmp_path):
    """Else a ZIP of small files could hold pictures that fill the memory."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for width, options in ((300, {}), (256, {"exif": exif})):
        file = io.BytesIO()
        Image.new("RGB", (width, 256), "navy").save(file, "JPEG", **options)
        content = file.getvalue()
        path = tmp_path / f"{hashlib.sha256(content).hexdigest()[:32]}.jpg"
        path.write_bytes(content)
        square = read_square(path)
        assert square.content != content
        with Image.open(io.BytesIO(square.content)) as kept:
            assert kept.size == (256, 256) and not kept.getexif()
    padded = make_square(Image.new("RGB", (256, 256))).content + bytes(300_000)
    path = tmp_path / f"{hashlib.sha256(padded).hexdigest()[:32]}.jpg"
    path.write_bytes(padded)
    assert len(read_square(path).content) < 200_000


def test_pictures_are_added_whole_or_not_at_all(project, squares):
    fresh = squares("waves", 3)
    other = Square(project.examples[0].digest, b"")
    with pytest.raises(InputError, match="The same picture is in “stripes” and in “waves”"):
        add_squares(project, "waves", [*fresh, other])
    # Nor is the class made that they were for.
    assert read_own_project(project.project_id, "me") == project
    project, num_twice = add_squares(project, " waves ", [*fresh, fresh[0]])
    assert project.labels == ("stripes", "spots", "waves")
    assert (len(project.examples), num_twice) == (11, 1)
    with pytest.raises(InputError, match=f"103 pictures; at most {MAX_EXAMPLES}"):
        add_squares(project, "waves", [Square(f"{n:032}", b"") for n in range(100)])
    with pytest.raises(InputError, match="the answer when no class fits"):
        add_squares(project, "none of these", [])


def test_what_is_removed_is_gone_from_the_disk(project):
    digest = project.examples[0].digest
    project = remove_example(project, digest)
    assert not project.file_of(digest).exists() and len(project.examples) == 7
    project = remove_class(project, "spots")
    assert project.labels == ("stripes",)
    assert len(list((project.folder / "pictures").iterdir())) == len(project.examples) == 3
    remove_project(project)
    assert list(projects_dir().iterdir()) == []
    with pytest.raises(InputError, match="deleted meanwhile"):
        add_squares(project, "waves", [])


def test_what_was_not_changed_for_a_week_goes(project):
    past = time.time() - MAX_AGE_S - 60
    os.utime(project.folder / "project.json", (past, past))
    new = create_project("you")
    assert list_own_projects("me") == [] and list_own_projects("you") == [new]


def test_what_a_killed_server_has_half_made_or_half_removed_goes(project):
    past = time.time() - 2 * 3600
    name = "20200101-000000-00000000"
    halves = [projects_dir() / f"{kind}-{name}" for kind in ("making", "removed")]
    under_way = projects_dir() / "making-20200101-000001-00000000"
    for folder in (*halves, under_way):
        (folder / "pictures").mkdir(parents=True)
        (folder / "pictures" / "one.jpg").write_bytes(b"x")
    for folder in halves:
        os.utime(folder, (past, past))
    remove_old_projects()
    assert set(projects_dir().iterdir()) == {under_way, project.folder}


def test_a_head_is_kept_with_its_project(project):
    with pytest.raises(InputError, match="not trained yet"):
        load_taught(project)
    *_, taught = teach_project(project)
    assert read_own_project(project.project_id, "me") == taught
    assert not any(one.is_new for one in taught.examples)
    assert load_taught(taught).head.labels == ("stripes", "spots")
    assert set(taught.read_features()) == {one.digest for one in taught.examples}
    (taught.folder / "head.safetensors").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="damaged; train again"):
        load_taught(taught)
    # As it says, that can be done.
    assert next(teach_project(taught)).stage == "head"


def test_a_project_that_is_deleted_while_it_learns_is_a_sentence(project):
    lesson = teach_project(project)
    next(lesson)
    remove_project(project)
    with pytest.raises(InputError, match="deleted meanwhile"):
        list(lesson)
    assert list_own_projects("me") == [] and list(projects_dir().iterdir()) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x00b", None, 3, "None of  these"])
def test_what_is_no_name_of_a_class_is_a_sentence(name):
    with pytest.raises(InputError):
        check_label(name)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Cafe\u0301", "Café"),
        ("\u06cc\u06a9\u200c\u06cc", "\u06cc\u06a9\u200c\u06cc"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤️\u200d", "❤️"),
    ],
)
def test_names_in_any_script_are_accepted_and_one_that_looks_alike_is_the_same(name, plain):
    assert check_label(name) == plain


def test_what_nobody_sees_in_a_name_is_said_to_be_there():
    for name in ("cat\u200f", "\u202ecat", "c\u00adat", "\ufeffcat", "cat\ud800"):
        with pytest.raises(InputError, match="invisible characters"):
            check_label(name)


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "__MACOSX"])
def test_what_a_zip_file_is_read_without_is_no_name_of_a_class(name):
    """Else a class would be lost on its way home and back."""
    with pytest.raises(InputError, match=f"“{name}” is what systems call a file of their own"):
        check_label(name)


@pytest.mark.parametrize("owner", ["", None, 3])
def test_classes_of_nobody_are_not_made(owner):
    with pytest.raises(InputError, match="need an owner"):
        create_project(owner)
