"""What the processes of all runs do: hear commands, make room for the server, say why one failed.

Commands come on standard input; its end means that the server is gone.
"""

import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Literal, NoReturn

from safetensors import SafetensorError

from foundry.errors import ArtifactError, DivergedError, InputError

_NICENESS = 10
_DISK_TROUBLE = re.compile("space left|quota|read-only|too large|i/o error", re.IGNORECASE)

Command = Literal["pause", "stop", "interrupt"]


class Commands:
    """The last command heard on standard input, read by a thread of its own.

    Attributes:
        last: What it was; None before the first.
    """

    def __init__(self) -> None:
        """Begin to listen."""
        self.last: Command | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            if line.strip() in ("pause", "stop"):
                self.last = "stop" if line.strip() == "stop" else "pause"
        self.last = self.last or "interrupt"


def leave_room_for_the_server() -> None:
    """Let the page's own work go first, and leave Ctrl-C to the server."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Ctrl-C in the terminal reaches this process too; the end of input is the signal to save.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave_at_once() -> NoReturn:
    """End the process; whatever still works in a thread is not waited for."""
    sys.stdout.flush()
    os._exit(0)


def explain_failure(error: Exception, folder: Path) -> str:
    """Say why a run failed, for its status.

    Args:
        error: What ended it.
        folder: The run's.
    """
    if isinstance(error, InputError | ArtifactError | DivergedError):
        return str(error).removesuffix(".")
    # Of safetensors' own errors only the text says that the disk was meant.
    if isinstance(error, OSError | SafetensorError) and _DISK_TROUBLE.search(str(error)):
        return f"{folder} cannot be written ({error}); make room there first"
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return "the machine has too little memory left; close something first"
    return f"{type(error).__name__}: {error}"
