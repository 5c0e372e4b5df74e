"""The Draw tab's handlers, called with plain values."""

import base64
import io
import re

import numpy as np
import pytest
from drawing import ONE, SEVEN, data_url, draw_strokes, photograph, redraw
from outputs import value_of
from PIL import Image

from foundry.digits import read_drawing
from foundry.digits.activations import compute_activations
from foundry.errors import InputError
from foundry.ui.components.model_choice import list_digit_models, load_digit_model
from foundry.ui.components.pad import decode_drawing, read_pad
from foundry.ui.components.variants.answers import Answered
from foundry.ui.draw import photo as draw_photo
from foundry.ui.draw import tab as draw_tab
from foundry.ui.draw.maps import on_look


def test_a_drawn_seven_is_read_as_seven(runs_folder):
    bars, note, *_ = draw_tab.on_draw("cpu", data_url(draw_strokes(SEVEN)), "lenet", "alice")
    assert "<b>7</b>" in bars
    assert "ms" in note


@pytest.mark.parametrize("width", [10, 22, 40])
@pytest.mark.parametrize("strokes", [SEVEN, ONE])
def test_the_pads_own_way_and_that_of_photos_see_the_same(lenet, strokes, width):
    # A pen's edges on a canvas are smooth, as those of a picture made smaller are.
    large = draw_strokes([[(4 * x, 4 * y) for x, y in s] for s in strokes], 1120, 4 * width)
    drawing = large.resize((280, 280), Image.Resampling.BOX)
    reading, other = read_pad(lenet, data_url(drawing)), read_drawing(lenet, drawing)
    assert reading.digit == other.digit
    difference = np.abs(reading.image.astype(int) - other.image)
    # Of 255: nothing that an eye would see, and a few pixels at an edge.
    assert difference.mean() < 2
    assert reading.probs == pytest.approx(other.probs, abs=0.02)


def read_maps(html):
    """The pictures that are shown, in order."""
    urls = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(url))) for url in urls]


def test_what_the_network_sees_is_shown_value_for_pixel(runs_folder, lenet):
    drawing = data_url(draw_strokes(SEVEN))
    seen, conv1, conv2 = read_maps(on_look("cpu", drawing, "lenet", "alice"))
    np.testing.assert_array_equal(np.asarray(seen), read_pad(lenet, drawing).image)
    # Six maps of 28x28 and two rows of eight of 10x10, a pixel between neighbours.
    assert conv1.size == (6 * 29 - 1, 28)
    assert conv2.size == (8 * 11 - 1, 2 * 11 - 1)
    largest = compute_activations(lenet, np.array(seen))["conv1"].max(axis=(1, 2)).argmax()
    brightness = np.asarray(conv1.convert("L")).max(axis=0)
    assert brightness.argmax() // 29 == largest


@pytest.mark.parametrize("drawing", [None, ""])
def test_of_an_empty_pad_there_is_nothing_to_see(runs_folder, drawing):
    html = on_look("cpu", drawing, "lenet", "alice")
    assert read_maps(html) == []
    assert html.count("Draw first") == 3


def test_the_pads_own_transparent_canvas_is_read_too(runs_folder):
    layer = draw_strokes(SEVEN, mode="RGB", paper="white", colour="black")
    bars = draw_tab.on_draw("cpu", data_url(layer), "lenet", "alice")[0]
    assert "<b>7</b>" in bars


@pytest.mark.parametrize("drawing", [None, ""])
def test_an_empty_pad_is_not_classified(runs_folder, drawing):
    outputs = draw_tab.on_draw("cpu", drawing, "lenet", "alice")
    assert "Draw a digit" in outputs[0]
    assert outputs[1:3] == ["", Answered()]


def test_a_blank_canvas_is_not_classified(runs_folder):
    blank = data_url(Image.new("L", (280, 280), 255))
    assert "Draw a digit" in draw_tab.on_draw("cpu", blank, "lenet", "alice")[0]


@pytest.mark.parametrize(
    "drawing",
    [
        "garbage",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA",
        "data:text/html;base64,AAAA",
        data_url(Image.new("L", (10, 10), 0)),
        data_url(draw_strokes(SEVEN))[:-400],
        "data:image/png;base64," + "A" * 3_000_000,
        "data:image/png;base64,é",
        3,
        ["data:image/png;base64,"],
        {"image": "x"},
    ],
    ids=lambda drawing: str(drawing)[:40],
)
def test_what_the_pad_never_sends_is_refused_with_a_sentence(runs_folder, drawing):
    bars, sentence, *_ = draw_tab.on_draw("cpu", drawing, "lenet", "alice")
    assert "clear the pad and draw again" in sentence
    assert "<b>" not in bars
    assert on_look("cpu", drawing, "lenet", "alice").count("Draw first") == 3


def test_the_pad_is_decoded_to_the_same_picture():
    picture = draw_strokes(SEVEN)
    np.testing.assert_array_equal(np.asarray(decode_drawing(data_url(picture))), picture)


def test_an_unknown_model_is_refused_with_the_list(runs_folder):
    bars, sentence, *_ = draw_tab.on_draw("cpu", data_url(draw_strokes(SEVEN)), "resnet", "alice")
    assert "resnet" in sentence
    assert "lenet" in sentence
    assert "<b>" not in bars


def test_no_photo_clears_the_answer(runs_folder):
    picture, _, crops = draw_photo.on_photo("cpu", None, "lenet", "alice")
    assert value_of(picture) is None
    assert value_of(crops) == []


def test_a_photo_is_boxed_and_read(runs_folder, tmp_path, mnist):
    digits, labels = mnist.test.images[:4].numpy(), mnist.test.labels[:4].tolist()
    positions = [(40 + 110 * i, 60) for i in range(4)]
    photograph(digits, positions, 500, 200).save(tmp_path / "photo.jpg", quality=95)
    picture, sentence, crops = draw_photo.on_photo(
        "cpu", str(tmp_path / "photo.jpg"), "lenet", "alice"
    )
    image, boxes = value_of(picture)
    number = "".join(str(label) for label in labels)
    assert f"### {number}\n" in sentence
    assert "4 digits" in sentence
    assert image.size == (500, 200)
    assert [text for _, text in boxes] == [f"{i + 1}: {labels[i]}" for i in range(4)]
    for ((left, top, right, bottom), _), (x, y) in zip(boxes, positions, strict=True):
        assert x - 3 <= left < right <= x + 83
        assert y - 3 <= top < bottom <= y + 83
    assert [caption[0] for _, caption in value_of(crops)] == list(number)


def test_one_digit_is_not_called_digits(runs_folder, tmp_path, mnist):
    redraw(mnist.test.images[0].numpy()).save(tmp_path / "photo.png")
    sentence = draw_photo.on_photo("cpu", str(tmp_path / "photo.png"), "lenet", "alice")[1]
    assert "1 digit," in sentence


def test_a_photo_without_ink_says_so(runs_folder, tmp_path):
    Image.new("L", (200, 100), 200).save(tmp_path / "photo.png")
    picture, sentence, crops = draw_photo.on_photo(
        "cpu", str(tmp_path / "photo.png"), "lenet", "alice"
    )
    assert "No ink was found" in sentence
    assert value_of(picture)[1] == []
    assert value_of(crops) == []


def test_two_digits_on_the_pad_are_said_to_be_two(runs_folder):
    one, seven = [(60, 60), (60, 220)], [(130, 80), (235, 80), (175, 215)]
    note = draw_tab.on_draw("cpu", data_url(draw_strokes([one, seven])), "lenet", "alice")[1]
    assert "There are 2 digits here; the photo reader makes 17 of them." in note


def test_a_scribble_on_the_pad_is_said_to_be_no_digit(runs_folder):
    zigzag = [(40 + 200 * (i % 2), 40 + 25 * i) for i in range(9)]
    note = draw_tab.on_draw("cpu", data_url(draw_strokes([zigzag])), "lenet", "alice")[1]
    assert "This does not look like a digit." in note
    assert (
        "look like"
        not in draw_tab.on_draw("cpu", data_url(draw_strokes(SEVEN)), "lenet", "alice")[1]
    )


def test_what_follows_the_first_frame_is_said_not_to_be_read(runs_folder, tmp_path):
    blank, seven = Image.new("L", (280, 280), 255), draw_strokes(SEVEN)
    rest = "The file holds 2 pictures; only the first one was looked at."
    for first, second, found in ((blank, seven, "No ink was found"), (seven, blank, "### 7")):
        path = tmp_path / "frames.gif"
        first.save(path, save_all=True, append_images=[second])
        sentence = draw_photo.on_photo("cpu", str(path), "lenet", "alice")[1]
        assert found in sentence
        assert rest in sentence


def test_a_pdf_is_refused_with_a_sentence(runs_folder, tmp_path):
    (tmp_path / "photo.png").write_bytes(b"%PDF-1.7\n%%EOF\n")
    picture, sentence, crops = draw_photo.on_photo(
        "cpu", str(tmp_path / "photo.png"), "lenet", "alice"
    )
    assert "PNG, JPEG" in sentence
    assert value_of(picture) is None
    assert not crops.visible


def test_the_models_to_choose_from_are_the_shipped_one_and_ones_own(finished):
    own = [name for _, name in list_digit_models("somebody")]
    assert own == ["lenet", finished.run_id]
    assert [name for _, name in list_digit_models("alice")] == ["lenet"]


def test_ones_own_model_reads_a_drawing_and_anothers_is_unknown(finished):
    drawing = data_url(draw_strokes(SEVEN))
    assert "<b>" in draw_tab.on_draw("cpu", drawing, finished.run_id, "somebody")[0]
    bars, sentence, *_ = draw_tab.on_draw("cpu", drawing, finished.run_id, "alice")
    assert "<b>" not in bars
    assert "There is no model" in sentence
    with pytest.raises(InputError):
        load_digit_model(finished.run_id, "alice", "cpu")


def test_a_chosen_model_that_still_exists_stays_chosen(finished):
    assert draw_tab.on_visit("somebody", finished.run_id).value == finished.run_id
    assert draw_tab.on_visit("alice", finished.run_id).value == "lenet"
