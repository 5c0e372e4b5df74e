"""Pictures to be taught: patterns that are easy to tell apart, each in colours of its own."""

import io
import zipfile

import numpy as np
from PIL import Image

KINDS = ("stripes", "squares", "spots", "waves")
SIZE = 96


def draw_pattern(kind, seed):
    """Return a picture of a kind, RGB; another seed gives another size, place and colours."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    y, x = np.mgrid[:SIZE, :SIZE] + rng.uniform(0, SIZE, 2)[:, None, None]
    period = rng.uniform(14, 26)
    if kind == "stripes":
        mask = x % period < period / 2
    elif kind == "squares":
        mask = (x % period < period / 2) ^ (y % period < period / 2)
    elif kind == "spots":
        mask = (x % period - period / 2) ** 2 + (y % period - period / 2) ** 2 < (period / 3) ** 2
    else:
        mask = (y + 6 * np.sin(x / 5)) % period < period / 2
    colours = rng.integers(0, 256, (2, 3))
    noise = rng.normal(0, 12, (SIZE, SIZE, 3))
    return Image.fromarray(np.clip(colours[mask.astype(int)] + noise, 0, 255).astype(np.uint8))


def pattern_bytes(kind, seed):
    """Return the same as a PNG file."""
    file = io.BytesIO()
    draw_pattern(kind, seed).save(file, "PNG")
    return file.getvalue()


def write_zip(path, entries):
    """Write name -> content into a ZIP file and return its path as text."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return str(path)


def pattern_entries(kinds=("stripes", "spots"), num_each=5):
    """Return the files of a ZIP file that can be taught."""
    return {
        f"{kind}/{seed}.png": pattern_bytes(kind, seed)
        for kind in kinds
        for seed in range(num_each)
    }
