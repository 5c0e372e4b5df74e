import numpy as np
import pytest
from drawing import ONE, SEVEN, draw_strokes, paper, png_claiming
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from foundry.data.pictures import ACCEPTED_FORMATS, MAX_PIXELS, load_image
from foundry.digits.ink import find_ink
from foundry.errors import InputError


@pytest.mark.parametrize("format_name", ACCEPTED_FORMATS)
def test_each_accepted_format_is_read(tmp_path, format_name):
    path = tmp_path / "picture"
    draw_strokes(SEVEN, mode="RGB", paper="white", colour="black").save(path, format_name)
    image = load_image(path)
    assert image.size == (280, 280)
    assert image.mode == "RGBA"
    assert find_ink(image).max() == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_each_kind_of_pixel_is_read(tmp_path, mode):
    picture = draw_strokes(SEVEN)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    picture.save(path)
    ink = find_ink(load_image(path))
    expected = np.asarray(draw_strokes(SEVEN)) < 128
    assert ((ink > 0.5) == expected).mean() > 0.99


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
        b"just a letter to a friend",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        bytes(range(256)) * 10,
    ],
    ids=["empty", "PDF", "text", "SVG", "SVG with prolog", "EPS", "WAV", "binary"],
)
def test_what_is_no_picture_is_refused_with_a_sentence(tmp_path, content):
    path = tmp_path / "picture.png"  # the name is not believed
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"not a picture.*PNG, JPEG.*accepted"):
        load_image(path)


def test_a_format_outside_the_list_is_refused(tmp_path):
    path = tmp_path / "picture.png"
    draw_strokes(SEVEN).save(path, "PPM")
    with pytest.raises(InputError, match="accepted"):
        load_image(path)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_telephones_heic_is_told_what_it_is(tmp_path, brand, is_open):
    path = tmp_path / "IMG_0042.jpg"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(200))
    with path.open("rb") as file, pytest.raises(InputError, match=r"HEIC.*JPEG.*AVIF.*accepted\."):
        load_image(file if is_open else path)


@pytest.mark.parametrize(("lowest", "highest"), [(-3.5, 0.0), (-0.02, 1.01), (-7.0, 2000.0)])
def test_fractions_below_zero_are_a_range_of_their_own(tmp_path, lowest, highest):
    expected = np.asarray(draw_strokes(SEVEN), dtype=np.float32) / 255
    path = tmp_path / "measured.tiff"
    Image.fromarray(lowest + (highest - lowest) * expected).save(path)
    read = np.asarray(load_image(path).convert("L")) / 255
    assert read == pytest.approx(expected, abs=0.01)
    Image.fromarray(np.full((9, 9), lowest, dtype=np.float32)).save(path)
    assert not find_ink(load_image(path)).any()


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_picture_is_refused_with_a_sentence(tmp_path, format_name, share):
    path = tmp_path / "picture"
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)  # so that nothing compresses away
    Image.fromarray(noise).save(path, format_name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"\.$"):
        load_image(path)


@given(st.sampled_from(ACCEPTED_FORMATS), st.data())
def test_a_picture_with_a_broken_byte_is_read_or_refused_with_a_sentence(
    tmp_path, format_name, data
):
    path = tmp_path / "picture"
    draw_strokes([[(8, 8), (20, 24)]], size=32, width=4).save(path, format_name)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        load_image(path)
    except InputError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("width", "height"),
    # The specification's 100 megapixels, just too many, Pillow's bomb error, and a long strip.
    [(10_000, 10_000), (MAX_PIXELS // 1000 + 1, 1000), (60_000, 60_000), (2**31 - 1, 1)],
)
def test_a_huge_picture_is_refused_by_its_header(tmp_path, width, height):
    path = tmp_path / "picture.png"
    path.write_bytes(png_claiming(width, height))
    assert path.stat().st_size < 200
    with pytest.raises(InputError, match=r"too large.*40 megapixels"):
        load_image(path)


def test_a_large_picture_is_reduced_to_a_working_size(tmp_path):
    path = tmp_path / "picture.jpg"
    Image.new("L", (3000, 1500), 255).save(path)
    assert load_image(path).size == (1000, 500)


def test_a_long_strip_stays_a_picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("L", (20_000, 3), 255).save(path)
    image = load_image(path)
    assert image.width == 1000
    assert image.height >= 1
    assert not find_ink(image).any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_as_its_exif_says(tmp_path, orientation):
    upright = draw_strokes([[(60, 60), (60, 220), (150, 220)]], mode="RGB", paper="white")
    # What a camera held another way stores, so that the tag undoes it (the EXIF standard's table).
    stored = {
        1: lambda image: image,
        2: ImageOps.mirror,
        3: lambda image: image.rotate(180),
        4: ImageOps.flip,
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.rotate(90, expand=True),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.rotate(270, expand=True),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "picture.jpg"
    stored.save(path, exif=exif, quality=95)
    expected = np.asarray(upright.convert("L")) < 128
    found = np.asarray(load_image(path).convert("L")) < 128
    assert (found == expected).mean() > 0.99


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 280), (280, 280)])
@pytest.mark.parametrize("shade", [0, 1, 127, 254, 255])
def test_blank_paper_of_any_shade_has_no_ink(size, shade):
    ink = find_ink(Image.new("L", size, shade))
    assert ink.shape == size[::-1]
    assert not ink.any()


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_layer_without_a_stroke_has_no_ink(alpha):
    assert not find_ink(Image.new("RGBA", (100, 100), (0, 0, 0, alpha))).any()


@pytest.mark.parametrize("texture", [1, 5, 10, 20])
@pytest.mark.parametrize("light", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_paper_with_texture_and_uneven_light_has_no_ink(texture, light, seed):
    sheet = np.clip(paper(400, 300, seed, light, texture), 0, 255).astype(np.uint8)
    assert not (find_ink(Image.fromarray(sheet)) > 0.5).any()


@pytest.mark.parametrize(
    ("mode", "paper_colour", "ink_colour"),
    [
        ("L", 255, 0),
        ("L", 0, 255),
        ("L", 160, 60),
        ("L", 60, 160),
        ("RGB", (250, 250, 240), (20, 30, 140)),
        ("RGB", (20, 60, 30), (230, 230, 230)),
        ("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)),
        ("RGBA", (255, 255, 255, 0), (200, 30, 30, 255)),
    ],
)
def test_ink_is_found_whichever_is_darker(mode, paper_colour, ink_colour):
    strokes = np.asarray(draw_strokes(SEVEN)) < 128
    picture = draw_strokes(SEVEN, mode=mode, paper=paper_colour, colour=ink_colour)
    ink = find_ink(picture)
    assert ink.dtype == np.float32
    assert ink.min() >= 0
    assert ink.max() <= 1
    assert ((ink > 0.5) == strokes).mean() > 0.995


def test_ink_is_found_under_uneven_light():
    strokes = np.asarray(draw_strokes(ONE)) < 128
    sheet = paper(280, 280, light=0.6, texture=3) * np.where(strokes, 0.4, 1.0)
    ink = find_ink(Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)))
    assert ((ink > 0.5) == strokes).mean() > 0.99


@given(
    st.lists(st.tuples(st.integers(0, 63), st.integers(0, 63)), min_size=1, max_size=6),
    st.integers(1, 12),
)
def test_inverted_colours_give_the_same_ink(points, width):
    picture = draw_strokes([[(x + 32, y + 32) for x, y in points]], size=128, width=width)
    negative = ImageOps.invert(picture)
    np.testing.assert_array_equal(find_ink(picture) > 0.5, find_ink(negative) > 0.5)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_noise_is_answered_with_ink_between_nothing_and_full(width, height, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 4)).astype(np.uint8)
    ink = find_ink(Image.fromarray(noise, "RGBA"))
    assert ink.shape == (height, width)
    assert np.isfinite(ink).all()
    assert ink.min() >= 0
    assert ink.max() <= 1
