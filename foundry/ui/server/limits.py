"""What one visitor may ask of everybody's machine, and who may come at all."""

import os
import threading
import time
from collections import defaultdict, deque
from typing import Any

from gradio.context import LocalContext

from foundry.errors import InputError
from foundry.models import available_models
from foundry.models.hub import is_here

AUTH_VARIABLE = "FOUNDRY_AUTH"
_MAX_KEYS = 10_000


class RateLimit:
    """So many times within so long, for each visitor."""

    def __init__(self, most: int, window_s: float, action: str) -> None:
        """Set the limit.

        Args:
            most: How often.
            window_s: Within how many seconds.
            action: What the visitor has done, such as `started 20 runs`.
        """
        self._most, self._window_s, self._action = most, window_s, action
        self._lock = threading.Lock()
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def count(self, visitor: str) -> None:
        """Count one more.

        Args:
            visitor: Their token or address.

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
                    f"You have {self._action} within {self._window_s / 60:.0f} minutes, the most "
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
    """Count a model against the downloads of its visitor's address, unless it is here already.

    Args:
        name: As `load_pretrained()` takes it.
        task: `photos`, `sentiment` or `speech`.

    Raises:
        InputError: If the visitor had too many downloaded.
    """
    shipped = {spec.name for spec in available_models(task)}
    if isinstance(name, str) and name.strip() not in shipped and not is_here(name.strip()):
        request: Any = LocalContext.request.get(None)
        # A session ends with a reload of the page, and who would have many has many.
        client = getattr(request, "client", None)
        _DOWNLOADS.count(str(getattr(client, "host", None)))


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
