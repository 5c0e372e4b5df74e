"""Inputs that int8 is calibrated on.

MNIST's training split, texts and speech made for it, and crops of scikit-image's own pictures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from foundry.data import DATA_DIR, Split, load_mnist, normalize
from foundry.data.photos import frame_photo, normalize_photos
from foundry.models.quantization import Sample
from foundry.models.shipped import hash_file

CALIBRATION_DIR = DATA_DIR / "calibration"
TEXTS_FILE = CALIBRATION_DIR / "texts.txt"
SPEECH_FILE = CALIBRATION_DIR / "speech.ogg"
# Clips of this length lie in the file one after another.
CLIP_S = 3.0

_NUM_IMAGES = 300
# Photos that come with scikit-image, in colour.
_PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
_NUM_CROPS = 300
# Share of a photo's shorter side.
_SMALLEST_CROP = 0.25
_SEED = 0


@dataclass(frozen=True)
class Calibration:
    """What an int8 model is calibrated on.

    Attributes:
        make: Makes the inputs; asked only where there is no int8 model yet.
        description: Changes when the inputs do.
    """

    make: Callable[[], Sequence[Sample]]
    description: str


def digit_samples(train: Split | None = None) -> list[Sample]:
    """Return 300 training images, each float32 (1, 1, 28, 28), or as many as there are.

    Args:
        train: What the network learned from; None for MNIST's.
    """
    train = load_mnist().train if train is None else train
    images = normalize(train.head(_NUM_IMAGES).images)
    return [(image[None],) for image in images]


def photo_samples() -> list[Sample]:
    """Return 300 random squares of photos, each float32 (1, 3, 224, 224)."""
    return [(normalize_photos(np.asarray(square)[None]),) for square in _crop_photos()]


def processed_photos(processor: Any) -> list[Sample]:
    """Return the same squares, each float32 (1, 3, height, width).

    Args:
        processor: The model's own; resizes and normalises.
    """
    return [
        (processor(images=square, return_tensors="pt")["pixel_values"],)
        for square in _crop_photos()
    ]


def _crop_photos() -> Iterator[Image.Image]:
    rng = np.random.default_rng(_SEED)
    pictures = []
    for name in _PHOTOS:
        with files("skimage").joinpath("data", name).open("rb") as file, Image.open(file) as photo:
            pictures.append(photo.convert("RGB"))
    for index in range(_NUM_CROPS):
        picture = pictures[index % len(pictures)]
        side = round(min(picture.size) * rng.uniform(_SMALLEST_CROP, 1))
        left, top = (int(rng.integers(0, length - side + 1)) for length in picture.size)
        yield frame_photo(picture.crop((left, top, left + side, top + side)))


def text_samples(tokenizer: Any) -> list[Sample]:
    """Return the texts as ids and mask, each int64 (1, tokens).

    Args:
        tokenizer: The model's own.
    """
    texts = TEXTS_FILE.read_text("utf-8").splitlines()
    encoded = (tokenizer(text, return_tensors="pt", truncation=True) for text in texts)
    return [(one["input_ids"], one["attention_mask"]) for one in encoded]


def read_clips() -> tuple[list[np.ndarray], int]:
    """Return the clips, each float32 (samples,), and their samples a second."""
    waveform, rate_hz = soundfile.read(SPEECH_FILE, dtype="float32")
    size = round(CLIP_S * rate_hz)
    return np.split(waveform, range(size, len(waveform), size)), rate_hz


def speech_samples(processor: Any) -> list[Sample]:
    """Return the clips, each float32 (1, samples).

    Args:
        processor: The model's own; normalises if the model wants that.
    """
    clips, rate_hz = read_clips()
    extract = processor.feature_extractor
    return [
        (extract(clip, sampling_rate=rate_hz, return_tensors="pt").input_values,) for clip in clips
    ]


# Of the tasks of pretrained models: makes inputs from a model's tokenizer or processor.
SAMPLE_MAKERS: dict[str, Callable[[Any], list[Sample]]] = {
    "photos": processed_photos,
    "sentiment": text_samples,
    "speech": speech_samples,
}

_digest = lru_cache(hash_file)


def describe_digits(dataset: str) -> str:
    """Return what changes when the images do that a network of digits is calibrated on.

    Args:
        dataset: Names what it learned from.
    """
    return f"{dataset} train, first {_NUM_IMAGES}"


def describe_samples(task: str) -> str:
    """Return what changes when a task's calibration inputs do.

    Args:
        task: `digits`, `photos`, `sentiment` or `speech`.
    """
    if task == "digits":
        return describe_digits("MNIST")
    if task == "photos":
        # All that decides about the crops: an int8 model of others is not to come from the cache.
        return (
            f"{_NUM_CROPS} crops, seed {_SEED}, from {_SMALLEST_CROP} of the shorter side on, of "
            f"{_PHOTOS} of scikit-image {version('scikit-image')}"
        )
    return _digest({"sentiment": TEXTS_FILE, "speech": SPEECH_FILE}[task])
