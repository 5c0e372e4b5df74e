"""Ray, which is optional: whether it is here, and how to join a cluster or start one.

Nothing else knows how to reach Ray; what runs on it imports it where it is used.
"""

import contextlib
import importlib.util
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from foundry.errors import InputError
from foundry.runs.folders import RUNS_DIR_VARIABLE, runs_dir

REQUIREMENTS = "foundry/requirements-ray.txt"
ADDRESS_VARIABLE = "RAY_ADDRESS"
HOW_TO_INSTALL = f"pip install -r {REQUIREMENTS}"

_PROJECT_DIR = Path(__file__).parents[2]
_REACH_S = 3.0
# Ray gives its own processes half a minute to start, which a busy machine may take them for once.
_START_TRIES = 3
# In the folder of a session that was started here.
_MARK = "of-foundry"
_MAX_SESSION_AGE_S = 2 * 24 * 3600.0


def is_ray_installed() -> bool:
    """Return whether Ray can be imported, without importing it."""
    return importlib.util.find_spec("ray") is not None


def require_ray(purpose: str) -> None:
    """Refuse to go on without Ray.

    Args:
        purpose: What needs it, to begin the sentence: `Search`.

    Raises:
        InputError: If Ray is not installed; the message says how to get it.
    """
    if not is_ray_installed():
        raise InputError(f"{purpose} needs Ray, which is not installed: {HOW_TO_INSTALL}")


@contextlib.contextmanager
def ray_session(purpose: str, address: str | None = None) -> Iterator[None]:
    """Be connected to Ray inside the `with` block; joins what is connected already.

    Args:
        purpose: What needs it, to begin the sentence if it is missing.
        address: `host:port` of a running cluster, `auto` for one on this machine; None starts one
            for this process alone, which ends with the block.

    Raises:
        InputError: If Ray is not installed, or no cluster of the same versions answers there.
    """
    require_ray(purpose)
    # Nothing here is reported to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Who comes late, when the session is over, does not start another one by a mere call.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    # A process for each core, kept ready for work without an environment of its own: ours has one.
    os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    if address:
        _check_reachable(address)
    session = _init(address)
    if not address:
        _remove_ended_sessions(session.parent)
        (session / _MARK).touch()
    try:
        yield
    finally:
        ray.shutdown()
        if not address:
            # Ray leaves it for whoever wants to read its logs.
            shutil.rmtree(session, ignore_errors=True)


def _remove_ended_sessions(parent: Path) -> None:
    """Remove the folders of our sessions whose processes were killed before they could do it."""
    for mark in parent.glob(f"session_*/{_MARK}"):
        process = mark.parent.name.rpartition("_")[2]
        if not process.isdecimal() or psutil.pid_exists(int(process)):
            continue
        with contextlib.suppress(OSError):
            # Where processes are counted anew in every container, its number alone says little.
            if time.time() - mark.stat().st_mtime > _MAX_SESSION_AGE_S:
                shutil.rmtree(mark.parent, ignore_errors=True)


def _check_reachable(address: str) -> None:
    """Refuse an address that nothing listens at: Ray itself would wait for many minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in address:
        raise InputError(
            f"“{address}” is no address of a Ray cluster; give HOST:PORT, or auto for one on this "
            "machine."
        )
    try:
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise InputError(
            f"No Ray cluster answers at {address} ({error}); start one there with “ray start "
            "--head”, or leave the address out to work on this machine."
        ) from None


def _init(address: str | None) -> Path:
    """Connect to Ray; return the folder of its session, on the machine where that began."""
    import ray

    # Workers start in folders of their own, and find the project all the same.
    path = os.pathsep.join([str(_PROJECT_DIR), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    # What visitors brought is beside the runs, whose folder the machines share.
    runs = str(runs_dir().resolve())
    num_tries = 1 if address else _START_TRIES
    for num_left in reversed(range(num_tries)):
        try:
            context = ray.init(
                address=address or "local",
                runtime_env={"env_vars": {"PYTHONPATH": path, RUNS_DIR_VARIABLE: runs}},
                logging_level="ERROR",
                log_to_driver=False,
                **({} if address else {"include_dashboard": False}),
            )
        except Exception as error:  # Of a start that takes too long Ray says so in a bare one.
            if num_left:
                ray.shutdown()
                continue
            version = f"Ray {ray.__version__} on Python {sys.version.split()[0]}"
            raise InputError(
                f"The Ray cluster at {address or 'this machine'} cannot be joined with {version}: "
                f"{str(error).rstrip('.')}"
            ) from error
        return Path(context.address_info["session_dir"])
    raise AssertionError("the last try returns or raises")
