"""Pictures for the tests: MNIST digits redrawn, strokes, paper with uneven light."""

import base64
import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageDraw


def redraw(digit, size=280, side=200, left_top=None, thin=False):
    """Draw an MNIST digit (uint8, 28x28) enlarged, as dark ink on white paper.

    `side` is that of the whole 28x28 frame; `thin` keeps only the middle of the strokes.
    """
    enlarged = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    if thin:
        from skimage.morphology import skeletonize

        skeleton = skeletonize(np.asarray(enlarged) > 127)
        enlarged = Image.fromarray((skeleton * 255).astype(np.uint8))
    left_top = left_top or ((size - side) // 2, (size - side) // 2)
    picture = Image.new("L", (size, size), 255)
    picture.paste(0, left_top, enlarged)
    return picture


def draw_strokes(strokes, size=280, width=22, colour=0, paper=255, mode="L"):
    """Draw round-ended strokes, each a list of points, as the pad does."""
    picture = Image.new(mode, (size, size), paper)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        pen.line(stroke, fill=colour, width=width, joint="curve")
        for x, y in stroke:
            radius = width / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return picture


# A seven and a one as anybody writes them; every digit network reads them alike.
SEVEN = [[(85, 80), (190, 80), (130, 215)]]
ONE = [[(140, 60), (140, 220)]]


def paper(width, height, seed=0, light=0.35, texture=4.0):
    """Return a photo's paper, float (height, width): light falling off to the right, and noise."""
    rng = np.random.default_rng(seed)
    shade = np.linspace(230, 230 * (1 - light), width)[None, :].repeat(height, axis=0)
    return shade + rng.normal(0, texture, (height, width))


def photograph(digits, positions, width, height, side=80, seed=0, **look):
    """Return a photo of MNIST digits written at (left, top) positions, and their frames."""
    sheet = paper(width, height, seed, **look)
    for digit, (left, top) in zip(digits, positions, strict=True):
        enlarged = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
        ink = np.asarray(enlarged, dtype=float) / 255
        sheet[top : top + side, left : left + side] *= 1 - 0.75 * ink
    return Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8))


def write_shapes(path):
    """A ZIP of two folders of pictures, discs and squares of several sizes."""
    with zipfile.ZipFile(path, "w") as archive:
        for size in range(20, 60, 2):
            for name in ("disc", "square"):
                picture = Image.new("L", (84, 84), 255)
                draw = ImageDraw.Draw(picture)
                shape = draw.ellipse if name == "disc" else draw.rectangle
                shape((42 - size // 2, 42 - size // 2, 42 + size // 2, 42 + size // 2), fill=0)
                archive.writestr(f"{name}/{size}.png", png_bytes(picture))


def png_bytes(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height):
    """A PNG of a hundred bytes whose header claims any size, 8-bit grayscale."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + png_chunk(b"IEND", b"")
    )


def data_url(picture):
    """Return a picture as the pad sends it."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode()
