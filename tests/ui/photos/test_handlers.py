import re
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from foundry.photos import load_photo_model, rank
from foundry.ui.components.variants.answers import Answered
from foundry.ui.photos import view
from foundry.ui.photos.api import classify_image
from foundry.ui.photos.cover import on_cover
from foundry.ui.photos.examples import EXAMPLES, examples_html, open_example
from foundry.ui.photos.input import build_photo_input
from foundry.ui.photos.look import on_look
from foundry.ui.photos.recognise import PHOTO_HINT, on_example, on_photo, on_ready

SHIPPED = "efficientnet-lite0"


@pytest.fixture
def cup(tmp_path):
    path = tmp_path / "cup.jpg"
    open_example("A cup").save(path)
    return str(path)


def test_a_photo_gets_five_names_in_both_languages(cup):
    answer, note, *_ = on_photo(cup, SHIPPED)
    assert answer.count('class="track"') == 5
    assert '<span class="en">espresso</span><span class="zh">浓缩咖啡</span>' in answer
    assert note.startswith("From the file to the names in ")


def test_the_last_example_has_no_name_among_the_thousand_as_the_page_says():
    names = " ".join(load_photo_model(SHIPPED).labels).lower()
    known = {"A cat": "tabby", "A cup": "cup", "A rocket": "missile", "An astronaut": "astronaut"}
    assert list(known) == list(EXAMPLES)
    assert [name in names for name in known.values()] == [True, True, True, False]


def test_no_photo_is_a_hint():
    assert on_photo(None, SHIPPED)[:4] == [view.hint(PHOTO_HINT), "", "", Answered()]


def test_a_variant_that_the_model_does_not_have_is_a_sentence(cup):
    answer, *_, bars = on_photo(cup, SHIPPED, "pruned")
    assert bars.count(" disabled") == 2
    assert "no pruned checkpoint comes with it" in answer
    assert "pruned" in list(on_ready(SHIPPED, "pruned"))[-1]


def test_what_is_no_picture_is_a_sentence(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(b"no picture")
    answer, note, *_ = on_photo(str(path), SHIPPED)
    assert "not a picture that can be read" in answer and note == ""
    with pytest.raises(gr.Error, match="not a picture that can be read"):
        classify_image(str(path), SHIPPED, "dense")


def test_a_name_that_is_pressed_shows_where_the_network_looked(cup):
    shown = on_look(SimpleNamespace(index=967), cup, SHIPPED)
    assert "data:image/png;base64," in shown and "浓缩咖啡" in shown
    assert "There is no class 1000" in on_look(SimpleNamespace(index=1000), cup, SHIPPED)
    assert "Only the shipped model" in on_look(SimpleNamespace(index=0), cup, "someone/else")


def test_a_part_that_is_covered_changes_the_answer(cup):
    asked = {"index": 967, "left": 40, "top": 20, "side": 140}
    shown = on_cover(SimpleNamespace(**asked), cup, SHIPPED, "dense")
    assert shown.count('class="track"') == 7 and "With a part covered" in shown
    before, after = re.findall(r'"share">([\d.]+)%', shown)[:2]
    assert float(after) < float(before)
    for wrong, told in (({"side": 300}, "8 to 224 pixels"), ({"index": -1}, "no class -1")):
        assert told in on_cover(SimpleNamespace(**asked | wrong), cup, SHIPPED, "dense")
    assert on_cover(SimpleNamespace(**asked), None, SHIPPED, "dense") == ""


def test_names_of_others_cannot_be_html():
    model = SimpleNamespace(names=None, labels=("<img src=x onerror=alert(1)>",))
    assert "<img" not in view.name_html(model, 0)


def test_the_endpoint_has_the_form_of_a_label(cup):
    answer = classify_image(cup, SHIPPED, "dense")
    assert answer["label"] == "espresso"
    assert [set(one) for one in answer["confidences"]] == [{"label", "confidence"}] * 5
    shares = [one["confidence"] for one in answer["confidences"]]
    assert shares == sorted(shares, reverse=True) and 0.9 < shares[0] < 1


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_a_photo(title):
    event = SimpleNamespace(example=title)
    assert isinstance(on_example(event), Image.Image)
    assert f'data-example="{title}"' in examples_html()


def test_an_example_that_there_is_not_changes_nothing():
    assert on_example(SimpleNamespace(example="../../etc/passwd")) == gr.skip()


def test_a_file_is_taken_as_it_was_sent(tmp_path):
    """Gradio's own component would turn it, save it anew, and lose bits."""
    path = tmp_path / "deep.tif"
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(path)
    with gr.Blocks():
        photo = build_photo_input()
    assert photo.preprocess(SimpleNamespace(path=str(path))) == str(path)
    assert photo.preprocess(None) is None


def test_equal_shares_are_ranked_in_the_order_of_the_labels():
    model = load_photo_model(SHIPPED)
    assert [guess.index for guess in rank(model, np.full(1000, 0.001), 5)] == [0, 1, 2, 3, 4]
