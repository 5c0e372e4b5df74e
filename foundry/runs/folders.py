"""The folder of a run of any kind: made queued, written by its worker, only read by the page.

run.json        who started it, with which settings
status.json     where it stands; replaced whole at every change
events.jsonl    one event a line, appended as they happen
result.json     what came out
name.txt        what its owner calls it, if that was said
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import platformdirs
from safetensors import SafetensorError

from foundry.errors import ArtifactError, InputError

RUNS_DIR_VARIABLE = "FOUNDRY_RUNS_DIR"

Status = Literal["queued", "running", "paused", "stopped", "done", "failed", "interrupted"]
ACTIVE: tuple[Status, ...] = ("queued", "running")
RESUMABLE: tuple[Status, ...] = ("paused", "failed", "interrupted")

RUN_FILE = "run.json"
_STATUS_FILE = "status.json"
LOG_FILE = "worker.log"
EVENTS_FILE = "events.jsonl"
RESULT_FILE = "result.json"
_NAME_FILE = "name.txt"
_MAX_NAME = 60
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


class Standing(NamedTuple):
    """Where a run stands.

    Attributes:
        status: In one word.
        reason: Why it failed; empty otherwise.
        is_final: Whether it would fail again if it went on.
    """

    status: Status
    reason: str
    is_final: bool


@dataclass(frozen=True)
class AnyRun:
    """One reading of the folder of a run; each kind adds its settings' class and its events.

    Attributes:
        run_id: Sorts by the time it was made.
        folder: Where its files are.
        owner: Hash of the visitor who started it.
        config: What it is to do.
        status: Where it stands.
        reason: Why it failed; empty otherwise.
        is_final: Whether it would fail again if it went on.
    """

    run_id: str
    folder: Path
    owner: str
    config: Any
    status: Status
    reason: str
    is_final: bool = field(default=False, kw_only=True)

    # The module of the process that takes it to its end.
    worker: ClassVar[str]

    @property
    def is_resumable(self) -> bool:
        """Whether going on with it is of use."""
        return self.status in RESUMABLE and not self.is_final

    @property
    def progress(self) -> float:
        """Share done, in [0, 1]."""
        raise NotImplementedError

    @property
    def summary(self) -> dict[str, Any]:
        """What programs are told of it, in plain values."""
        raise NotImplementedError

    @cached_property
    def name(self) -> str:
        """What its owner calls it; empty if that was never said."""
        try:
            return (self.folder / _NAME_FILE).read_text("utf-8")
        except FileNotFoundError:
            return ""

    @cached_property
    def events(self) -> Sequence[Any]:
        """What it has said so far; a line still being written is left for next time."""
        return read_events(self.folder)

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """What came out, once it has ended."""
        return read_result(self.folder)


def rename_run(run: AnyRun, name: object) -> None:
    """Give a run a name beside its id.

    Args:
        run: The visitor's own.
        name: Up to 60 characters; empty for none.

    Raises:
        InputError: If it is no such name.
    """
    plain = " ".join(name.split()) if isinstance(name, str) else None
    if plain is None or len(plain) > _MAX_NAME or not plain.isprintable():
        raise InputError(f"A run's name is one line of up to {_MAX_NAME} characters.")
    replace_text(run.folder / _NAME_FILE, plain)


def estimate_remaining_s(elapsed_s: float, progress: float) -> float | None:
    """Estimate the seconds that a run has to go, as if it went on as until now.

    Args:
        elapsed_s: Since its start.
        progress: Share done, in [0, 1].

    Returns:
        None before anything is done.
    """
    return elapsed_s * (1 - progress) / progress if progress else None


def runs_dir() -> Path:
    """Return the folder of all runs: `FOUNDRY_RUNS_DIR`, or one in the user's cache folder."""
    return Path(
        os.environ.get(RUNS_DIR_VARIABLE) or platformdirs.user_cache_path("foundry") / "runs"
    )


def hash_owner(owner: str) -> str:
    """Return what is stored of a visitor's secret token."""
    return hashlib.sha256(owner.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def create_folder(parent: Path, made: Mapping[str, Any], owner: str) -> Path:
    """Make the folder of a new run of any kind, queued.

    Args:
        parent: Where runs of its kind are.
        made: Its settings.
        owner: The visitor's secret token.

    Raises:
        InputError: If the token is empty or no text: then the run would be nobody's.
        ArtifactError: If it cannot be written.
    """
    if not isinstance(owner, str) or not owner:
        raise InputError("A run needs an owner; reload the page, which gives every visitor a name.")
    folder = parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
    with whole_or_gone(folder):
        folder.mkdir(parents=True)
        write_json(folder / RUN_FILE, {"owner": hash_owner(owner), **made})
        write_status(folder, "queued")
    return folder


@contextlib.contextmanager
def whole_or_gone(folder: Path) -> Iterator[None]:
    """Remove the folder of a new run again if what fills it fails.

    Raises:
        ArtifactError: If it cannot be written.
    """
    try:
        yield
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError | SafetensorError):
            reason = getattr(error, "strerror", None) or error
            raise ArtifactError(
                f"Runs need to write to {folder.parent}, which failed ({reason}). "
                f"Set {RUNS_DIR_VARIABLE} to a folder with room that can be written."
            ) from None
        raise


def list_run_folders(parent: Path) -> list[Path]:
    """Return the folders of runs, newest first, whether or not they can be read.

    Args:
        parent: Where they are: `runs_dir()`, or that of the compressions.
    """
    return sorted((path for path in parent.glob("*-*-*") if is_run_id(path.name)), reverse=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all its files, at once for whoever looks for it.

    Raises:
        OSError: If it is gone, or cannot be removed.
    """
    # First the name, by which others would find it half removed.
    gone = folder.rename(folder.with_name(f"removed-{folder.name}-{secrets.token_hex(4)}"))
    shutil.rmtree(gone, ignore_errors=True)


def is_run_id(value: object) -> bool:
    """Tell whether a value may name a run's folder."""
    return isinstance(value, str) and _RUN_ID.fullmatch(value) is not None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file whole, as `replace_text()` does.

    Raises:
        OSError: If it cannot be written.
        ValueError: If a number is not finite, for which JSON has no name.
    """
    replace_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Replace a file whole, so that a reader never sees half of it.

    Raises:
        OSError: If it cannot be written.
    """
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_status(folder: Path) -> Standing:
    """Return where a run stands.

    Raises:
        OSError, ValueError, KeyError: If its folder is gone or damaged.
    """
    values = json.loads((folder / _STATUS_FILE).read_text())
    return Standing(values["status"], values["reason"], values.get("is_final", False))


def write_status(folder: Path, status: Status, reason: str = "", *, is_final: bool = False) -> None:
    """Record where a run stands; the arguments are as in `Standing`."""
    write_json(folder / _STATUS_FILE, Standing(status, reason, is_final)._asdict())


def _parse_json(text: str) -> Any:
    # Earlier versions also wrote NaN and Infinity; neither is a figure.
    return json.loads(text, parse_constant=lambda _: None)


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return a run's final figures, or None while there are none."""
    try:
        return _parse_json((folder / RESULT_FILE).read_text())
    except FileNotFoundError:
        return None


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return what a run's log holds; a line still being written is left for next time."""
    try:
        text = (folder / EVENTS_FILE).read_text()
    except FileNotFoundError:
        return []
    complete, _, _ = text.rpartition("\n")
    return [_parse_json(line) for line in complete.splitlines()]


def append_event(folder: Path, event: Any) -> None:
    """Add one line to a run's log.

    Args:
        folder: The run's.
        event: A dataclass of plain values.
    """
    with open(folder / EVENTS_FILE, "a") as log:
        log.write(json.dumps(asdict(event), allow_nan=False) + "\n")
