"""What watching costs: a run with a page open on it against the same run with nobody looking."""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
from tqdm import tqdm

from foundry.run_queue import RunQueue
from foundry.runs import RUNS_DIR_VARIABLE, read_run
from foundry.train_config import TrainConfig

_PROJECT_DIR = Path(__file__).parent.parent.parent
_PAIRS = 3
_OWNER = "benchmark"
_START_S = 120.0


@contextlib.contextmanager
def _served_app() -> Iterator[str]:
    """Run the app in a process of its own; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    app = subprocess.Popen(command, cwd=_PROJECT_DIR, stdout=subprocess.DEVNULL)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _START_S
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/config", timeout=10).raise_for_status()
                break
            if time.monotonic() > deadline or app.poll() is not None:
                raise RuntimeError("The app did not start; run `python app.py` to see why.")
            time.sleep(0.2)
        yield url
    finally:
        app.terminate()
        app.wait()


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
        session = {"session_hash": uuid.uuid4().hex}
        with httpx.Client(base_url=self._url, timeout=60) as client:
            config = client.get("/config").json()
            tick = next(
                event
                for event in config["dependencies"]
                if any(name == "tick" for _, name in event["targets"])
            )
            timer = next(c for c in config["components"] if c["id"] == tick["targets"][0][0])
            request = {"data": [self._run_id, _OWNER, None], "fn_index": tick["id"], **session}
            while not self._closed.wait(timer["props"]["value"]):
                client.post("/gradio_api/queue/join", json=request).raise_for_status()
                with client.stream("GET", "/gradio_api/queue/data", params=session) as news:
                    for line in news.iter_lines():
                        message = json.loads(line[5:]) if line else {}
                        if message.get("msg") == "process_completed":
                            assert message["success"], message
                            break


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
        with _served_app() as url:
            queue = RunQueue()
            pairs = [
                (_train_once(queue, None), _train_once(queue, url))
                for _ in tqdm(range(_PAIRS), desc="with and without a page")
            ]
    return statistics.median(1 - watched / headless for headless, watched in pairs)
