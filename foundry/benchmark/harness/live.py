"""What watching costs a run, against nobody looking, and how soon a run can be replayed."""

import base64
import io
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from PIL import Image, ImageDraw
from tqdm import tqdm

from foundry.benchmark.harness.served_app import OpenPage, serve_app
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, create_run, read_run
from foundry.ui.components.pad import SIZE
from foundry.ui.draw.tab import warm_up as warm_up_draw
from foundry.ui.train.inspection.replay import on_replay
from foundry.ui.train.inspection.replay import warm_up as warm_up_replay

_PAIRS = 3
_OWNER = "benchmark"
# The status line that the Train tab's clock brings up to date.
_STATUS = "train-status"


class Onlooker:
    """An open page as the server knows one: it asks for news of a run at the page's own pace.

    Attributes:
        num_asked: How often it has.
    """

    def __init__(self, url: str, run_id: str, owner: str) -> None:
        """Begin to look.

        Args:
            url: The app's.
            run_id: The run.
            owner: Its visitor's token.
        """
        self.num_asked = 0
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._watching = self._pool.submit(self._watch, url, run_id, owner)

    def close(self) -> None:
        """Stop asking.

        Raises:
            RuntimeError: If the server did not answer.
        """
        self._closed.set()
        self._pool.shutdown()
        self._watching.result()

    def _watch(self, url: str, run_id: str, owner: str) -> None:
        with OpenPage(url) as page:
            # The other tabs' clocks stand still while there is nothing of theirs to see.
            (tick,) = (
                event
                for event in page.find_events("tick")
                if any(page.components[i].get("elem_id") == _STATUS for i in event["outputs"])
            )
            while not self._closed.wait(page.property_of(tick, "value")):
                page.fire(tick, run_id, owner, None)
                self.num_asked += 1


def _train_once(queue: RunQueue, watched_at: str | None) -> float:
    """Train the Fast preset in a worker; return its images/s."""
    run = queue.start(create_run, TrainConfig(), _OWNER, "cpu")
    onlooker = Onlooker(watched_at, run.run_id, _OWNER) if watched_at else None
    queue.wait(run.run_id)
    if onlooker:
        onlooker.close()
        if not onlooker.num_asked:
            raise RuntimeError("Nobody looked at the run.")
    result = read_run(run.run_id).result
    if result is None:
        raise RuntimeError(f"The run did not finish: {read_run(run.run_id).reason}.")
    return result["images_per_s"]


def measure_live_overhead() -> float:
    """Return the share of training speed that one open page costs the run, 0.05 for 5%.

    The server runs all the time; the same run is trained with and without a page open on it, in
    turn. The median of the pairs.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ[RUNS_DIR_VARIABLE] = folder
        with serve_app() as app:
            queue = RunQueue([TRAININGS])
            pairs = [
                (_train_once(queue, None), _train_once(queue, app.url))
                for _ in tqdm(range(_PAIRS), desc="with and without a page")
            ]
    return statistics.median(1 - watched / headless for headless, watched in pairs)


def measure_replay() -> tuple[float, float]:
    """Measure how soon a page that opens a finished run of the Fast preset can replay it.

    Returns:
        Seconds until the moment in sight is there, and until all of them are.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ[RUNS_DIR_VARIABLE] = folder
        queue = RunQueue([TRAININGS])
        run = queue.start(create_run, TrainConfig(), _OWNER, "cpu")
        queue.wait(run.run_id)
        # As the server does, in the order of the tabs, once somebody has opened its page.
        warm_up_replay()
        warm_up_draw("cpu")
        asked = SimpleNamespace(run=run.run_id, step=0, drawing=_draw_one())
        started = time.perf_counter()
        arrived_s = [time.perf_counter() - started for _ in on_replay(_OWNER, asked)]
    return arrived_s[0], arrived_s[-1]


def _draw_one() -> str:
    """Return a 1 as the pad sends it."""
    drawing, file = Image.new("L", (SIZE, SIZE), 255), io.BytesIO()
    ImageDraw.Draw(drawing).line([(140, 60), (140, 220)], fill=0, width=22)
    drawing.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
