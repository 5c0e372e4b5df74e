"""Removing what is too old by the clock, also where nobody comes any more."""

import logging
import threading
from collections.abc import Callable, Sequence

_EVERY_S = 3600.0

_logger = logging.getLogger(__name__)


def sweep_by_the_clock(
    steps: Sequence[Callable[[], None]], every_s: float = _EVERY_S
) -> threading.Event:
    """Take the steps again and again in the background, for as long as the server runs.

    Args:
        steps: Each removes old files of one kind; one that fails keeps no other from its work.
        every_s: Seconds before the first time, and between two.

    Returns:
        What ends it, once it is set.
    """
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(every_s):
            for step in steps:
                try:
                    step()
                except Exception:  # Else this thread would end, and nothing be removed any more.
                    _logger.warning("Old files could not be removed", exc_info=True)

    threading.Thread(target=sweep, name="sweep", daemon=True).start()
    return ended
