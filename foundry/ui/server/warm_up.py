"""Loading, once somebody has opened the page, what each tab's first answer would wait for."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

# The page that was opened is answered first; importing would hold up everything it asks for.
HEAD_START_S = 4.0

_logger = logging.getLogger(__name__)


class WarmUp:
    """One answer of every tab, computed in the background after the first call.

    Not at the start of the server: what transformers brings along doubles its memory, and a server
    that nobody visits does not need it.
    """

    def __init__(
        self, steps: Sequence[Callable[[], None]], head_start_s: float = HEAD_START_S
    ) -> None:
        """Plan the work.

        Args:
            steps: One for each tab, in the order of the page.
            head_start_s: For the page that was opened, before anything is loaded.
        """
        self._steps = steps
        self._head_start_s = head_start_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it was begun before; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; tells whether it has come."""
        if self._thread is None:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        time.sleep(self._head_start_s)
        for step in self._steps:
            try:
                step()
            except Exception:  # A tab whose files are damaged must not keep the next one cold.
                _logger.warning("Could not be loaded ahead", exc_info=True)
