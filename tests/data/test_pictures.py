"""Opening a photo for a classifier, which makes it small by itself."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from foundry.data.photos import frame_photo
from foundry.data.pictures import load_image, load_photo
from foundry.errors import InputError
from foundry.ui.photos.examples import open_example


def saved(image, kind):
    file = io.BytesIO()
    image.save(file, kind)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("size", "kind", "expected"),
    [
        ((1200, 900), "JPEG", (1200, 900)),
        ((1999, 40), "PNG", (1999, 40)),
        ((2000, 1500), "PNG", (1000, 750)),
        ((3100, 2000), "PNG", (1034, 667)),
        # Decoded at half its size already.
        ((4000, 3000), "JPEG", (1000, 750)),
        ((9000, 1), "PNG", (1000, 1)),
        ((300, 200), "PNG", (300, 200)),
    ],
)
def test_a_photo_stays_below_two_thousand_pixels(size, kind, expected):
    assert load_photo(saved(Image.new("RGB", size), kind)).size == expected


def test_what_the_network_sees_is_nearly_what_the_fine_reduction_gives():
    large = open_example("A cup").resize((1800, 1200), Image.Resampling.BICUBIC)
    fine, quick = (frame_photo(load(saved(large, "PNG"))) for load in (load_image, load_photo))
    difference = np.asarray(fine).astype(int) - np.asarray(quick)
    assert np.abs(difference).mean() < 2


def test_transparency_does_not_bleed_into_what_is_seen():
    picture = Image.new("RGBA", (2400, 2400), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 2400, 1201))
    red, _, blue, alpha = np.moveaxis(np.asarray(load_photo(saved(picture, "PNG"))), -1, 0)
    assert red.max() == 0 and blue[alpha > 0].min() == 255


def test_what_is_no_picture_is_a_sentence():
    with pytest.raises(InputError, match="not a picture that can be read"):
        load_photo(io.BytesIO(b"no picture"))


def test_a_damaged_avif_is_a_sentence():
    content = bytearray(saved(Image.new("RGB", (24, 20), "white"), "AVIF").getvalue())
    place = content.index(b"mdat") + 4
    content[place:] = bytes(len(content) - place)
    with pytest.raises(InputError, match="damaged"):
        load_photo(io.BytesIO(bytes(content)))


# A quarter turn to the right: what is on top was taken on the left.
@pytest.mark.parametrize(
    "odd", [{}, {277: "x"}, {296: 100_000}, {282: "72 dpi"}, {282: float("nan")}]
)
def test_a_photo_is_turned_whatever_else_its_exif_says(odd):
    exif = Image.Exif()
    taken = Image.new("RGB", (64, 32), "white")
    taken.paste("black", (0, 0, 16, 32))
    exif[274] = 6
    # Written by hand: Pillow would not write what its own reading trips over.
    entries = [
        (274, 3, 6),
        *((tag, 4 if value == 100_000 else 2, value) for tag, value in odd.items()),
    ]
    image = load_photo(io.BytesIO(jpeg_with_exif(taken, entries)))
    pixels = np.asarray(image.convert("L"))
    assert image.size == (32, 64)
    assert pixels[:8].mean() < 64 and pixels[-8:].mean() > 192
    assert not image.info


def jpeg_with_exif(image, entries):
    """A JPEG with an EXIF of little-endian entries: tag, kind, value, text stored behind them."""
    entries = sorted(entries)
    start, behind = 8 + 2 + 12 * len(entries) + 4, b""
    table = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for tag, kind, value in entries:
        if kind == 2:
            text = str(value).encode() + b"\0\0\0\0"
            table += struct.pack("<HHII", tag, kind, len(text), start + len(behind))
            behind += text
        else:
            table += struct.pack("<HHII", tag, kind, 1, value)
    made = io.BytesIO()
    image.save(made, "JPEG", quality=95, exif=b"Exif\0\0" + table + struct.pack("<I", 0) + behind)
    return made.getvalue()
