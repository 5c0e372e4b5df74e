"""What a visitor's own data costs: reading a ZIP of pictures, and training on it beside MNIST."""

import io
import statistics
import tempfile
import time
import zipfile
from pathlib import Path

import psutil
from PIL import Image

from foundry.data import DataSet, load_mnist, load_test_split
from foundry.data.own.found import Found
from foundry.data.own.reading import read_data_set
from foundry.data.own.splitting import OwnData
from foundry.data.own.splitting import split as split_found
from foundry.training import TrainConfig, TrainState, train

_NUM_PICTURES = 10_000
_PICTURE_SIZE = 128
_ROUNDS = 5


def measure_own_data() -> dict[str, float]:
    """Measure both.

    Returns:
        `own_read_s` and `own_read_bytes`, of 10,000 JPEG files of 128x128 in a ZIP: the time until
        they are a data set, and the most memory beside what the process had before; `own_speed`,
        the images/s on a brought copy of MNIST as a share of those on MNIST, median of the rounds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.zip"
        _write_pictures(path)
        read_s, num_bytes = _measure_reading(path)
    return {"own_read_s": read_s, "own_read_bytes": num_bytes, "own_speed": _compare_speed()}


def _write_pictures(path: Path) -> None:
    digits = load_test_split()
    with zipfile.ZipFile(path, "w") as archive:
        pairs = zip(digits.images.numpy(), digits.labels.tolist(), strict=True)
        for number, (image, label) in enumerate(pairs):
            file = io.BytesIO()
            picture = Image.fromarray(image).resize((_PICTURE_SIZE, _PICTURE_SIZE))
            picture.convert("RGB").save(file, "JPEG")
            archive.writestr(f"{label}/{number}.jpg", file.getvalue())
    assert number + 1 == _NUM_PICTURES


def _measure_reading(path: Path) -> tuple[float, float]:
    process = psutil.Process()
    before = most = process.memory_info().rss
    started = time.perf_counter()
    for _ in read_data_set(path):
        most = max(most, process.memory_info().rss)
    elapsed_s = time.perf_counter() - started
    return elapsed_s, float(max(most, process.memory_info().rss) - before)


def _bring_mnist() -> OwnData:
    mnist = load_mnist()
    parts = {
        name: (part.images.numpy(), part.labels.numpy())
        for name, part in (("train", mnist.train), ("val", mnist.val), ("test", mnist.test))
    }
    return split_found(Found(parts, mnist.classes))


def _compare_speed() -> float:
    own = _bring_mnist().data
    ratios = []
    for number in range(_ROUNDS):
        # Each goes first in turns.
        order = [(True, own), (False, load_mnist())]
        speeds = {is_own: _train(data) for is_own, data in order[:: 1 if number % 2 else -1]}
        ratios.append(speeds[True] / speeds[False])
    return statistics.median(ratios)


def _train(data: DataSet) -> float:
    state = TrainState(TrainConfig(epochs=1))
    for _ in train(state, data):
        pass
    return state.images_per_s
