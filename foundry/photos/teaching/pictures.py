"""An example as it is kept: the square in the middle of a picture, and nothing of the camera's."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from foundry.data.photos import SQUARE_SIZE, square_photo
from foundry.data.pictures import load_photo

SUFFIX = ".jpg"
_QUALITY = 92
_SIGNATURE = b"\xff\xd8\xff"
# More than any square has that was made here.
_MAX_BYTES = 200_000
_DIGEST_LENGTH = 32


@dataclass(frozen=True)
class Square:
    """What is kept of a picture.

    Attributes:
        digest: Of its bytes, hexadecimal; names its file.
        content: JPEG, 256x256.
    """

    digest: str
    content: bytes


def read_square(path: Path) -> Square:
    """Make an example of a file that somebody has sent.

    Args:
        path: As `load_photo()` takes it. What `make_square()` has made is left as it is, so that
            a project that is loaded again has the pictures that it had.

    Raises:
        InputError: If it is no picture that can be read.
    """
    image = load_photo(path)
    return _keep_or_make(image, path.read_bytes(), path.name)


def parse_square(content: bytes, name: str) -> Square:
    """Make an example of what is in a file, as `read_square()` does.

    Args:
        content: Of the file.
        name: Of the file.

    Raises:
        InputError: If it is no picture that can be read.
    """
    return _keep_or_make(load_photo(io.BytesIO(content)), content, name)


def _keep_or_make(image: Image.Image, content: bytes, name: str) -> Square:
    digest = _digest(content)
    if name == f"{digest}{SUFFIX}" and _is_square(content):
        return Square(digest, content)
    return make_square(image)


def _is_square(content: bytes) -> bool:
    """Tell whether a file is as `make_square()` makes them: anybody can name one so."""
    if len(content) > _MAX_BYTES or not content.startswith(_SIGNATURE):
        return False
    with Image.open(io.BytesIO(content)) as picture:
        is_square = picture.size == (SQUARE_SIZE, SQUARE_SIZE) and picture.mode == "RGB"
        return is_square and not picture.getexif()


def make_square(image: Image.Image) -> Square:
    """Make an example of a picture.

    Args:
        image: Upright, of any size.
    """
    file = io.BytesIO()
    square_photo(image).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    content = file.getvalue()
    return Square(_digest(content), content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
