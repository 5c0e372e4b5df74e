"""A search as a stream of events: `for event in search(config, folder): ...`."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from foundry.runs.cluster import ray_session
from foundry.runs.data_sets import MNIST, load_data
from foundry.search.config import SearchConfig, SearchEvent
from foundry.search.runs import STOP_FILE, read_search_events

_POLL_S = 0.2
_SETTINGS = {
    # We keep a log of our own, and print what is worth reading.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    # A process that is killed loses no more than this.
    "TUNE_GLOBAL_CHECKPOINT_S": "1",
}


def search(config: SearchConfig, folder: Path, address: str | None = None) -> Iterator[SearchEvent]:
    """Search for good settings; whoever leaves the loop early ends it and keeps what there is.

    Args:
        config: What is to be searched.
        folder: Of the search; if a killed one left it, that is gone on with.
        address: Of a Ray cluster, as `ray_session()` takes it; None for this machine.

    Yields:
        A `SearchEvent` whenever a trial has moved.

    Raises:
        InputError: If Ray is not installed, or there is no cluster at the address.
        ArtifactError: If what a killed search left is damaged, or another version's, or the data
            set is gone that somebody brought.
    """
    started = time.monotonic()
    if config.dataset != MNIST:
        # Else every trial would find out by itself.
        load_data(config.dataset)
    folder.mkdir(parents=True, exist_ok=True)
    told_to_stop = folder / STOP_FILE
    told_to_stop.unlink(missing_ok=True)
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    with ray_session("Search", address), ThreadPoolExecutor(1) as pool:
        from foundry.search.tune import build_tuner

        seen = len(read_search_events(folder))
        tuner = build_tuner(config, folder, time.monotonic() - started)
        fitting = pool.submit(tuner.fit)
        try:
            is_over = False
            while not is_over:
                is_over = fitting.done()
                events = read_search_events(folder)
                yield from events[seen:]
                seen = len(events)
                time.sleep(0 if is_over else _POLL_S)
            fitting.result()
        finally:
            told_to_stop.touch()
