"""Searching for good settings with Ray Tune, as a stream of events.

Begin in `stream.py`. `config` says what may be tried, `tune` what Ray does in its own processes.
`runs` and `worker` are as in `training`. `python -m foundry.search` is the command line.
"""

from foundry.search.config import SearchConfig, SearchEvent
from foundry.search.stream import search

__all__ = [
    "SearchConfig",
    "SearchEvent",
    "search",
]
