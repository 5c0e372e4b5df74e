"""How quickly drawings are read, and how well when they are not as tidy as MNIST."""

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize
from torch import nn
from tqdm import tqdm

from foundry.benchmark.harness.attacks import measure_attacks, report_attacks
from foundry.benchmark.harness.sheets import photograph_sheet
from foundry.data import Split, load_test_split
from foundry.data.pictures import load_image
from foundry.digits.ink import drawing_ink, find_ink
from foundry.digits.reading import read_ink, read_lines
from foundry.errors import InputError
from foundry.models import load_model
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, create_run, read_run

_NUM_IMAGES = 500
_PAD = 280
_NUM_SHEETS = 200


def _enlarge(image: np.ndarray, factor: float) -> np.ndarray:
    return ndimage.zoom(image.astype(np.float32) / 255, factor, order=1)


def _place(ink: np.ndarray, top: int, left: int) -> np.ndarray:
    page = np.zeros((_PAD, _PAD), dtype=np.float32)
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page


def _redraw(ink: np.ndarray, pen: float) -> np.ndarray:
    distance = ndimage.distance_transform_edt(~skeletonize(ink > 0.5))
    return np.clip(pen / 2 + 0.5 - distance, 0, 1)


# Test digits as visitors might draw them on the pad of 280 by 280.
_CONDITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as in MNIST": lambda image: _enlarge(image, 10),
    "small, in a corner": lambda image: _place(_enlarge(image, 3), 5, 190),
    "off-centre": lambda image: _place(_enlarge(image, 7), 70, 4),
    "thin pen": lambda image: _redraw(_enlarge(image, 10), 5),
    "thick pen": lambda image: _redraw(_enlarge(image, 10), 44),
}


def _draw(image: np.ndarray, redraw: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    return Image.fromarray((255 * (1 - redraw(image))).clip(0, 255).astype(np.uint8))


def _read(model: nn.Module, drawing: Image.Image) -> tuple[int | None, float]:
    """Return the digit, None for an empty pad, and the milliseconds it took."""
    started = time.perf_counter()
    reading = read_ink(model, drawing_ink(drawing))
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return (reading.digit if reading else None), elapsed_ms


@contextlib.contextmanager
def _training_run() -> Iterator[None]:
    """Keep a worker training as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[RUNS_DIR_VARIABLE] = folder
        queue = RunQueue([TRAININGS])
        run_id = queue.start(create_run, TrainConfig(epochs=100), "benchmark", "cpu").run_id
        while not read_run(run_id).events:
            time.sleep(0.2)
        yield
        queue.stop(run_id)
        queue.wait(run_id)


def _read_sheets(model: nn.Module, digits: Split) -> dict[str, Any]:
    """Count the digits on photographed sheets that are read where they are, and time them."""
    num_digits = num_errors = 0
    times_s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.png"
        for seed in tqdm(range(_NUM_SHEETS), desc="sheets"):
            sheet = photograph_sheet(digits, seed)
            sheet.image.save(path)
            started = time.process_time()
            try:
                lines = read_lines(model, find_ink(load_image(path)))
            except InputError:
                lines = []
            times_s.append(time.process_time() - started)
            read = ["".join(str(reading.digit) for reading in line) for line in lines]
            num_digits += sum(map(len, sheet.lines))
            # A digit in the wrong line is an error twice.
            wrong = jiwer.process_characters(" ".join(sheet.lines), " ".join(read))
            num_errors += wrong.substitutions + wrong.deletions + wrong.insertions
    return {
        "num_sheets": _NUM_SHEETS,
        "num_digits": num_digits,
        "accuracy": 1 - num_errors / num_digits,
        "p50_s": statistics.median(times_s),
    }


def measure() -> dict[str, Any]:
    """Read test digits redrawn in several ways, dark on light, with the shipped LeNet."""
    model, test = load_model("lenet"), load_test_split().head(_NUM_IMAGES)
    images, labels = test.images.numpy(), test.labels.tolist()
    times_ms: list[float] = []
    accuracy: dict[str, float] = {}
    for name, redraw in tqdm(_CONDITIONS.items(), desc="ways of drawing"):
        answers = [_read(model, _draw(image, redraw)) for image in images]
        times_ms += [elapsed_ms for _, elapsed_ms in answers]
        right = [digit == label for (digit, _), label in zip(answers, labels, strict=True)]
        accuracy[name] = sum(right) / len(right)
    drawings = [_draw(image, _CONDITIONS["as in MNIST"]) for image in images]
    with _training_run():
        busy_ms = [_read(model, drawing)[1] for drawing in tqdm(drawings, desc="while training")]
    return {
        "p50_ms": statistics.median(times_ms),
        "p95_ms": float(np.percentile(times_ms, 95)),
        "p95_ms_while_training": float(np.percentile(busy_ms, 95)),
        "accuracy": accuracy,
        "num_images": len(test),
        "attacks": measure_attacks(model),
        "sheets": _read_sheets(model, load_test_split()),
    }


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    rows = [f"{name:20}{share:>8.1%}" for name, share in figures["accuracy"].items()]
    return "\n".join(
        [
            f"From stroke to probabilities: p50 {figures['p50_ms']:.1f} ms, "
            f"p95 {figures['p95_ms']:.1f} ms; "
            f"while a run trains, p95 {figures['p95_ms_while_training']:.1f} ms.",
            f"Right of {figures['num_images']} test digits:",
            *rows,
            *report_attacks(figures["attacks"]),
            f"{'photographed sheets':20}{figures['sheets']['accuracy']:>8.1%} of "
            f"{figures['sheets']['num_digits']:,} digits on {figures['sheets']['num_sheets']}, "
            f"{figures['sheets']['p50_s']:.1f} s of the processor a sheet",
        ]
    )
