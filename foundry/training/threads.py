"""Threads of one core each, among which work in parts is dealt out."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


class Threads:
    """A few threads that take one part after another, each computing it alone.

    PyTorch's own threads share every operator and meet after each, a hundred times a step: when
    one is kept from its core, all wait. These meet once a step. And as a part is computed by one
    thread, whichever it is, no number depends on how many there are.
    """

    def __init__(self, num_parts: int, device: torch.device) -> None:
        """Start as many as PyTorch may use, but no more than there are parts.

        Args:
            num_parts: As many as there will ever be to deal out at once.
            device: Where the work is done; on another than the CPU its caller does it alone.
        """
        self._pool: ThreadPoolExecutor | None = None
        if device.type != "cpu":
            return
        before = torch.get_num_threads()
        num_threads = min(num_parts, before)
        ready = threading.Barrier(num_threads + 1)

        def begin() -> None:
            # The first question makes a thread take over what is set for all; only then may it
            # have a number of its own.
            torch.get_num_threads()
            torch.set_num_threads(1)
            ready.wait()

        self._pool = ThreadPoolExecutor(num_threads, "part", begin)
        for _ in range(num_threads):
            self._pool.submit(int)
        ready.wait()
        # What a thread sets for itself, PyTorch also remembers for those that begin later.
        torch.set_num_threads(before)

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
        """Return what a function makes of each part, in their order."""
        return list(self._pool.map(function, parts) if self._pool else map(function, parts))

    def run(self, function: Callable[[], Result]) -> Result:
        """Return what a function gives on one of the threads."""
        return self._pool.submit(function).result() if self._pool else function()

    def __enter__(self) -> "Threads":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown()
