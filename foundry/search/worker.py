"""The process of one search: `python -m foundry.search.worker RUN_ID`.

`foundry.runs.queue` starts it. It hears `stop` on standard input, and keeps what there is; the end
of input means that the server is gone: it leaves at once, and goes on from Tune's own files when it
is started again.
"""

import os
import sys
import threading
import time

from filelock import FileLock

from foundry.runs.cluster import ADDRESS_VARIABLE
from foundry.runs.folders import RESULT_FILE, write_json, write_status
from foundry.runs.process import (
    Commands,
    explain_failure,
    leave_at_once,
    leave_room_for_the_server,
)
from foundry.search.runs import STOP_FILE, SearchRun, read_search
from foundry.search.stream import search

_POLL_S = 0.2


def _obey(run: SearchRun, commands: Commands, last_word: threading.Lock) -> None:
    """Wait for a command: between two events of a search there may be a long time."""
    while not commands.last:
        time.sleep(_POLL_S)
    if commands.last == "interrupt":
        last_word.acquire()
        write_status(run.folder, "interrupted")
        leave_at_once()
    (run.folder / STOP_FILE).touch()


def main(run_id: str) -> None:
    """Take a search to its end, or until told otherwise.

    Args:
        run_id: An existing search; what Tune left in its folder is gone on from.
    """
    commands = Commands()
    leave_room_for_the_server()
    run = read_search(run_id)
    # After a server crash the worker before this one may still be at work.
    with FileLock(run.folder / "worker.lock", timeout=30):
        try:
            write_status(run.folder, "running")
            # Whoever writes how it ended takes it, and keeps it: nobody is to write over that.
            last_word = threading.Lock()
            threading.Thread(target=_obey, args=(run, commands, last_word), daemon=True).start()
            for _ in search(run.config, run.folder, os.environ.get(ADDRESS_VARIABLE)):
                if commands.last == "stop":
                    break
            last_word.acquire()
            write_json(run.folder / RESULT_FILE, {"trials": read_search(run_id).rows})
            write_status(run.folder, "stopped" if commands.last == "stop" else "done")
        except Exception as error:
            write_status(run.folder, "failed", explain_failure(error, run.folder))
            raise


if __name__ == "__main__":
    main(sys.argv[1])
    leave_at_once()
