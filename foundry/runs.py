"""Training runs on disk: one folder a run, written by its worker, only read by the page.

`compress_runs` keeps compressions in the same way.

run.json        who started it, with which settings
status.json     where it stands; replaced whole at every change
events.jsonl    one `TrainEvent` a line, appended as they happen
checkpoints/    to go on from
best/           the kept weights with their configuration
result.json     the final figures; `test_probs.safetensors` beside it
"""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import platformdirs
import torch
from safetensors.torch import load_file, save_file

from foundry.errors import ArtifactError, InputError
from foundry.models import WEIGHTS_FILE
from foundry.train_config import TrainConfig
from foundry.training import TrainEvent

RUNS_DIR_VARIABLE = "FOUNDRY_RUNS_DIR"

Status = Literal["queued", "running", "paused", "stopped", "done", "failed", "interrupted"]
ACTIVE: tuple[Status, ...] = ("queued", "running")
RESUMABLE: tuple[Status, ...] = ("paused", "failed", "interrupted")

RUN_FILE = "run.json"
_STATUS_FILE = "status.json"
_EVENTS_FILE = "events.jsonl"
RESULT_FILE = "result.json"
_TEST_PROBS_FILE = "test_probs.safetensors"
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Run:
    """One reading of a run's folder.

    Attributes:
        run_id: Sorts by the time it was made.
        folder: Where its files are.
        owner: Hash of the visitor who started it.
        config: Its settings.
        device: Where it trains.
        status: Where it stands.
        reason: Why it failed; empty otherwise.
    """

    run_id: str
    folder: Path
    owner: str
    config: TrainConfig
    device: str
    status: Status
    reason: str

    # The module of the process that takes it to its end.
    worker: ClassVar[str] = "foundry.worker"

    @property
    def best_folder(self) -> Path:
        """Folder of the kept weights; empty until the first epoch ends."""
        return self.folder / "best"

    @property
    def checkpoints_folder(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def has_weights(self) -> bool:
        """Whether an epoch has ended, so that there is something to draw with."""
        return (self.best_folder / WEIGHTS_FILE).exists()

    @cached_property
    def events(self) -> list[TrainEvent]:
        """What the run has said so far; a line still being written is left for next time."""
        return [TrainEvent(**values) for values in read_events(self.folder)]

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """The final figures, once there are any."""
        return read_result(self.folder)

    @property
    def stopped_early(self) -> bool:
        """Whether validation stopped improving before the last epoch."""
        return self.status == "done" and self.events[-1].epoch < self.config.epochs

    @property
    def test_probs(self) -> torch.Tensor:
        """What the kept weights made of the test split, float32 (10000, 10)."""
        return load_file(self.folder / _TEST_PROBS_FILE)["probs"]

    @property
    def progress(self) -> float:
        """Share of the steps done, in [0, 1]."""
        return self.events[-1].step / self.events[-1].num_steps if self.events else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Estimated seconds to go, None before the first event."""
        if not self.events:
            return None
        return self.events[-1].elapsed_s * (1 - self.progress) / self.progress


def runs_dir() -> Path:
    """Return the folder of all runs: `FOUNDRY_RUNS_DIR`, or one in the user's cache folder."""
    return Path(
        os.environ.get(RUNS_DIR_VARIABLE) or platformdirs.user_cache_path("foundry") / "runs"
    )


def hash_owner(owner: str) -> str:
    """Return what is stored of a visitor's secret token."""
    return hashlib.sha256(owner.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def create_run(config: TrainConfig, owner: str, device: str = "auto") -> Run:
    """Make the folder of a new run, queued.

    Args:
        config: Its settings.
        owner: The visitor's secret token.
        device: As `select_device()` takes it.

    Raises:
        InputError: If the token is empty or no text: then the run would be nobody's.
        ArtifactError: If the runs folder cannot be written.
    """
    made = {"config": asdict(config), "device": device}
    return read_run(create_folder(runs_dir(), made, owner).name)


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
    try:
        folder.mkdir(parents=True)
        write_json(folder / RUN_FILE, {"owner": hash_owner(owner), **made})
        write_status(folder, "queued")
    except OSError as error:
        raise ArtifactError(
            f"Runs need to write to {parent}, which failed ({error.strerror}). "
            f"Set {RUNS_DIR_VARIABLE} to a folder with room that can be written."
        ) from None
    return folder


def read_run(run_id: str) -> Run:
    """Read anybody's run; what a visitor names goes through `read_own_run()`.

    Args:
        run_id: From `create_run()` or `list_runs()`.

    Raises:
        InputError: If there is no such run.
    """
    unknown = _unknown(run_id)
    if not is_run_id(run_id):
        raise unknown
    folder = runs_dir() / run_id
    try:
        made = json.loads((folder / RUN_FILE).read_text())
        status, reason = read_status(folder)
        return Run(
            run_id=run_id,
            folder=folder,
            owner=made["owner"],
            config=TrainConfig(**made["config"]),
            device=made["device"],
            status=status,
            reason=reason,
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Not written whole, or by a version with other knobs.
        raise unknown from None


def read_own_run(run_id: str, owner: str) -> Run:
    """Read a run that a visitor has named.

    Args:
        run_id: As the visitor gave it.
        owner: The visitor's secret token; anything but a text owns nothing.

    Raises:
        InputError: If there is no such run, or it is someone else's; the two look alike.
    """
    run = read_run(run_id)
    if not owns(owner, run):
        raise _unknown(run_id)
    return run


def list_runs() -> list[Run]:
    """Return everybody's runs, newest first; unreadable ones are left out."""
    runs = []
    for folder in list_run_folders(runs_dir()):
        try:
            runs.append(read_run(folder.name))
        except InputError:
            continue
    return runs


def list_run_folders(parent: Path) -> list[Path]:
    """Return the folders of runs, newest first, whether or not they can be read.

    Args:
        parent: Where they are: `runs_dir()`, or that of the compressions.
    """
    return sorted((path for path in parent.glob("*-*-*") if is_run_id(path.name)), reverse=True)


def list_own_runs(owner: str) -> list[Run]:
    """Return a visitor's runs, newest first.

    Args:
        owner: The visitor's secret token; anything but a text owns nothing.
    """
    return [run for run in list_runs() if owns(owner, run)]


def owns(owner: str, run: Any) -> bool:
    """Tell whether a run of any kind is a visitor's.

    Args:
        owner: The visitor's secret token.
        run: Has the hash of its owner's.
    """
    # Tokens come from outside, where nothing makes them texts.
    return isinstance(owner, str) and bool(owner) and run.owner == hash_owner(owner)


def _unknown(run_id: object) -> InputError:
    return InputError(f"You have no run “{str(run_id)[:100]}”; list_runs gives the ones there are.")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file whole, so that a reader never sees half of it."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.replace(path)


def is_run_id(value: object) -> bool:
    """Tell whether a value may name a run's folder."""
    return isinstance(value, str) and _RUN_ID.fullmatch(value) is not None


def read_status(folder: Path) -> tuple[Status, str]:
    """Return where a run stands, and the reason if it failed.

    Raises:
        OSError, ValueError, KeyError: If its folder is gone or damaged.
    """
    values = json.loads((folder / _STATUS_FILE).read_text())
    return values["status"], values["reason"]


def write_status(folder: Path, status: Status, reason: str = "") -> None:
    """Record where a run stands."""
    write_json(folder / _STATUS_FILE, {"status": status, "reason": reason})


def write_result(folder: Path, result: Mapping[str, Any], test_probs: torch.Tensor) -> None:
    """Record a run's final figures and the probabilities, float32 (10000, 10), behind them."""
    save_file({"probs": test_probs}, folder / _TEST_PROBS_FILE)
    write_json(folder / RESULT_FILE, result)


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return a run's final figures, or None while there are none."""
    try:
        return json.loads((folder / RESULT_FILE).read_text())
    except FileNotFoundError:
        return None


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return what a run's log holds; a line still being written is left for next time."""
    try:
        text = (folder / _EVENTS_FILE).read_text()
    except FileNotFoundError:
        return []
    complete, _, _ = text.rpartition("\n")
    return [json.loads(line) for line in complete.splitlines()]


def append_event(folder: Path, event: Any) -> None:
    """Add one line to a run's log.

    Args:
        folder: The run's.
        event: A dataclass of plain values.
    """
    with open(folder / _EVENTS_FILE, "a") as log:
        log.write(json.dumps(asdict(event)) + "\n")


def rewind_events(run: Run, step: int) -> None:
    """Drop what the log holds past a step, because training goes on from there."""
    kept = [json.dumps(asdict(event)) + "\n" for event in run.events if event.step <= step]
    partial = run.folder / f"{_EVENTS_FILE}.partial"
    partial.write_text("".join(kept))
    partial.replace(run.folder / _EVENTS_FILE)
