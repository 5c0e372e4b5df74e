"""The app in a process of its own, and visitors: programs with its endpoints, and open pages."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from foundry.ui.server.warm_up import HEAD_START_S

PROJECT_DIR = Path(__file__).parents[3]
_START_S = 120.0
_ANSWER_S = 300.0
_POLL_S = 0.05
# A server that used less than this share of a core for as long has nothing left to do: longer than
# it waits after the first page before it loads the rest.
_IDLE_SHARE, _IDLE_S = 0.05, HEAD_START_S + 1.0


@dataclass(frozen=True)
class ServedApp:
    """A running app.

    Attributes:
        url: Its address.
        process: It itself.
        started: When the process was started, by `time.perf_counter()`.
        page_s: Seconds from then to the first answer to a request for the page.
    """

    url: str
    process: psutil.Process
    started: float
    page_s: float

    @property
    def rss_mb(self) -> float:
        """Resident memory in megabytes; workers are not counted."""
        return self.process.memory_info().rss / 1e6

    @property
    def cpu_s(self) -> float:
        """Processor time in seconds since the start; workers are not counted."""
        times = self.process.cpu_times()
        return times.user + times.system

    def wait_until_idle(self) -> float:
        """Wait for the end of what goes on in the background; return the seconds it went on."""
        started, num_busy = time.perf_counter(), 0
        while self.process.cpu_percent(_IDLE_S) > 100 * _IDLE_SHARE:
            num_busy += 1
        return time.perf_counter() - started - _IDLE_S if num_busy else 0.0


@contextlib.contextmanager
def serve_app(**environment: str) -> Iterator[ServedApp]:
    """Run the app on a free port of this machine as long as the block lasts.

    Args:
        environment: Variables to set beside this process's own.

    Raises:
        RuntimeError: If it does not answer within two minutes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, started = f"http://127.0.0.1:{port}", time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)],
        cwd=PROJECT_DIR,
        stdout=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(url, timeout=_START_S).raise_for_status()
                break
            if time.perf_counter() - started > _START_S or app.poll() is not None:
                raise RuntimeError("The app did not start; run `python app.py` to see why.")
            time.sleep(_POLL_S)
        page_s = time.perf_counter() - started
        yield ServedApp(url, psutil.Process(app.pid), started, page_s)
    finally:
        app.terminate()
        app.wait()


class Visitor:
    """A program that uses the named endpoints; close it after use."""

    def __init__(self, url: str, keeps_session: bool = True) -> None:
        """Come to an app.

        Args:
            url: The app's.
            keeps_session: Whether all calls are of one session, as those of `gradio_client` are;
                else each is one of its own, as when curl makes them.
        """
        self._client = httpx.Client(base_url=f"{url}/gradio_api", timeout=_ANSWER_S)
        self._session = {"session_hash": uuid.uuid4().hex} if keeps_session else {}

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def upload(self, path: Path) -> dict[str, Any]:
        """Send a file; returns what stands for it in a call."""
        with path.open("rb") as file:
            answer = self._client.post("/upload", files={"files": (path.name, file)})
        (uploaded,) = answer.raise_for_status().json()
        return {"path": uploaded, "meta": {"_type": "gradio.FileData"}}

    def call(self, api_name: str, *values: Any) -> Any:
        """Call an endpoint and wait for its last answer.

        Args:
            api_name: Without a slash.
            values: Its parameters, in order.

        Raises:
            RuntimeError: If the server answers with an error; the message has its sentence.
        """
        request = {"data": values, **self._session}
        joined = self._client.post(f"/call/{api_name}", json=request).raise_for_status()
        event_id, event, answer = joined.json()["event_id"], "", None
        with self._client.stream("GET", f"/call/{api_name}/{event_id}") as stream:
            for line in stream.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    event = value
                elif field == "data" and event == "error":
                    raise RuntimeError(f"{api_name}: {value}")
                elif field == "data" and event in ("generating", "complete"):
                    answer = json.loads(value) or answer
        return answer[0] if answer else None


class OpenPage:
    """A page as the server knows one: a session whose events wait in Gradio's queue.

    Attributes:
        events: As the page's config has them.
        components: Their properties, by id.
        kinds: Their types, by id.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_ANSWER_S)
        self._session = {"session_hash": uuid.uuid4().hex}
        config = self._client.get("/config").raise_for_status().json()
        self.events: list[dict[str, Any]] = config["dependencies"]
        self.components = {each["id"]: each["props"] for each in config["components"]}
        self.kinds = {each["id"]: each["type"] for each in config["components"]}

    def __enter__(self) -> "OpenPage":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def find_events(self, trigger: str) -> list[dict[str, Any]]:
        """Return the events of a kind, such as `load` or `tick`, as the page's config has them."""
        return [
            event for event in self.events if any(name == trigger for _, name in event["targets"])
        ]

    def find_event_of(self, elem_id: str, trigger: str) -> dict[str, Any]:
        """Return the first event of a kind that a component has."""
        return next(
            event
            for event in self.events
            for component, name in event["targets"]
            if name == trigger and self.components[component].get("elem_id") == elem_id
        )

    def property_of(self, event: dict[str, Any], name: str) -> Any:
        """Return a property of the component that an event belongs to."""
        return self.components[event["targets"][0][0]][name]

    def fire(self, event: dict[str, Any], *values: Any) -> None:
        """Trigger an event and wait for its end.

        Args:
            event: One of `events`.
            values: What its inputs hold.

        Raises:
            RuntimeError: If it fails.
        """
        *_, last = self.follow(event, *values)
        if not last["success"]:
            raise RuntimeError(f"An event failed: {last['output']}")

    def follow(self, event: dict[str, Any], *values: Any) -> Iterator[dict[str, Any]]:
        """Trigger an event; yield what the server says about it until its end.

        Args:
            event: One of `events`.
            values: What its inputs hold.
        """
        request = json.dumps({"data": values, "fn_index": event["id"], **self._session})
        headers = {"Content-Type": "application/json"}
        joined = self._client.post("/gradio_api/queue/join", content=request, headers=headers)
        joined.raise_for_status()
        with self._client.stream("GET", "/gradio_api/queue/data", params=self._session) as news:
            for line in news.iter_lines():
                message = json.loads(line[5:]) if line else {}
                yield message
                if message.get("msg") == "process_completed":
                    return
