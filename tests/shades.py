"""Three classes that anything can tell apart, of which one has most pictures."""

import numpy as np

from foundry.data.own.found import Found
from foundry.data.own.splitting import OwnData, split

CLASSES = ("light", "dark", "striped")


def make_shades() -> OwnData:
    generator = np.random.default_rng(0)
    labels = np.array([0] * 90 + [1] * 30 + [2] * 30)
    images = generator.integers(0, 60, (150, 28, 28), dtype=np.uint8)
    images[labels == 0] += 150
    images[labels == 2, ::2] += 150
    return split(Found({"train": (images, labels)}, CLASSES))
