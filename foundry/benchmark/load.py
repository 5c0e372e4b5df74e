"""Many visitors at once, each checking its own answers, while a run trains.

They keep their sessions, as `gradio_client` and open pages do. What a call without one costs the
server is measured beside.
"""

import contextlib
import math
import os
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from foundry.benchmark.harness.processor_time import measure_processor_ms
from foundry.benchmark.harness.served_app import (
    PROJECT_DIR,
    OpenPage,
    ServedApp,
    Visitor,
    serve_app,
)
from foundry.data import load_test_split
from foundry.data.pictures import load_image
from foundry.digits import read_drawing
from foundry.errors import InputError
from foundry.models import load_model, load_pretrained
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.runs.queue import RunQueue
from foundry.sentiment import score_text, wrap_classifier
from foundry.speech import load_recogniser, transcribe
from foundry.speech.audio import open_audio
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, create_run, read_run

# How many of each come at once, and how long each looks at an answer before asking again.
VISITORS = {"classify_digit": 50, "score_sentiment": 20, "transcribe": 5}
_THINK_S = {"classify_digit": 2.0, "score_sentiment": 2.0, "transcribe": 2.0}
_CLIPS_DIR = PROJECT_DIR / "foundry" / "ui" / "clips"
_CLIPS = (_CLIPS_DIR / "digits.flac", _CLIPS_DIR / "commands.flac")
_TEXTS = [
    "A warm and funny film.",
    "An awful film, far too long and loud for its own good.",
    "The battery lasts two days and the screen is lovely.",
    "Two hours of shouting, and not one of the jokes lands.",
    "Not bad at all, though I would not cross town for it.",
]
_ALONE_S = 8.0
_SETTLED_S = 60.0
_WATCH_S = 0.5


@dataclass(frozen=True)
class _Task:
    """What one visitor asks for, again and again, and what has to come back."""

    api_name: str
    values: Callable[[Visitor], tuple[Any, ...]]
    expected: str
    read: Callable[[Any], str]


@dataclass
class _Tally:
    """What the visitors met; every visitor has one of its own until the end."""

    times_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    wrong_answers: int = 0

    def add(self, other: "_Tally") -> None:
        for name, times in other.times_s.items():
            self.times_s[name] += times
        self.errors += other.errors
        self.wrong_answers += other.wrong_answers


def _build_tasks(folder: Path) -> dict[str, list[_Task]]:
    """Prepare a task for each visitor, answered here first, one at a time."""
    lenet, test = load_model("lenet"), load_test_split()
    digits = []
    for place in range(VISITORS["classify_digit"]):
        path = folder / f"digit-{place}.png"
        Image.fromarray(255 - test.images[place].numpy()).resize((280, 280)).save(path)
        reading = read_drawing(lenet, load_image(path))
        assert reading is not None
        digits.append(_digit_task(path, str(reading.digit)))
    bert = load_pretrained("bert-sentiment", "sentiment")
    classifier = wrap_classifier(bert.model, bert.processor)
    texts = [_text_task(text, score_text(classifier, text).label) for text in _TEXTS]
    recogniser = load_recogniser("wav2vec2-commands")
    heard = {
        clip: transcribe(recogniser, open_audio(clip), recogniser.best_decoding).text
        for clip in _CLIPS
    }
    sounds = [_sound_task(clip, text) for clip, text in heard.items()]
    return {"classify_digit": digits, "score_sentiment": texts, "transcribe": sounds}


def _digit_task(path: Path, digit: str) -> _Task:
    return _Task("classify_digit", lambda v: (v.upload(path), "lenet", "dense"), digit, _label_of)


def _text_task(text: str, label: str) -> _Task:
    values = (text, "bert-sentiment", "dense")
    return _Task("score_sentiment", lambda _: values, label, _label_of)


def _sound_task(clip: Path, text: str) -> _Task:
    def values(visitor: Visitor) -> tuple[Any, ...]:
        return visitor.upload(clip), "wav2vec2-commands", "dense", ""

    return _Task("transcribe", values, text, lambda answer: answer["text"])


def _label_of(answer: Any) -> str:
    return answer["label"]


def _visit(url: str, task: _Task, think_s: float, gone: threading.Event, tally: _Tally) -> None:
    with Visitor(url) as visitor:
        values = task.values(visitor)
        while not gone.is_set():
            started = time.perf_counter()
            try:
                answer = visitor.call(task.api_name, *values)
                tally.times_s[task.api_name].append(time.perf_counter() - started)
                tally.wrong_answers += task.read(answer) != task.expected
            except (RuntimeError, httpx.HTTPError) as error:
                tally.errors[f"{task.api_name}: {type(error).__name__}: {error}"[:200]] += 1
            gone.wait(think_s)


class _Crowd:
    """Visitors at work in threads, until told to go."""

    def __init__(self, url: str, tasks: list[_Task], think_s: dict[str, float] | None) -> None:
        self._gone = threading.Event()
        self._tallies = [_Tally() for _ in tasks]
        self._threads = [
            threading.Thread(
                target=_visit,
                args=(url, task, think_s[task.api_name] if think_s else 0.0, self._gone, tally),
            )
            for task, tally in zip(tasks, self._tallies, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def leave(self) -> _Tally:
        """Send everybody home and return what they met."""
        self._gone.set()
        total = _Tally()
        for thread, tally in zip(self._threads, self._tallies, strict=True):
            thread.join()
            total.add(tally)
        return total


def _answers_per_s(app: ServedApp, task: _Task, num_visitors: int) -> float:
    """Return how many answers so many visitors get who never pause."""
    crowd = _Crowd(app.url, [task] * num_visitors, None)
    time.sleep(_ALONE_S)
    return len(crowd.leave().times_s[task.api_name]) / _ALONE_S


@contextlib.contextmanager
def _training(queue: RunQueue, speeds: list[float]) -> Iterator[None]:
    """Train as long as the block lasts; add the worker's own images/s to the list."""
    run_id = queue.start(create_run, TrainConfig(epochs=100), "benchmark", "cpu").run_id
    while not read_run(run_id).events:
        time.sleep(_WATCH_S)
    yield
    # It may have come to its end by itself.
    with contextlib.suppress(InputError):
        queue.stop(run_id)
    queue.wait(run_id)
    result = read_run(run_id).result
    if result is None:
        raise RuntimeError(f"The run did not finish: {read_run(run_id).reason}.")
    speeds.append(result["images_per_s"])


def _all_at_once(
    app: ServedApp, tasks: dict[str, list[_Task]], queue: RunQueue, seconds: float
) -> dict[str, Any]:
    speeds: list[float] = []
    with _training(queue, speeds):
        time.sleep(_ALONE_S)
    everybody = [
        task for name, number in VISITORS.items() for task in islice(cycle(tasks[name]), number)
    ]
    with _training(queue, speeds):
        crowd = _Crowd(app.url, everybody, _THINK_S)
        settled_s = min(_SETTLED_S, seconds / 2)
        time.sleep(settled_s)
        settled_mb = app.rss_mb
        time.sleep(seconds - settled_s)
        rss_mb = app.rss_mb
        tally = crowd.leave()
    return {
        "errors": tally.errors.total(),
        "error_messages": dict(tally.errors),
        "wrong_answers": tally.wrong_answers,
        "answers": {name: len(times) for name, times in tally.times_s.items()},
        "p50_ms": {n: 1000 * statistics.median(times) for n, times in tally.times_s.items()},
        "p95_ms": {n: 1000 * float(np.percentile(times, 95)) for n, times in tally.times_s.items()},
        "training_slowdown": 1 - speeds[1] / speeds[0],
        "rss_growth": rss_mb / settled_mb - 1,
        "rss_mb": rss_mb,
        "seconds": seconds,
        "visitors": VISITORS,
    }


def measure(seconds: float) -> dict[str, Any]:
    """Let everybody come for so many seconds; before that, each kind, and the run, alone.

    Args:
        seconds: How long all are there at once. The memory at the end is compared with that after
            a minute, or after half of a shorter time.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[RUNS_DIR_VARIABLE] = str(folder / "runs")
        tasks = _build_tasks(folder)
        with serve_app() as app:
            with OpenPage(app.url) as page:
                for event in page.find_events("load"):
                    page.fire(event, *[""] * len(event["inputs"]))
            app.wait_until_idle()
            processor_ms = measure_processor_ms(app, folder / "digit-0.png")
            throughput = {
                name: [
                    _answers_per_s(app, tasks[name][0], 1),
                    _answers_per_s(app, tasks[name][0], number),
                ]
                for name, number in VISITORS.items()
            }
            figures = _all_at_once(app, tasks, RunQueue([TRAININGS]), seconds)
    return figures | {"answers_per_s_of_one_and_all": throughput, "processor_ms": processor_ms}


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    rows = []
    for name, number in figures["visitors"].items():
        times = [figures[key].get(name, math.nan) for key in ("p50_ms", "p95_ms")]
        rates = figures["answers_per_s_of_one_and_all"][name]
        rows.append(
            f"{name:18}{number:>9}{figures['answers'].get(name, 0):>9}"
            f"{times[0]:>9.0f}{times[1]:>9.0f}{rates[0]:>12.1f}{rates[1]:>12.1f}"
        )
    return "\n".join(
        [
            f"{'':18}{'visitors':>9}{'answers':>9}{'p50 ms':>9}{'p95 ms':>9}"
            f"{'one alone/s':>12}{'all alone/s':>12}",
            *rows,
            f"{figures['seconds']:.0f} s, {figures['errors']} errors, "
            f"{figures['wrong_answers']} wrong answers; the run beside it slowed by "
            f"{figures['training_slowdown']:.0%}; memory "
            f"{figures['rss_mb']:.0f} MB, {figures['rss_growth']:+.1%}.",
            "Processor time of the server for an answer, when nobody else asks: "
            + ", ".join(f"{name} {ms:.0f} ms" for name, ms in figures["processor_ms"].items())
            + ".",
            *(f"{number} x {message}" for message, number in figures["error_messages"].items()),
        ]
    )
