"""Queues for work that keeps every core busy; visitors are told how many are before them."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foundry.errors import InputError, counted

_NUM_REMEMBERED = 10
_GUESS_S = 10.0
# Job id -> set when its visitor has pressed Cancel.
_cancelled: dict[str, threading.Event] = {}


@contextmanager
def begin_job() -> Iterator[tuple[str, threading.Event]]:
    """Give work an id by which it can be cancelled until the block ends.

    Yields:
        The id, which nobody can guess, and what is set when the work is to end.
    """
    job = secrets.token_hex(8)
    try:
        yield job, _cancelled.setdefault(job, threading.Event())
    finally:
        _cancelled.pop(job, None)


def on_cancel(job: str) -> None:
    """Ask work to end as soon as it can; one that has ended is left alone.

    Args:
        job: Its id.
    """
    if job in _cancelled:
        _cancelled[job].set()


class Ticket:
    """A place in a queue, given back at the end of a `with` block."""

    def __init__(self, queue: "WaitingQueue") -> None:
        self._queue = queue
        self._called = threading.Event()
        self._called_at = 0.0

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.leave(self)

    @property
    def num_ahead(self) -> int:
        """How many came before this one and have not gone yet; 0 once its turn has come."""
        return self._queue.num_ahead(self)

    def describe(self) -> str:
        """Return what its visitor is told while it waits."""
        return self._queue.describe(self)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the turn; tells whether it has come."""
        return self._called.wait(timeout_s)

    def call(self) -> None:
        """Say that it is this one's turn."""
        self._called_at = time.monotonic()
        self._called.set()

    @property
    def used_s(self) -> float | None:
        """Seconds since the turn came, None before."""
        return time.monotonic() - self._called_at if self._called.is_set() else None


class WaitingQueue:
    """Lets a few in at once, keeps some waiting, and turns the others away with an estimate.

    Gradio's own queue makes a visitor wait without a word however many there are.
    """

    def __init__(self, noun: str, at_once: int, most_waiting: int) -> None:
        """Open the queue.

        Args:
            noun: What waits in it, such as `recording`.
            at_once: How many are let in.
            most_waiting: How many may wait.
        """
        self._noun, self._at_once, self._most_waiting = noun, at_once, most_waiting
        self._lock = threading.Lock()
        self._inside: set[Ticket] = set()
        self._waiting: deque[Ticket] = deque()
        self._durations_s: deque[float] = deque([_GUESS_S], maxlen=_NUM_REMEMBERED)

    def join(self) -> Ticket:
        """Take a place.

        Raises:
            InputError: If too many wait already; the message estimates for how long.
        """
        ticket = Ticket(self)
        with self._lock:
            if len(self._inside) < self._at_once:
                self._let_in(ticket)
            elif len(self._waiting) < self._most_waiting:
                self._waiting.append(ticket)
            else:
                there = counted(len(self._waiting), self._noun)
                usual_s = sum(self._durations_s) / len(self._durations_s)
                wait_s = usual_s * (len(self._waiting) + 1) / self._at_once
                raise InputError(
                    f"The queue is full, with {there} waiting; try again in about {wait_s:.0f} s."
                )
        return ticket

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn, and have it as long as the block lasts.

        Raises:
            InputError: As `join()` does.
        """
        with self.join() as ticket:
            ticket.wait()
            yield

    def num_ahead(self, ticket: Ticket) -> int:
        """Return how many came before this one and have not gone yet."""
        with self._lock:
            if ticket not in self._waiting:
                return 0
            return len(self._inside) + self._waiting.index(ticket)

    def describe(self, ticket: Ticket) -> str:
        """Return how many are before this one, in a sentence."""
        num_ahead = self.num_ahead(ticket)
        return f"{counted(num_ahead, self._noun)} before yours." if num_ahead else "Yours is next."

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket back; a second time changes nothing."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if ticket not in self._inside:
                return
            self._inside.remove(ticket)
            self._durations_s.append(ticket.used_s or 0.0)
            if self._waiting:
                self._let_in(self._waiting.popleft())

    def _let_in(self, ticket: Ticket) -> None:
        self._inside.add(ticket)
        ticket.call()


# Each uses all cores while it works: more at once would only make all of them slower.
RECORDINGS = WaitingQueue("recording", at_once=2, most_waiting=10)
# One set at a time, so that a recording alone need not wait for two.
RECORDING_SETS = WaitingQueue("recording set", at_once=1, most_waiting=10)
TABLES = WaitingQueue("table", at_once=2, most_waiting=10)
EXPLANATIONS = WaitingQueue("text", at_once=2, most_waiting=20)
DATA_SETS = WaitingQueue("file", at_once=1, most_waiting=10)
PHOTO_SETS = WaitingQueue("photo set", at_once=2, most_waiting=10)
LESSONS = WaitingQueue("lesson", at_once=1, most_waiting=10)
ATTACKS = WaitingQueue("measurement", at_once=1, most_waiting=10)
# One at a time: two would time each other.
MEASUREMENTS = WaitingQueue("measurement", at_once=1, most_waiting=5)
# Gradio lets all of them in, and a few more to be turned away; its threads have to be enough.
OWN_QUEUE: dict[str, Any] = {"concurrency_limit": None}
# All of these queues full take 108 of them, and programs that follow their runs some more.
NUM_THREADS = 200
