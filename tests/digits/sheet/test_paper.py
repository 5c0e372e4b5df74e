import numpy as np
import pytest
import scipy
from drawing import SEVEN, draw_strokes
from PIL import Image

from foundry.data import load_test_split
from foundry.digits import ink
from foundry.digits.sheet.paper import find_canvas

SIZE = 280


def colours(picture):
    return np.asarray(picture.convert("RGB"), dtype=np.float32)


def shade(picture, darkest):
    """As under a lamp at the left."""
    return (picture * np.linspace(1, darkest, SIZE)[:, None]).astype(np.float32)


@pytest.mark.parametrize(
    ("paper", "pen"), [("white", "black"), ("black", "white"), ("#fdf6e3", "navy")]
)
def test_the_paper_of_a_drawing_is_its_one_colour(paper, pen):
    drawing = draw_strokes(SEVEN, mode="RGB", paper=paper, colour=pen)
    found = find_canvas(colours(drawing))
    np.testing.assert_array_equal(found, colours(drawing)[0, 0])


def test_a_soft_edge_is_of_the_pen():
    soft = scipy.ndimage.gaussian_filter(colours(draw_strokes(SEVEN)), (4, 4, 0))
    assert find_canvas(np.rint(soft)) is not None


@pytest.mark.parametrize("kind", ["grain", "lamp", "stain", "margin", "thick"])
def test_a_photo_is_no_drawing(kind):
    picture = colours(draw_strokes(SEVEN))
    if kind == "grain":
        picture -= np.random.default_rng(0).integers(0, 2, picture.shape)
    elif kind == "lamp":
        picture = shade(picture, 0.8)
    elif kind == "stain":
        # Of paper so bright that all else of it is white.
        picture[200:260, 30:90] -= 40
    elif kind == "margin":
        picture[20:-20, 20:-20] = np.minimum(picture[20:-20, 20:-20], 240)
    else:
        picture[10:-10, 10:-10] = 0
    assert find_canvas(picture) is None


def test_a_drawing_is_read_as_if_it_were_a_photo(monkeypatch):
    """What is known of its paper is what the photo reader would find out."""
    digits = load_test_split().images[:40].numpy()
    drawings = [Image.fromarray(255 - digit).resize((SIZE, SIZE)) for digit in digits]
    drawings = [one for one in drawings if find_canvas(colours(one)) is not None]
    assert len(drawings) > 30
    known = [ink.find_ink(drawing) for drawing in drawings]
    monkeypatch.setattr(ink, "find_canvas", lambda pixels: None)
    for drawing, found in zip(drawings, known, strict=True):
        looked_for = ink.find_ink(drawing)
        assert ((found > 0.5) == (looked_for > 0.5)).mean() > 0.97
