import numpy as np
import pytest
from drawing import photograph
from PIL import Image, ImageDraw

from foundry.digits import read_photo
from foundry.digits.sheet.rules import remove_rules

SHAPE = (200, 420)
LINE = (30, 160, 390, 160)
ONES = [(60, 80, 62, 158), (140, 80, 142, 158), (221, 80, 222, 158), (300, 80, 302, 158)]
INSIDE = [(100, 90, 110, 130), (180, 95, 185, 140), (260, 90, 262, 140)]


def draw_lines(lines, width=4):
    """Return strokes, bool (H, W)."""
    canvas = Image.new("L", SHAPE[::-1], 0)
    for line in lines:
        ImageDraw.Draw(canvas).line(line, fill=255, width=width)
    return np.asarray(canvas) > 127


def test_teeth_with_something_between_them_go_and_ones_on_a_line_stay():
    ones, inside = draw_lines(ONES), draw_lines(INSIDE, width=6)
    comb = ones | draw_lines([LINE])
    left = remove_rules((comb | inside).astype(np.float32), np.float32(0.1)) > 0
    assert np.array_equal(left[:156], inside[:156])
    # Where they meet, a pixel or two of both is left.
    assert left[156:].sum() < 20 * len(ONES)
    left = remove_rules(comb.astype(np.float32), np.float32(0.1)) > 0
    assert (left & ones).sum() > 0.9 * ones.sum()


def test_strokes_of_unequal_length_are_no_teeth():
    unequal = [(*start, column, 158 - 12 * i) for i, (*start, column, _) in enumerate(ONES)]
    strokes, inside = draw_lines(unequal), draw_lines(INSIDE, width=6)
    comb = strokes | draw_lines([LINE])
    left = remove_rules((comb | inside).astype(np.float32), np.float32(0.1)) > 0
    assert (left & strokes).sum() > 0.9 * strokes.sum()


@pytest.mark.parametrize("degrees", [-6, 0, 5])
@pytest.mark.parametrize("printed", ["comb", "dots"])
def test_digits_in_a_comb_and_on_dotted_paper_are_read(lenet, mnist, printed, degrees):
    labels = mnist.test.labels.numpy()
    wanted = (3, 7, 4)
    first = [np.flatnonzero(labels == digit)[0] for digit in wanted]
    lefts = (60, 160, 260)
    picture = photograph(
        [mnist.test.images[index].squeeze().numpy() for index in first],
        [(left, 60) for left in lefts],
        *SHAPE[::-1],
        light=0.0,
        texture=1.0,
    )
    pen = ImageDraw.Draw(picture)
    if printed == "comb":
        pen.line((50, 150, 350, 150), fill=60, width=3)
        for column in (50, 150, 250, 350):
            pen.line((column, 100, column, 150), fill=60, width=3)
    else:
        for row in range(4, SHAPE[0], 16):
            for column in range(4, SHAPE[1], 16):
                pen.ellipse((column, row, column + 2, row + 2), fill=60)
    picture = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=230)
    assert [reading.digit for reading in read_photo(lenet, picture)] == list(wanted)
