import base64
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import gradio as gr
import pytest
from drawing import data_url, draw_strokes
from patterns import draw_pattern, pattern_bytes

from foundry.photos.teaching.projects import create_project, list_own_projects
from foundry.ui.photos.teach import handlers
from foundry.ui.photos.teach.board import picture_url
from foundry.ui.photos.teach.handlers import (
    TRY_HINT,
    on_add,
    on_board,
    on_cell,
    on_delete,
    on_drawn,
    on_taken,
    on_train,
    on_try,
)
from foundry.ui.server.queues import LESSONS

TOKEN = "somebody"


@pytest.fixture(autouse=True)
def folder(runs_folder):
    return runs_folder


@pytest.fixture
def files(tmp_path):
    def make(kind, num=4):
        paths = [tmp_path / f"{kind}{seed}.png" for seed in range(num)]
        for seed, path in enumerate(paths):
            path.write_bytes(pattern_bytes(kind, seed))
        return [str(path) for path in paths]

    return make


def jpeg_url(picture):
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def press(**data):
    return SimpleNamespace(_data=data, **data)


def test_pictures_are_added_shown_and_removed(files):
    board, chooser, emptied, note = on_add(files("spots"), " my  spots ", TOKEN)
    assert board.count("data-remove=") == 4 and '<b translate="no">my spots</b>' in board
    assert (chooser.choices, emptied, note) == ([("my spots", "my spots")], None, "")
    digest = re.search('data-remove="([^"]+)"', board)[1]
    assert on_board(press(remove=digest), TOKEN)[0].count("data-remove=") == 3
    assert "1 more needed" not in on_board(press(remove="../x"), TOKEN)[0]
    assert on_board(press(choose="my spots"), TOKEN)[1].value == "my spots"
    assert "No classes yet" in on_board(press(leave="my spots"), TOKEN)[0]


def test_what_cannot_be_read_is_named_and_the_others_stay(files, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    bad = str(tmp_path / "bad.png")
    *_, note = on_add([*files("spots", 2), bad], "spots", TOKEN)
    assert note.startswith("“bad.png”: This file is not a picture")
    *_, note = on_add(files("spots", 2), "spots", TOKEN)
    assert note == "2 were there already."
    with pytest.raises(gr.Error, match=r"“bad\.png”"):
        on_add([bad], "spots", TOKEN)
    with pytest.raises(gr.Error, match="A class needs a name"):
        on_add(files("waves"), None, TOKEN)
    with pytest.raises(gr.Error, match="it can be an example of one class only"):
        on_add(files("spots", 1), "waves", TOKEN)


def test_of_a_file_with_several_pictures_it_is_said_that_one_is_taken(tmp_path):
    first, *others = (draw_pattern("spots", seed).convert("L") for seed in range(3))
    first.save(tmp_path / "three.gif", save_all=True, append_images=others)
    *_, note = on_add([str(tmp_path / "three.gif")], "spots", TOKEN)
    assert note == "“three.gif”: The file holds 3 pictures; only the first one was looked at."


def test_what_comes_in_two_ways_at_once_is_one_set_of_classes(files, monkeypatch):
    def create(token):
        time.sleep(0.1)
        return create_project(token)

    monkeypatch.setattr(handlers, "create_project", create)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda kind: on_add(files(kind, 1), kind, TOKEN), ("spots", "waves")))
    (project,) = list_own_projects(TOKEN)
    assert set(project.labels) == {"spots", "waves"}


def test_what_is_added_while_a_lesson_waits_is_learned(files):
    on_add(files("spots"), "spots", TOKEN)
    on_add(files("waves"), "waves", TOKEN)
    with LESSONS.join():
        lesson = on_train(TOKEN, True)
        assert "Waiting" in next(lesson)[0]
        on_add(files("squares", 2), "squares", TOKEN)
    with pytest.raises(gr.Error, match="“squares” has 2 pictures; each needs at least 3"):
        list(lesson)


def test_a_picture_that_was_gone_is_shown_when_it_is_back(tmp_path):
    file = tmp_path / "one.jpg"
    assert picture_url(file) == ""
    draw_pattern("spots", 0).convert("RGB").save(file)
    assert picture_url(file).startswith("data:image/jpeg")


def test_too_many_are_refused_before_any_is_read_and_no_class_is_left(files):
    with pytest.raises(gr.Error, match="would have 5,000 pictures; at most 100"):
        on_add(["/no/such/file.png"] * 5_000, "stripes", TOKEN)
    assert list_own_projects(TOKEN) == []
    on_add(files("stripes"), "stripes", TOKEN)
    with pytest.raises(gr.Error, match="The same picture is in"):
        on_add(files("stripes"), "spots", TOKEN)
    assert list_own_projects(TOKEN)[0].labels == ("stripes",)


def test_what_the_camera_takes_and_what_is_drawn_are_examples(files):
    urls = [jpeg_url(draw_pattern("spots", seed)) for seed in range(3)]
    board, chooser, note = on_taken(press(taken=urls), "mine", TOKEN)
    assert board.count("data-remove=") == 3 and (chooser.value, note) == ("mine", "")
    # The same frame twice is one example.
    assert on_taken(press(taken=urls[:1]), "mine", TOKEN)[2] == "1 was there already."
    board, *_ = on_drawn(data_url(draw_strokes([[(60, 60), (200, 200)]])), "mine", TOKEN)
    assert board.count("data-remove=") == 4
    with pytest.raises(gr.Error, match="Nothing is drawn yet"):
        on_drawn("", "mine", TOKEN)
    with pytest.raises(gr.Error, match="A class needs a name"):
        on_taken(press(taken=urls), None, TOKEN)


@pytest.mark.parametrize(
    "taken",
    [
        None,
        [],
        ["x"],
        [7],
        ["data:image/jpeg;base64,%%"],
        ["data:image/jpeg;base64,"] * 41,
        ["data:image/jpeg;base64," + "A" * 500_000],
    ],
)
def test_what_no_camera_sends_is_a_sentence(taken):
    with pytest.raises(gr.Error, match="did not arrive whole"):
        on_taken(press(taken=taken), "mine", TOKEN)
    with pytest.raises(gr.Error, match="not a picture that can be read"):
        on_taken(press(taken=["data:image/jpeg;base64,AAAA"]), "mine", TOKEN)


def test_names_of_classes_cannot_be_html(files):
    board, *_ = on_add(files("spots", 1), "&lt;b' onerror='alert(1)", TOKEN)
    assert "&amp;lt;b" in board and "onerror='" not in board
    with pytest.raises(gr.Error, match="also the name of a folder"):
        on_add(files("waves", 1), "<b>", TOKEN)


def test_classes_are_taught_asked_and_deleted(files, tmp_path):
    on_add(files("spots"), "spots", TOKEN)
    refused = on_train(TOKEN, True)
    assert "Failed" in next(refused)[0]
    with pytest.raises(gr.Error, match=r"2 to 10 classes are needed.*not 1"):
        next(refused)
    on_add(files("waves"), "waves", TOKEN)
    *_, last = on_train(TOKEN, True)
    status, _, board, _, result, *_ = last
    assert "Learned" in status and board.count("picture aside") == 2
    assert "of 2 right: between" in result and result.count("<td><button") == 4
    # Both pictures set aside are behind one cell or another.
    cells = [on_cell(press(row=row, column=column), TOKEN) for row in (0, 1) for column in (0, 1)]
    assert sum(cell.count("<img") for cell in cells) == 2
    assert on_cell(press(row=9, column=-1), TOKEN) == ""
    draw_pattern("spots", 40).save(tmp_path / "new.png")
    said = on_try(str(tmp_path / "new.png"), TOKEN)
    assert "Likeness to the closest examples" in said and said.count('class="track"') == 2
    assert TRY_HINT in on_try(None, TOKEN)
    board, *_ = on_delete(TOKEN)
    assert "No classes yet" in board and list_own_projects(TOKEN) == []


def test_what_is_added_to_a_trained_head_shows_what_was_forgotten(files):
    for kind in ("spots", "waves"):
        on_add(files(kind), kind, TOKEN)
    list(on_train(TOKEN, True))
    on_add(files("stripes"), "stripes", TOKEN)
    *_, last = on_train(TOKEN, False)
    result = last[4]
    assert "Only the new examples were learned." in result
    assert re.search(r"classes \d of 2 pictures had been right; now \d:", result)
    assert "Learned from 3 pictures" in result


def test_others_see_nothing_of_it(files):
    on_add(files("spots"), "spots", TOKEN)
    assert "No classes yet" in on_board(press(choose="spots"), "another")[0]
    assert list_own_projects("another") == []
