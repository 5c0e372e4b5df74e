"""The processes of runs: started for one, or ahead, so that it begins without loading first."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from foundry.runs.folders import RUNS_DIR_VARIABLE

_PROJECT_DIR = Path(__file__).parents[2]

_logger = logging.getLogger(__name__)


def fix_runs_dir() -> None:
    """Make `FOUNDRY_RUNS_DIR` absolute: workers start in another folder than the server."""
    if given := os.environ.get(RUNS_DIR_VARIABLE):
        os.environ[RUNS_DIR_VARIABLE] = os.path.abspath(given)


def start_worker(module: str, *arguments: str, log: IO[str] | int) -> subprocess.Popen[str]:
    """Start the process of a run.

    Args:
        module: As `Job.worker`.
        arguments: The run's id, and what else it takes; none for a worker that waits for them on
            its standard input.
        log: Where it writes what it prints.

    Raises:
        OSError: If it cannot be started.
    """
    # No session of its own: under Linux's autogroups its niceness would then count only among its
    # own threads.
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=_PROJECT_DIR,
        text=True,
    )


class Standby:
    """Keeps one worker of a kind ready; what calls it takes care that no two threads do at once.

    Attributes:
        module: As `Job.worker`: without an argument it loads what it needs, then waits for a run's
            id on its standard input. None before one was asked for.
        worker: Its process; None where none is ready.
    """

    def __init__(self) -> None:
        """Wait to be told of what kind."""
        self.module: str | None = None
        self.worker: subprocess.Popen[str] | None = None

    def renew(self) -> None:
        """Start a worker unless one is ready."""
        is_ready = self.worker is not None and self.worker.poll() is None
        if self.module is None or is_ready:
            return
        try:
            self.worker = start_worker(self.module, log=subprocess.DEVNULL)
        except OSError:
            # Runs are started the slow way, which says what is wrong.
            _logger.warning("No worker stands by", exc_info=True)

    def take(self, module: str, *arguments: str) -> subprocess.Popen[str] | None:
        """Give the worker a run; None if none of this kind is ready.

        Args:
            module: The kind of worker that the run needs.
            arguments: The run's id, and what else the worker takes.
        """
        if self.worker is None or self.worker.stdin is None or module != self.module:
            return None
        worker, self.worker = self.worker, None
        try:
            print(*arguments, file=worker.stdin, flush=True)
        except OSError:
            # It has died; another one is started.
            return None
        return worker if worker.poll() is None else None
