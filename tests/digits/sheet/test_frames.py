import numpy as np
import pytest
from drawing import photograph
from PIL import Image, ImageDraw

from foundry.digits import read_photo
from foundry.digits.ink import find_ink
from foundry.digits.sheet.frames import remove_frames


def draw_frame(shape, box, width=3):
    """Return the line of a frame with round corners, bool (H, W)."""
    canvas = Image.new("L", (shape[1], shape[0]), 0)
    radius = (box[2] - box[0]) // 2 if box == "circle" else 4
    ImageDraw.Draw(canvas).rounded_rectangle(box, radius, outline=255, width=width)
    return np.asarray(canvas) > 127


def draw_inside(shape, box):
    """Return a stroke of 4 pixels, bool (H, W)."""
    canvas = Image.new("L", (shape[1], shape[0]), 0)
    ImageDraw.Draw(canvas).line(box, fill=255, width=4)
    return np.asarray(canvas) > 127


SHAPE = (120, 160)
BOX = (30, 20, 120, 100)


@pytest.mark.parametrize("width", [1, 2, 3, 6, 12])
def test_a_frame_goes_and_what_is_in_it_stays(width):
    frame, inside = draw_frame(SHAPE, BOX, width), draw_inside(SHAPE, (75, 38, 80, 82))
    left = remove_frames((frame | inside).astype(np.float32), 0.1)
    assert np.array_equal(left > 0, inside)


def test_a_stroke_that_touches_the_line_stays():
    frame, stroke = draw_frame(SHAPE, BOX, 4), draw_inside(SHAPE, (75, 23, 75, 82))
    left = remove_frames((frame | stroke).astype(np.float32), 0.1) > 0
    # A stroke inside says that it is a frame; of this one only what is on the line is gone.
    assert np.array_equal(left, frame | stroke)
    other = draw_inside(SHAPE, (100, 40, 100, 80))
    left = remove_frames((frame | stroke | other).astype(np.float32), 0.1) > 0
    # Where they touch, the line stays for a pixel or two.
    assert np.array_equal(left[28:], (stroke | other)[28:])
    assert not left[:, :70].any() and not left[:, 82:97].any()


@pytest.mark.parametrize("inside", [None, (74, 60, 78, 60)])
def test_a_zero_is_no_frame_not_even_with_a_dot(inside):
    both = draw_frame(SHAPE, BOX, 4)
    if inside:
        both = both | draw_inside(SHAPE, inside)
    assert np.array_equal(remove_frames(both.astype(np.float32), 0.1) > 0, both)


def test_squared_paper_is_no_table_and_keeps_what_is_written_over_its_lines():
    paper = np.zeros((400, 500), dtype=bool)
    paper[20:381:20, 20:481] = True
    paper[20:381, 20:481:20] = True
    written = np.zeros_like(paper)
    written[100:150, 205:211] = True
    # One that fits into a square.
    written[184:196, 308:311] = True
    both = (paper | written).astype(np.float32)
    assert np.array_equal(remove_frames(both, 0.1), both)
    # Of few squares most are empty, or the pen goes over their lines.
    both = np.ascontiguousarray(both[98:183, 198:263])
    assert np.array_equal(remove_frames(both, 0.1), both)


def test_what_is_faint_is_no_line():
    frame, inside = draw_frame(SHAPE, BOX), draw_inside(SHAPE, (75, 38, 80, 82))
    contrast = 0.05 * frame.astype(np.float32) + 0.9 * inside
    assert np.array_equal(remove_frames(contrast, 0.1), contrast)


@pytest.mark.parametrize("degrees", [-7, 0, 4])
@pytest.mark.parametrize("kind", ["boxes", "circles", "table", "frame"])
@pytest.mark.parametrize("size", [1, 2])
def test_digits_in_boxes_are_read_however_close_the_picture_is_cut(
    lenet, mnist, kind, degrees, size
):
    labels = mnist.test.labels.numpy()
    wanted = (3, 7, 4)
    digits = [
        mnist.test.images[np.flatnonzero(labels == digit)[0]].squeeze().numpy() for digit in wanted
    ]
    lefts = [size * left for left in (40, 140, 240)]
    side, width = 80 * size, 3 * size
    picture = photograph(
        digits,
        [(left, 60 * size) for left in lefts],
        360 * size,
        200 * size,
        side=side,
        light=0.0,
        texture=1.0,
    )

    pen = ImageDraw.Draw(picture)
    for left in lefts:
        box = (left - 8 * size, 50 * size, left + side + 7 * size, 150 * size)
        if kind == "boxes":
            pen.rectangle(box, outline=30, width=width)
        if kind == "table":
            pen.rectangle(
                (left - 10 * size, box[1], left + 90 * size, box[3]), outline=30, width=width
            )
        if kind == "circles":
            pen.ellipse(
                (box[0], box[1], box[0] + 96 * size, box[1] + 100 * size), outline=30, width=width
            )
    if kind == "frame":
        pen.rectangle((8, 8, picture.width - 9, picture.height - 9), outline=30, width=2 * width)
    picture = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=230)
    assert [reading.digit for reading in read_photo(lenet, picture)] == list(wanted)


def test_a_picture_of_nothing_but_a_frame_keeps_it():
    picture = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(picture).ellipse((60, 30, 140, 170), outline=0, width=9)
    assert find_ink(picture).max() == 1
