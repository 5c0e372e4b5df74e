"""Photos of handwriting as people bring them, each kind built here from MNIST's digits."""

import numpy as np
import pytest
from drawing import draw_strokes
from PIL import Image
from scipy import ndimage
from skimage import morphology

from foundry.data.pictures import inspect_file, load_image
from foundry.digits import read_photo
from foundry.digits.ink import find_ink
from foundry.digits.reading import find_several, read_ink, read_lines

SIZE = (700, 500)
SIDE = 140
DARK, WHITE = (25, 25, 30), (240, 238, 232)


@pytest.fixture(scope="module")
def glyphs(mnist):
    """Of every digit the first one of the test split that is in one piece."""
    found = {}
    for image, label in zip(mnist.test.images.numpy(), mnist.test.labels.tolist(), strict=True):
        if label not in found and ndimage.label(image > 128, np.ones((3, 3)))[1] == 1:
            found[label] = ndimage.zoom(image[4:24, 4:24] / 255, SIDE / 20, order=3).clip(0, 1)
        if len(found) == 10:
            return found


def write(glyphs, rows, size=SIZE, left=80, top=60, pitch=180, line=170, factor=1.0):
    """Return how much ink there is at every pixel, (H, W)."""
    ink = np.zeros(size[::-1])
    for row, digits in enumerate(rows):
        for column, digit in enumerate(digits):
            glyph = glyphs[int(digit)]
            if factor != 1:
                glyph = ndimage.zoom(glyph, factor, order=1).clip(0, 1)
            x, y = round(left + column * pitch), round(top + row * line)
            here = ink[y : y + glyph.shape[0], x : x + glyph.shape[1]]
            np.maximum(here, glyph[: here.shape[0], : here.shape[1]], out=here)
    return ink


def colour(ink, pen=DARK, paper=WHITE):
    """Return a picture, float (H, W, 3)."""
    return np.array(paper, float) + ink[..., None] * (np.array(pen, float) - np.array(paper, float))


def photo(pixels, noise=2.0, seed=0):
    grain = np.random.default_rng(seed).normal(0, noise, pixels.shape)
    return Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))


def read(lenet, picture):
    return "".join(str(reading.digit) for reading in read_photo(lenet, picture))


def rule(pixels, rows=(), columns=(), ink=(60, 60, 70), width=3):
    """Print lines first, as it were: what is darker stays."""
    for row in rows:
        pixels[row : row + width] = np.minimum(pixels[row : row + width], ink)
    for column in columns:
        pixels[:, column : column + width] = np.minimum(pixels[:, column : column + width], ink)
    return pixels


def transparent(pixels, alpha):
    return Image.fromarray(np.dstack([pixels, alpha]).clip(0, 255).astype(np.uint8), "RGBA")


def test_one_transparent_pixel_changes_nothing(glyphs, lenet):
    alpha = np.full(SIZE[::-1], 255)
    alpha[3, 5] = 0
    assert read(lenet, transparent(colour(write(glyphs, ["314"])), alpha)) == "314"


def test_a_transparent_border_is_no_ink(glyphs, lenet):
    alpha = np.zeros(SIZE[::-1])
    alpha[20:-20, 20:-20] = 255
    assert read(lenet, transparent(colour(write(glyphs, ["314"])), alpha)) == "314"


@pytest.mark.parametrize("alpha", [110, 255])
def test_faint_ink_on_nothing_is_ink(glyphs, lenet, alpha):
    ink = write(glyphs, ["314"])
    assert read(lenet, transparent(np.zeros((*ink.shape, 3)), alpha * ink)) == "314"


@pytest.mark.parametrize(
    ("pen", "paper"),
    [
        ((220, 40, 40), (60, 150, 60)),
        ((255, 240, 60), (255, 255, 255)),
        ((90, 230, 240), (255, 255, 255)),
        ((255, 170, 200), (255, 255, 255)),
        ((230, 230, 230), (30, 70, 50)),
    ],
    ids=["red on green", "yellow", "cyan", "pink", "chalk"],
)
def test_colours_are_ink_too(glyphs, lenet, pen, paper):
    assert read(lenet, photo(colour(write(glyphs, ["314"]), pen, paper))) == "314"


def test_any_two_clearly_different_colours_are_pen_and_paper():
    rng = np.random.default_rng(0)
    stroke = 1 - np.asarray(draw_strokes([[(60, 60), (150, 220)]], width=14)) / 255
    seen = total = 0
    while total < 50:
        pen, paper = rng.integers(0, 256, (2, 3))
        if np.abs(pen - paper).max() < 80:
            continue
        total += 1
        ink = find_ink(photo(colour(stroke, pen, paper)))
        seen += ((ink > 0.5) == (stroke > 0.5)).mean() > 0.99
    assert seen >= 49


@pytest.mark.parametrize("pen", [(25, 25, 30), (30, 60, 170)], ids=["black", "blue"])
@pytest.mark.parametrize("rules", [(60, 60, 70), (150, 180, 220)], ids=["dark", "pale"])
@pytest.mark.parametrize("squares", [False, True], ids=["rules", "squares"])
def test_printed_rules_are_no_ink(glyphs, lenet, pen, rules, squares):
    pixels = colour(write(glyphs, ["314"]), pen)
    pixels = rule(pixels, range(20, 500, 60), range(30, 700, 60) if squares else (), rules)
    assert read(lenet, photo(pixels)) == "314"


def test_dense_dark_squares_are_no_grain_of_the_paper(glyphs, lenet):
    ink = write(glyphs, ["314", "592"], factor=0.4, pitch=90, line=90)
    pixels = rule(colour(ink), range(5, 500, 14), range(8, 700, 14), width=2)
    assert read(lenet, photo(ndimage.gaussian_filter(pixels, (0.5, 0.5, 0)))) == "314592"


def test_a_margin_line_is_no_one(glyphs, lenet):
    pixels = rule(colour(write(glyphs, ["314", "592"], left=120)), columns=[60], ink=(220, 80, 80))
    assert read(lenet, photo(pixels)) == "314592"


def test_a_line_below_a_digit_is_none(glyphs, lenet):
    assert read(lenet, photo(rule(colour(write(glyphs, ["7"], left=250)), rows=[215]))) == "7"


def test_boxes_of_a_form_are_no_ink(glyphs, lenet):
    pixels = colour(write(glyphs, ["314"], top=80))
    for column in range(3):
        left = 60 + 180 * column
        for at in (60, 240):
            pixels[at : at + 3, left : left + 180] = 50
        for at in (left, left + 180):
            pixels[60:243, at : at + 3] = 50
    assert read(lenet, photo(pixels)) == "314"


def on_desk(sheet, desk, margin=90):
    height, width = sheet.shape[:2]
    picture = np.full((height + 2 * margin, width + 2 * margin, 3), desk, float)
    picture[margin:-margin, margin:-margin] = sheet
    return ndimage.gaussian_filter(picture, (1, 1, 0))


@pytest.mark.parametrize(
    ("pen", "paper", "desk"),
    [(DARK, WHITE, (70, 50, 35)), ((225, 228, 225), (40, 75, 60), (170, 120, 70))],
    ids=["sheet on a dark desk", "blackboard in a frame"],
)
def test_what_is_around_the_paper_is_no_ink(glyphs, lenet, pen, paper, desk):
    sheet = colour(write(glyphs, ["314"]), pen, paper)
    assert read(lenet, photo(on_desk(sheet, desk))) == "314"


def test_black_edges_of_a_scan_are_no_ink(glyphs, lenet):
    pixels = colour(write(glyphs, ["314"]))
    pixels[:, :18], pixels[-12:] = 10, 10
    assert read(lenet, photo(pixels)) == "314"


def test_a_hard_shadow_hides_no_digit(glyphs, lenet):
    pixels = colour(write(glyphs, ["314", "592"]))
    columns = np.arange(SIZE[0])[None] + 0.3 * np.arange(SIZE[1])[:, None]
    pixels *= np.where(columns > 370, 0.5, 1)[..., None]
    assert read(lenet, photo(ndimage.gaussian_filter(pixels, (1, 1, 0)))) == "314592"


def test_an_underexposed_photo_is_read(glyphs, lenet):
    pixels = colour(write(glyphs, ["314"]), (58, 58, 58), (92, 92, 92))
    assert read(lenet, photo(pixels)) == "314"


@pytest.mark.parametrize("gap", [0.15, 0.4])
def test_rows_close_to_one_another_stay_rows(glyphs, lenet, gap):
    side = 80
    ink = write(
        glyphs, ["3141", "5926", "7180"], pitch=120, line=side * (1 + gap), factor=side / SIDE
    )
    lines = read_lines(lenet, find_ink(photo(colour(ink))))
    assert ["".join(str(one.digit) for one in line) for line in lines] == ["3141", "5926", "7180"]


def test_a_column_is_a_digit_a_line(glyphs, lenet):
    ink = write(glyphs, "31479", size=(300, 560), line=95, factor=80 / SIDE)
    assert read(lenet, photo(colour(ink))) == "31479"


def test_digits_that_touch_are_cut(glyphs, lenet):
    right = 0
    for digits in ("30", "26", "50", "63", "46", "85"):
        first, second = (glyphs[int(digit)] for digit in digits)
        first, second = (one[:, (one > 0.5).any(0)] for one in (first, second))
        for overlap in range(1, 30):
            ink = np.zeros((300, 500))
            ink[80 : 80 + SIDE, 100 : 100 + first.shape[1]] = first
            at = 100 + first.shape[1] - overlap
            here = ink[80 : 80 + SIDE, at : at + second.shape[1]]
            np.maximum(here, second, out=here)
            if ndimage.label(ink > 0.5, np.ones((3, 3)))[1] == 1:
                break
        right += read(lenet, photo(colour(ink))) == digits
    assert right >= 4


def test_two_digits_on_the_pad_are_two(glyphs, lenet):
    ink = write(glyphs, ["10"], size=(280, 280), left=30, top=80, pitch=130, factor=0.7)
    whole = read_ink(lenet, ink.astype(np.float32))
    assert [one.digit for one in find_several(lenet, ink.astype(np.float32), whole)] == [1, 0]


def test_one_digit_on_the_pad_is_one(mnist, lenet):
    several = 0
    for image in mnist.test.images[:200].numpy():
        ink = np.pad(ndimage.zoom(image / 255, 8, order=1), 28).astype(np.float32)
        several += bool(find_several(lenet, ink, read_ink(lenet, ink)))
    assert several <= 2


@pytest.mark.parametrize(
    ("white", "black", "dtype", "suffix"),
    [
        (60000, 20000, np.uint16, "png"),
        (65535, 256, np.uint16, "png"),
        (4000, 500, np.uint16, "tiff"),
        (1.0, 0.0, np.float32, "tiff"),
        (200.0, 20.0, np.float32, "tiff"),
        (2_000_000, 100_000, np.int32, "tiff"),
    ],
)
def test_more_than_8_bits_are_scaled(glyphs, lenet, tmp_path, white, black, dtype, suffix):
    values = white + write(glyphs, ["314"]) * (black - white)
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(values.astype(dtype)).save(path)
    assert read(lenet, load_image(path)) == "314"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_paper_or_ink(glyphs, lenet, tmp_path, value):
    values = (1 - write(glyphs, ["314"])).astype(np.float32)
    values[2, 2] = value
    path = tmp_path / "photo.tiff"
    Image.fromarray(values).save(path)
    assert read(lenet, load_image(path)) == "314"


@pytest.mark.parametrize("format_name", ["GIF", "TIFF", "WEBP", "PNG"])
def test_what_is_not_looked_at_is_said(tmp_path, format_name):
    first, *more = [Image.new("L", (40, 30), shade) for shade in (255, 120, 60)]
    path = tmp_path / "pictures"
    first.save(path, format_name)
    assert inspect_file(path).remark == ""
    first.save(path, format_name, save_all=True, append_images=more)
    assert inspect_file(path).remark == (
        "The file holds 3 pictures; only the first one was looked at."
    )


def test_the_size_of_a_photo_is_that_of_the_upright_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (1200, 900)).save(tmp_path / "photo.jpg", exif=exif)
    original = inspect_file(tmp_path / "photo.jpg")
    assert (original.width, original.height) == (900, 1200)
    assert load_image(tmp_path / "photo.jpg").size == (750, 1000)


@pytest.mark.parametrize("is_negative", [False, True], ids=["dark ink", "light ink"])
def test_a_digit_of_mnist_saved_as_a_jpeg_of_its_own_size_is_read(
    mnist, lenet, tmp_path, is_negative
):
    path = tmp_path / "digit.jpg"
    right = 0
    for image, label in zip(mnist.test.images[:6].numpy(), mnist.test.labels, strict=False):
        Image.fromarray(image if is_negative else 255 - image).save(path, quality=75)
        picture = load_image(path)
        assert find_ink(picture).shape == (28, 28)
        right += read(lenet, picture) == str(int(label))
    assert right == 6


@pytest.mark.parametrize("margin", [2, 25, 80])
@pytest.mark.parametrize("pen", [3, 14, 30, 44])
def test_a_picture_around_one_digit_is_ink_on_paper_whatever_the_pen(glyphs, pen, margin):
    for digit, glyph in glyphs.items():
        middle = morphology.skeletonize(np.pad(glyph > 0.5, pen))
        written = ndimage.distance_transform_edt(~middle) <= pen / 2
        rows, columns = np.flatnonzero(written.any(1)), np.flatnonzero(written.any(0))
        written = written[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        written = np.pad(written, margin)
        ink = find_ink(photo(colour(written), noise=0))
        assert ((ink > 0.5) != written).sum() <= 0.1 * written.sum(), digit


@pytest.mark.parametrize("size", [(300, 200), (200, 300)])
def test_a_dark_sheet_is_no_digit_but_what_is_written_on_it(glyphs, lenet, size):
    board = write(glyphs, ["7"], size=size, left=50, top=30)
    pixels = np.pad(colour(board, pen=WHITE, paper=DARK), ((40, 40), (50, 50), (0, 0)), "constant")
    pixels[:40] = pixels[-40:] = 235
    pixels[:, :50] = pixels[:, -50:] = 235
    assert read(lenet, photo(pixels)) == "7"
