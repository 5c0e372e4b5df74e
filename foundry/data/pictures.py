"""From a file to a picture: upright, 8 bits, of a size to work with."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from foundry.errors import InputError

ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
MAX_PIXELS = 40_000_000

# Longer pictures are reduced to this: digits stay dozens of pixels high, and time is bounded.
_WORKING_SIZE = 1000
# Twice what a classifier of photos looks at.
_PHOTO_SIZE = 512
# What white is where there is room for more than 8 bits: that of 1, 8, 10, 12, 14 and 16 bits.
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
# In a JPEG, what follows the first picture is for the telephone that took it.
_HOLD_MORE = ("GIF", "TIFF", "WEBP", "AVIF", "PNG")
_ORIENTATION = ExifTags.Base.Orientation
_ON_THE_SIDE = (5, 6, 7, 8)
# What puts a picture upright, by its orientation. Pillow's own function writes the rest of the EXIF
# anew as well, and fails for a photo with one odd value in it.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# ISO 23008-12, annex B.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_DAMAGED = "The picture is damaged and cannot be read; save it again."


def load_image(path: str | Path | IO[bytes]) -> Image.Image:
    """Open a picture after checking what its header claims.

    Args:
        path: A PNG, JPEG, WebP, AVIF, BMP, GIF or TIFF file of at most 40 megapixels,
            or one that is open.

    Returns:
        The picture upright, RGBA, its longer side at most 1,000 pixels. Of several the first.

    Raises:
        InputError: If it is no such file, too large, or damaged.
    """
    upright = _open(path, _WORKING_SIZE)
    upright.thumbnail((_WORKING_SIZE, _WORKING_SIZE), Image.Resampling.LANCZOS)
    return upright.convert("RGBA")


def load_photo(path: str | Path | IO[bytes]) -> Image.Image:
    """Open a picture for what makes it much smaller by itself, as a classifier of photos does.

    A fine reduction to 1,000 pixels would take much of the time from the file to the names.

    Args:
        path: As `load_image()` takes it.

    Returns:
        The picture upright, its longer side below 2,000 pixels; RGBA if something may be
        transparent, else RGB. Of several the first.

    Raises:
        InputError: As `load_image()` does.
    """
    upright = _open(path, _PHOTO_SIZE)
    factor = max(upright.size) // _WORKING_SIZE
    return upright.reduce(factor) if factor > 1 else upright


def _open(path: str | Path | IO[bytes], size: int) -> Image.Image:
    """Return a picture upright, RGB or RGBA; a JPEG decoded with at least so many pixels a side."""
    accepted = f"{', '.join(ACCEPTED_FORMATS)} up to {MAX_PIXELS // 1_000_000} megapixels"
    try:
        with Image.open(path, formats=ACCEPTED_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"The picture is too large; {accepted} is accepted.")
            image.draft("RGB", (size, size))
            image.load()
            turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
            upright = _to_8_bits(image if turn is None else image.transpose(turn))
            made = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            # It would be turned once more by whoever reads what stands beside the pixels.
            made.info.clear()
            return made
    except Image.DecompressionBombError:
        raise InputError(f"The picture is too large; {accepted} is accepted.") from None
    except UnidentifiedImageError:
        if _is_heic(path):
            raise InputError(
                f"This is a HEIC picture, as telephones take them; save it as JPEG. {accepted} is "
                "accepted."
            ) from None
        raise InputError(
            f"This file is not a picture that can be read; {accepted} is accepted."
        ) from None
    except InputError:
        raise
    # What AVIF is decoded by knows runtime errors only.
    except (OSError, SyntaxError, ValueError, TypeError, RuntimeError, struct.error):
        raise InputError(_DAMAGED) from None


def _is_heic(path: str | Path | IO[bytes]) -> bool:
    """Tell whether a file says that it holds pictures compressed as HEVC."""
    if isinstance(path, str | Path):
        with open(path, "rb") as file:
            start = file.read(12)
    else:
        path.seek(0)
        start = path.read(12)
    return start[4:8] == b"ftyp" and start[8:] in _HEIC_BRANDS


@dataclass(frozen=True)
class Original:
    """What `load_image` made a smaller picture of.

    Attributes:
        width: Pixels, of the upright picture.
        height: Pixels.
        num_pictures: Frames or pages in the file.
    """

    width: int
    height: int
    num_pictures: int

    @property
    def remark(self) -> str:
        """The sentence that says what was not looked at, empty if that is nothing."""
        if self.num_pictures < 2:
            return ""
        return f"The file holds {self.num_pictures} pictures; only the first one was looked at."


def inspect_file(path: str | Path) -> Original:
    """Look at the header of a picture.

    Args:
        path: A file that `load_image` has read.
    """
    with Image.open(path, formats=ACCEPTED_FORMATS) as image:
        width, height = image.size
        if image.getexif().get(_ORIENTATION, 1) in _ON_THE_SIDE:
            width, height = height, width
        try:
            num_pictures = getattr(image, "n_frames", 1) if image.format in _HOLD_MORE else 1
        # The first picture is whole, what follows is not.
        except (OSError, SyntaxError, ValueError, EOFError):
            num_pictures = 1
    return Original(width, height, num_pictures)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale what has more than 8 bits a pixel, or is a fraction."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError(_DAMAGED)
    values = np.where(finite, values, values[finite].min())
    if values.min() < 0:
        # Measured rather than photographed: from the lowest to the highest.
        values -= values.min()
        white = values.max() or 1.0
    else:
        # Whole numbers of 0 and 1 are nearly black, fractions from 0 to 1 are a whole range.
        whites = _WHITES if image.mode == "F" else _WHITES[1:]
        white = next((white for white in whites if white >= values.max()), values.max())
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))
