"""Inputs that int8 is calibrated on: MNIST's training split, and texts and speech made for it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import soundfile

from foundry.data import DATA_DIR, load_mnist, normalize
from foundry.models.quantization import Sample
from foundry.models.shipped import hash_file

CALIBRATION_DIR = DATA_DIR / "calibration"
TEXTS_FILE = CALIBRATION_DIR / "texts.txt"
SPEECH_FILE = CALIBRATION_DIR / "speech.ogg"
# Clips of this length lie in the file one after another.
CLIP_S = 3.0

_NUM_IMAGES = 300


def digit_samples() -> list[Sample]:
    """Return 300 training images, each float32 (1, 1, 28, 28)."""
    images = normalize(load_mnist().train.head(_NUM_IMAGES).images)
    return [(image[None],) for image in images]


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
    "sentiment": text_samples,
    "speech": speech_samples,
}

_digest = lru_cache(hash_file)


def describe_samples(task: str) -> str:
    """Return what changes when a task's calibration inputs do.

    Args:
        task: `digits`, `sentiment` or `speech`.
    """
    if task == "digits":
        return f"MNIST train, first {_NUM_IMAGES}"
    return _digest({"sentiment": TEXTS_FILE, "speech": SPEECH_FILE}[task])
