"""What one visitor may ask of everybody's machine, and who may come at all."""

import logging
import os
import threading
import time
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from gradio.context import LocalContext
from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundry.cleaning import remove_old_uploads
from foundry.errors import InputError
from foundry.hub import is_here
from foundry.models import available_models

AUTH_VARIABLE = "FOUNDRY_AUTH"
_MAX_KEYS = 10_000

_logger = logging.getLogger(__name__)


class RateLimit:
    """So many times within so long, for each visitor."""

    def __init__(self, most: int, window_s: float, deed: str) -> None:
        """Set the limit.

        Args:
            most: How often.
            window_s: Within how many seconds.
            deed: What the visitor has done, such as `started 20 runs`.
        """
        self._most, self._window_s, self._deed = most, window_s, deed
        self._lock = threading.Lock()
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def count(self, visitor: str) -> None:
        """Count one more.

        Args:
            visitor: Their token or session.

        Raises:
            InputError: If that is one too many; it is not counted.
        """
        # Not the time of day, which may jump.
        now = time.monotonic()
        with self._lock:
            times = self._times[str(visitor)]
            while times and now - times[0] > self._window_s:
                times.popleft()
            if len(times) >= self._most:
                wait_min = max(1, round((self._window_s - (now - times[0])) / 60))
                raise InputError(
                    f"You have {self._deed} within {self._window_s / 60:.0f} minutes, the most "
                    f"that one visitor can; try again in {wait_min} min."
                )
            times.append(now)
            if len(self._times) > _MAX_KEYS:
                self._forget(now)

    def _forget(self, now: float) -> None:
        old = [key for key, times in self._times.items() if now - times[-1] > self._window_s]
        for key in old:
            del self._times[key]


TRAINING_STARTS = RateLimit(20, 600.0, "started 20 runs")
_DOWNLOADS = RateLimit(3, 3600.0, "had 3 models downloaded")


def count_download(name: str, task: str) -> None:
    """Count a model against its visitor's downloads, unless it is here already.

    Args:
        name: As `load_pretrained()` takes it.
        task: `sentiment` or `speech`.

    Raises:
        InputError: If the visitor had too many downloaded.
    """
    shipped = {spec.name for spec in available_models(task)}
    if isinstance(name, str) and name.strip() not in shipped and not is_here(name.strip()):
        request: Any = LocalContext.request.get(None)
        _DOWNLOADS.count(str(getattr(request, "session_hash", None)))


def read_accounts() -> list[tuple[str, str]] | None:
    """Return the (user, password) pairs of `FOUNDRY_AUTH`, None if everybody may come.

    Raises:
        InputError: If the variable is not of the form `user:password,user:password`.
    """
    text = os.environ.get(AUTH_VARIABLE, "")
    if not text:
        return None
    pairs = [entry.partition(":") for entry in text.split(",")]
    if not all(user and password for user, _, password in pairs):
        raise InputError(f"{AUTH_VARIABLE} has to be of the form user:password,user:password.")
    return [(user, password) for user, _, password in pairs]


class RoomForUploads:
    """Middleware: before another file comes, the oldest go if all together are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and "/upload" in scope["path"]:
            try:
                await run_in_threadpool(remove_old_uploads, Path(get_upload_folder()))
            except OSError:
                # One that another request has just removed; what is too much goes next time.
                _logger.info("Old uploads could not be removed", exc_info=True)
        await self._app(scope, receive, send)


class SafeAnswers:
    """Middleware: addresses with control characters are refused, before anything trips over them.

    A browser is told to take every answer for what it says it is, and to tell nobody of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not str(scope["path"]).isprintable():
            await PlainTextResponse("This is no address.", 400)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        await self._app(scope, receive, send_safely)
