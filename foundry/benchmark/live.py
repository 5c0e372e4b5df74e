"""What watching costs: a run with a page open on it against the same run with nobody looking."""

import os
import statistics
import tempfile
import threading

from tqdm import tqdm

from foundry.benchmark.served_app import OpenPage, serve_app
from foundry.run_folders import RUNS_DIR_VARIABLE
from foundry.run_queue import RunQueue
from foundry.runs import read_run
from foundry.train_config import TrainConfig

_PAIRS = 3
_OWNER = "benchmark"


class _Page:
    """An open page as the server knows one: it asks for news of a run at the page's own pace."""

    def __init__(self, url: str, run_id: str) -> None:
        self._url, self._run_id = url, run_id
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        with OpenPage(self._url) as page:
            (tick,) = page.find_events("tick")
            while not self._closed.wait(page.property_of(tick, "value")):
                page.fire(tick, self._run_id, _OWNER, None)


def _train_once(queue: RunQueue, watched_at: str | None) -> float:
    """Train the Fast preset in a worker; return its images/s."""
    run = queue.start(TrainConfig(), _OWNER, "cpu")
    page = _Page(watched_at, run.run_id) if watched_at else None
    queue.wait(run.run_id)
    if page:
        page.close()
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
            queue = RunQueue()
            pairs = [
                (_train_once(queue, None), _train_once(queue, app.url))
                for _ in tqdm(range(_PAIRS), desc="with and without a page")
            ]
    return statistics.median(1 - watched / headless for headless, watched in pairs)
