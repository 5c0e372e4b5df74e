"""One run at a time: the server's queue of runs of every kind, and the worker at work.

They share one line because a machine that trains has no time left to measure with.
"""

import logging
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from filelock import FileLock, Timeout

from foundry.errors import ArtifactError, InputError
from foundry.runs import cleaning
from foundry.runs.drawings import remove_old_collections
from foundry.runs.folders import (
    ACTIVE,
    LOG_FILE,
    Status,
    read_status,
    whole_or_gone,
    write_status,
)
from foundry.runs.standby import Standby, start_worker
from foundry.runs.store import RunStore

_EXIT_S = 30.0
# Longer lines are no use to those who stand in them.
MAX_WAITING = 20
_NUM_REMEMBERED = 10
_GUESS_S = 30.0

_logger = logging.getLogger(__name__)


class Job(Protocol):
    """What the queue has to know of a run, be it a training, a compression or a search."""

    @property
    def run_id(self) -> str:
        """Names it in the queue."""

    @property
    def folder(self) -> Path:
        """Where its files are."""

    @property
    def status(self) -> Status:
        """Where it stood when it was read."""

    @property
    def is_resumable(self) -> bool:
        """Whether going on with it was of use."""

    @property
    def worker(self) -> str:
        """The module of the process that takes it to its end."""


J = TypeVar("J", bound=Job)
P = ParamSpec("P")


class RunQueue:
    """Starts a worker for the first run in line, waits for it, starts the next.

    A run in the queue is held by a lock file that dies with this process; that is how another
    server, or this one started again, knows that nobody looks after the run any more.
    """

    def __init__(self, stores: Sequence[RunStore[Any]]) -> None:
        """Mark the runs that a dead server left behind, then wait for work.

        Args:
            stores: One for each kind of run, to look after and to keep within bounds.
        """
        self.stores = stores
        self._waiting: deque[str] = deque()
        self._jobs: dict[str, Job] = {}
        self._orders: dict[str, str] = {}
        self._locks: dict[str, FileLock] = {}
        self._worker: subprocess.Popen[str] | None = None
        self._standby = Standby()
        self._running: str | None = None
        self._changed = threading.Condition()
        # How long the last runs took.
        self._durations_s: deque[float] = deque(maxlen=_NUM_REMEMBERED)
        self.mark_abandoned()
        self.make_room()
        threading.Thread(target=self._work, name="run-queue", daemon=True).start()

    def stand_by(self, module: str) -> None:
        """Keep a worker ready, so that its next run begins without loading anything first.

        Args:
            module: As `Job.worker`; without an argument it loads what it needs, then waits for a
                run's id on its standard input.
        """
        with self._changed:
            self._standby.module = module
            if not self._running:
                self._standby.renew()

    def start(self, create: Callable[P, J], *args: P.args, **kwargs: P.kwargs) -> J:
        """Make a run of any kind and put it at the end of the queue.

        Args:
            create: Makes its folder, such as `create_run`; called with the other arguments.
            args: The run's settings, its owner's token and what else `create` takes.
            kwargs: The same, by name.

        Raises:
            InputError: If too many wait already (the message estimates how long to stay away), or
                as `create` does.
            ArtifactError: If the runs folder cannot be written.
        """
        # Before its folder is made: nothing is to be left of one that is turned away.
        self._check_room()
        run = create(*args, **kwargs)
        with whole_or_gone(run.folder):
            self.submit(run)
        return run

    def submit(self, run: Job, order: str = "") -> None:
        """Put a new or a resumable run at the end of the queue.

        Args:
            run: The run.
            order: What its worker is told beside its id; empty to take it to its end.

        Raises:
            InputError: If it is finished, or queued already, or too many wait.
            ArtifactError: If its folder cannot be written; it stays as it is.
        """
        self._check_room()
        with self._changed:
            if run.is_resumable:
                # Its worker has said so, but may still be on its way out.
                self._changed.wait_for(lambda: run.run_id not in self._locks, _EXIT_S)
            if run.run_id in self._locks or not (run.is_resumable or run.status == "queued"):
                raise InputError(f"This run is {run.status}; it cannot be started again.")
            self._locks[run.run_id] = FileLock(run.folder / "queue.lock")
            try:
                self._locks[run.run_id].acquire(timeout=0)
                write_status(run.folder, "queued")
            except Timeout:
                del self._locks[run.run_id]
                raise InputError("Another server looks after this run.") from None
            except OSError as error:
                self._locks.pop(run.run_id).release()
                raise _cannot_write(error) from None
            self._jobs[run.run_id], self._orders[run.run_id] = run, order
            self._waiting.append(run.run_id)
            self._changed.notify_all()

    def _check_room(self) -> None:
        with self._changed:
            if len(self._waiting) < MAX_WAITING:
                return
            usual_s = sum(self._durations_s) / len(self._durations_s or [0]) or _GUESS_S
        minutes = max(1, round(usual_s / 60))
        raise InputError(
            f"{MAX_WAITING} runs are waiting already, the most there can be. "
            f"A place should be free in about {minutes} min; try again then."
        )

    def position(self, run_id: str) -> int:
        """Return how many runs are before this one, 0 if it is running or not queued."""
        with self._changed:
            if run_id not in self._waiting:
                return 0
            return self._waiting.index(run_id) + (self._running is not None)

    def pause(self, run_id: str) -> None:
        """Save and free the worker; `submit()` goes on from there."""
        self._tell(run_id, "pause")

    def stop(self, run_id: str) -> None:
        """End a run, keeping the best weights so far."""
        self._tell(run_id, "stop")

    def wait(self, run_id: str, timeout_s: float | None = None) -> None:
        """Block until a run has left the queue."""
        with self._changed:
            self._changed.wait_for(lambda: run_id not in self._locks, timeout_s)

    def _tell(self, run_id: str, command: str) -> None:
        with self._changed:
            if run_id in self._waiting:
                job = self._jobs[run_id]
                # One that went on has no end yet: its worker would write that.
                waits = command == "pause" or job.is_resumable
                status: Status = "paused" if waits else "stopped"
                try:
                    write_status(job.folder, status)
                except OSError as error:
                    raise _cannot_write(error) from None
                self._waiting.remove(run_id)
                self._release(run_id)
                return
            if run_id == self._running and self._worker and self._worker.stdin:
                try:
                    self._worker.stdin.write(command + "\n")
                    self._worker.stdin.flush()
                except OSError:
                    # It ended by itself just now; its status says how.
                    return
                return
        raise InputError("This run is not under way, so there is nothing to do.")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                run_id = self._running = self._waiting.popleft()
                job = self._jobs[run_id]
                self._worker = self._start_worker(job)
            if self._worker:
                started = time.monotonic()
                self._note_end(job, _explain_exit(self._worker.wait()))
                self._durations_s.append(time.monotonic() - started)
                self.make_room()
            with self._changed:
                self._running = self._worker = None
                self._release(run_id)
                # While others wait, loading would disturb what they measure.
                if not self._waiting:
                    self._standby.renew()

    def _start_worker(self, job: Job) -> subprocess.Popen[str] | None:
        arguments = [job.run_id, *filter(None, [self._orders[job.run_id]])]
        if worker := self._standby.take(job.worker, *arguments):
            return worker
        try:
            with open(job.folder / LOG_FILE, "a") as log:
                return start_worker(job.worker, *arguments, log=log)
        except OSError as error:
            # The runs behind it must not suffer.
            _logger.exception("Run %s could not be started", job.run_id)
            self._note_end(job, f"its worker could not be started ({error.strerror})")
            return None

    def _note_end(self, job: Job, reason: str) -> None:
        try:
            if read_status(job.folder).status in ACTIVE:
                write_status(job.folder, "failed", reason)
        except (OSError, ValueError, KeyError):
            _logger.exception("The end of run %s could not be recorded", job.run_id)

    def _release(self, run_id: str) -> None:
        del self._jobs[run_id], self._orders[run_id]
        self._locks.pop(run_id).release()
        self._changed.notify_all()

    def mark_abandoned(self) -> None:
        """Mark the runs that a dead server left behind; those that one looks after stay."""
        for run in (run for store in self.stores for run in store.list_all()):
            if run.status not in ACTIVE:
                continue
            try:
                # Of this server, none is put in line meanwhile: it would find its lock taken.
                with self._changed, FileLock(run.folder / "queue.lock", timeout=0):
                    # The server that had the lock may have brought the run to its end meanwhile.
                    if read_status(run.folder).status in ACTIVE:
                        write_status(run.folder, "interrupted")
            except (Timeout, OSError, ValueError, KeyError):
                continue

    def make_room(self) -> None:
        """Remove what is too old, and the oldest of what is too large."""
        try:
            cleaning.remove_old_runs([store.parent() for store in self.stores])
            cleaning.remove_stray_downloads()
            cleaning.remove_old_variants()
            cleaning.remove_old_data_sets()
            remove_old_collections()
        except OSError:
            # What cannot be tidied up must not keep runs from being trained.
            _logger.warning("Old runs could not be removed", exc_info=True)


def _explain_exit(exit_code: int) -> str:
    if exit_code < 0:
        memory = "; the machine may be out of memory" if exit_code == -signal.SIGKILL else ""
        return f"the worker process was killed (signal {-exit_code}{memory})"
    return f"the worker process ended with exit code {exit_code}; worker.log says more"


def _cannot_write(error: OSError) -> ArtifactError:
    return ArtifactError(
        f"The run's folder cannot be written ({error.strerror}). Nothing is lost: try again when "
        "there is room."
    )
