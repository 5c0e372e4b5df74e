"""From a picture of any size to 28x28 greys, each the mean of the area that it covers."""

import numpy as np
from PIL import Image

from foundry.data.mnist import IMAGE_SIZE


def reduce_by_area(image: Image.Image) -> np.ndarray:
    """Turn a picture into what a network sees: grey, the whole of it, as light as it is.

    Args:
        image: Any mode. What is transparent is taken for white paper. What is not square is put in
            the middle of a square of its mean grey along the edge.

    Returns:
        uint8, shape (28, 28).
    """
    if image.mode in ("RGBA", "LA", "P", "PA"):
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        image = Image.alpha_composite(white, opaque)
    grey = image.convert("L")
    if grey.width != grey.height:
        grey = _make_square(grey)
    return np.array(grey.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX))


def _make_square(grey: Image.Image) -> Image.Image:
    pixels = np.asarray(grey)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    side = max(grey.size)
    square = Image.new("L", (side, side), round(float(edge.mean())))
    square.paste(grey, ((side - grey.width) // 2, (side - grey.height) // 2))
    return square


def reduce_arrays(images: np.ndarray) -> np.ndarray:
    """Turn arrays of pictures into what a network sees.

    Args:
        images: uint8, (N, H, W) or (N, H, W, 3).

    Returns:
        uint8, shape (N, 28, 28).
    """
    if images.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE):
        return images
    reduced = np.empty((len(images), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for place, image in enumerate(images):
        reduced[place] = reduce_by_area(Image.fromarray(image))
    return reduced
