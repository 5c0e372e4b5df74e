"""How fast a photo is named, and how fast and how well classes of one's own are taught."""

import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from foundry.data.photos import square_photo
from foundry.data.pictures import load_photo
from foundry.errors import InputError
from foundry.models import DENSE, VARIANTS, load_model
from foundry.models.runtime import Predictor, on_narrow_thread
from foundry.photos import PhotoModel, classify_photo, load_photo_model
from foundry.photos.model import SHIPPED
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.head import Head
from foundry.photos.teaching.learning import Learned, learn
from foundry.photos.teaching.lessons import load_frozen
from foundry.photos.teaching.pictures import read_square
from foundry.photos.teaching.splitting import split_examples
from foundry.photos.teaching.tuning.learning import Lesson, look, tune
from foundry.photos.teaching.tuning.state import TuneState

_NUM_ROUNDS = 60
_PHOTO_SIZE = (1200, 900)
_NUM_CLASSES, _NUM_EACH = 5, 20
_PATTERN_SIZE = 256


def measure(data: Path | None = None) -> dict[str, Any]:
    """Measure answers in interleaved rounds, then a lesson of five classes with twenty pictures.

    Args:
        data: A folder for each class, of which the first five and their first twenty pictures are
            taken; without it patterns are drawn.

    Raises:
        InputError: If there are fewer than five folders.
    """
    started = time.perf_counter()
    models = {DENSE.name: load_photo_model(SHIPPED)}
    load_s = time.perf_counter() - started
    models["int8"] = load_photo_model(SHIPPED, VARIANTS["int8"])
    return {"load_s": load_s, **_time_answers(models), **_time_lesson(data)}


def _time_answers(models: dict[str, PhotoModel]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    width, height = _PHOTO_SIZE
    # Noise in large squares: as large a file as a photo's.
    coarse = Image.fromarray(rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8))
    taken_s: dict[str, list[float]] = {name: [] for name in models}
    # What is served in float32 has its normalisations folded in; as it was trained it takes longer.
    alone = {"eager": load_model(SHIPPED), **{name: one.predict for name, one in models.items()}}
    forward_s: dict[str, list[float]] = {name: [] for name in alone}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        coarse.resize(_PHOTO_SIZE).save(path, quality=90)
        order = random.Random(0)
        for _ in range(_NUM_ROUNDS):
            for name in order.sample(list(models), len(models)):
                taken_s[name].append(_seconds(partial(_answer, models[name], path)))
            inputs = models[DENSE.name].prepare(load_photo(path))
            for name in order.sample(list(alone), len(alone)):
                forward_s[name].append(_seconds(partial(_compute, alone[name], inputs)))
    return {
        "p50_ms": {name: 1000 * statistics.median(times) for name, times in taken_s.items()},
        "int8_speedup": _median_ratio(forward_s["eager"], forward_s["int8"]),
        "int8_speedup_served": _median_ratio(forward_s[DENSE.name], forward_s["int8"]),
    }


def _median_ratio(slow_s: list[float], fast_s: list[float]) -> float:
    return statistics.median(slow / fast for slow, fast in zip(slow_s, fast_s, strict=True))


def _answer(model: PhotoModel, path: Path) -> None:
    classify_photo(model, load_photo(path))


@on_narrow_thread
@torch.inference_mode()
def _compute(predict: Predictor, inputs: Tensor) -> None:
    """Compute on one core, as an answer does: with more, cores wait for each other in PyTorch."""
    predict(inputs)


def _time_lesson(data: Path | None) -> dict[str, Any]:
    started = time.perf_counter()
    examples, pictures = _read_classes(data) if data else _draw_classes()
    labels = tuple(dict.fromkeys(example.label for example in examples))
    features: dict[str, Tensor] = {}
    split = split_examples(examples, 0)
    *_, learned = learn(load_frozen(), split, labels, pictures, features)
    assert isinstance(learned, Learned)
    teach_s, outcome = time.perf_counter() - started, learned.outcome
    figures = _time_tuning(learned.head, split, [square_photo(one) for one in pictures])
    return {
        **figures,
        "teach_s": teach_s,
        "num_pictures": len(examples),
        "num_validated": len(outcome.checked),
        "accuracy": outcome.accuracy,
        "scratch_accuracy": outcome.scratch_accuracy,
        "is_drawn": data is None,
    }


def _time_tuning(
    head: Head, examples: list[Example], pictures: list[Image.Image]
) -> dict[str, Any]:
    started = time.perf_counter()
    *_, lesson = look(load_frozen(), examples, head.labels, pictures)
    assert isinstance(lesson, Lesson)
    *_, last = tune(TuneState(load_frozen(), head), lesson)
    return {"tune_s": time.perf_counter() - started, "tuned_accuracy": last.val_accuracy}


def _read_classes(data: Path) -> tuple[list[Example], list[Image.Image]]:
    folders = sorted(one for one in data.iterdir() if one.is_dir())[:_NUM_CLASSES]
    if len(folders) < _NUM_CLASSES:
        raise InputError(f"{data} needs a folder for each of {_NUM_CLASSES} classes.")
    examples, pictures = [], []
    for folder in folders:
        for file in sorted(folder.iterdir())[:_NUM_EACH]:
            square = read_square(file)
            examples.append(Example(square.digest, folder.name))
            pictures.append(Image.open(io.BytesIO(square.content)).convert("RGB"))
    return examples, pictures


def _draw_classes() -> tuple[list[Example], list[Image.Image]]:
    rng = np.random.default_rng(0)
    examples, pictures = [], []
    for kind in range(_NUM_CLASSES):
        for number in range(_NUM_EACH):
            examples.append(Example(f"{kind}-{number}", f"pattern {kind}"))
            pictures.append(_draw(kind, rng))
    return examples, pictures


def _draw(kind: int, rng: np.random.Generator) -> Image.Image:
    """Return stripes, squares, spots, waves or rings, in any colours and at any place."""
    y, x = np.mgrid[:_PATTERN_SIZE, :_PATTERN_SIZE] + rng.uniform(0, 99, 2)[:, None, None]
    period = rng.uniform(24, 60)
    half = period / 2
    masks: tuple[Callable[[], np.ndarray], ...] = (
        lambda: x % period < half,
        lambda: (x % period < half) ^ (y % period < half),
        lambda: np.hypot(x % period - half, y % period - half) < period / 3,
        lambda: (y + 9 * np.sin(x / 9)) % period < half,
        lambda: np.hypot(x - 177, y - 177) % period < half,
    )
    colours = rng.integers(0, 256, (2, 3))
    noisy = colours[masks[kind]().astype(int)] + rng.normal(0, 16, (*x.shape, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(figures: dict[str, Any]) -> str:
    """Put the figures into words.

    Args:
        figures: From `measure()`.
    """
    p50_ms, points = figures["p50_ms"], figures["accuracy"] - figures["scratch_accuracy"]
    what = "drawn patterns" if figures["is_drawn"] else "pictures"
    return (
        f"loaded in {figures['load_s']:.1f} s; from the file to the names, p50: float32 "
        f"{p50_ms['dense']:.1f} ms, int8 {p50_ms['int8']:.1f} ms; int8 is "
        f"{figures['int8_speedup']:.1f} times as fast as PyTorch eager on one picture, and "
        f"{figures['int8_speedup_served']:.1f} times as fast as the float32 network served\n"
        f"taught {figures['num_pictures']} {what} in {figures['teach_s']:.1f} s with what comes "
        f"out from scratch: {figures['accuracy']:.0%} of {figures['num_validated']} set aside "
        f"right, {100 * points:.0f} points more than from scratch; fine-tuned in "
        f"{figures['tune_s']:.1f} s: {figures['tuned_accuracy']:.0%}"
    )


def list_rows(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures as rows of the README's table: what it is, and its value.

    Args:
        figures: From `measure()`.
    """
    p50_ms = figures["p50_ms"]
    yield (
        "from a photo's file to its names",
        f"p50 {p50_ms['dense']:.0f} ms in float32, {p50_ms['int8']:.0f} ms in int8, whose network "
        f"alone is {figures['int8_speedup']:.1f} times as fast as in PyTorch eager, and "
        f"{figures['int8_speedup_served']:.1f} times as fast as the float32 that is served",
    )
    what = "drawn patterns" if figures["is_drawn"] else "pictures"
    yield (
        f"{_NUM_CLASSES} classes taught with {figures['num_pictures']} {what}",
        f"{figures['teach_s']:.1f} s; {figures['accuracy']:.0%} of {figures['num_validated']} set "
        f"aside right, from scratch {figures['scratch_accuracy']:.0%}",
    )
    yield (
        "the last block fine-tuned on them",
        f"{figures['tune_s']:.1f} s; {figures['tuned_accuracy']:.0%} right, the head alone "
        f"{figures['accuracy']:.0%}",
    )
