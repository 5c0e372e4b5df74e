"""What the page says about a run of any kind: where it stands, in words."""

from typing import NamedTuple

from foundry.errors import counted
from foundry.runs.folders import AnyRun

# Of a run that is under way its own kind says what it does.
STATES = {
    "queued": "Waiting",
    "paused": "Paused",
    "stopped": "Stopped",
    "done": "Done",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


class Seen(NamedTuple):
    """What a page shows of a run.

    Attributes:
        run_id: Which run that is: what was asked of the one before may be answered later.
        status: Its status.
        num_events: How many of its events.
    """

    run_id: str
    status: str
    num_events: int


def see(run: AnyRun) -> Seen:
    """Return what a page shows that shows a run as it is."""
    return Seen(run.run_id, run.status, len(run.events))


def is_known(run: AnyRun, seen: Seen | None) -> bool:
    """Return whether a page shows a run as it is.

    Args:
        run: The run.
        seen: What the page shows.
    """
    # While it waits nothing is written, but those before it end.
    return run.status != "queued" and seen == see(run)


def place_in_line(runs_ahead: int) -> str:
    """Return what somebody is told whose run waits."""
    return f"{counted(runs_ahead, 'run')} before this one; it starts by itself."


def format_duration(seconds: float) -> str:
    """Return a time in words: 12 s, 3 min 20 s."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def format_elapsed(seconds: float) -> str:
    """Return how long something took that may be short: 3.5 s, 12 s, 3 min 20 s."""
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)
