"""All runs of one kind on disk: read, listed and followed, anybody's or only one visitor's."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from foundry.errors import InputError
from foundry.runs.folders import (
    ACTIVE,
    EVENTS_FILE,
    RUN_FILE,
    AnyRun,
    hash_owner,
    is_run_id,
    list_run_folders,
    read_status,
)

_POLL_S = 0.2

R = TypeVar("R", bound=AnyRun)


@dataclass(frozen=True)
class RunStore(Generic[R]):
    """All runs of one kind on disk.

    Attributes:
        parent: Returns the folder that holds theirs.
        kind: The class of a reading.
        settings: The class of its configuration.
        unknown: The message for an id that is not theirs, with `{}` for the id.
    """

    parent: Callable[[], Path]
    kind: type[R]
    settings: type
    unknown: str

    def read(self, run_id: str) -> R:
        """Read anybody's run; what a visitor names goes through `read_own()`.

        Args:
            run_id: The name of its folder.

        Raises:
            InputError: If there is no such run.
        """
        unknown = self._unknown(run_id)
        if not is_run_id(run_id):
            raise unknown
        folder = self.parent() / run_id
        try:
            made = json.loads((folder / RUN_FILE).read_text())
            made["config"] = self.settings(**made["config"])
            standing = read_status(folder)._asdict()
            return self.kind(run_id=run_id, folder=folder, **standing, **made)
        except (OSError, ValueError, KeyError, TypeError):
            # Not written whole, or by a version with other knobs.
            raise unknown from None

    def read_own(self, run_id: str, owner: str) -> R:
        """Read a run that a visitor has named.

        Args:
            run_id: As the visitor gave it.
            owner: The visitor's secret token; anything but a text owns nothing.

        Raises:
            InputError: If there is no such run, or it is someone else's; the two look alike.
        """
        run = self.read(run_id)
        if not _owns(owner, run):
            raise self._unknown(run_id)
        return run

    def find_own(self, run_id: str, owner: str) -> R | None:
        """Return what `read_own()` does, or None if there is no such run."""
        try:
            return self.read_own(run_id, owner)
        except InputError:
            return None

    def list_all(self) -> list[R]:
        """Return everybody's runs, newest first; unreadable ones are left out."""
        runs = []
        for folder in list_run_folders(self.parent()):
            try:
                runs.append(self.read(folder.name))
            except InputError:
                continue
        return runs

    def list_own(self, owner: str) -> list[R]:
        """Return a visitor's runs, newest first.

        Args:
            owner: The visitor's secret token; anything but a text owns nothing.
        """
        return [run for run in self.list_all() if _owns(owner, run)]

    def follow(self, run_id: str) -> Iterator[R]:
        """Yield readings whenever a run has moved, until it is no longer active.

        Args:
            run_id: The name of its folder.

        Raises:
            InputError: If there is no such run.
        """
        seen: tuple[str, int] | None = None
        while True:
            run = self.read(run_id)
            # Five times a second and for every caller: its events are read when there are new.
            stands = (run.status, _size_log(run.folder))
            if seen != stands:
                seen = stands
                yield run
            if run.status not in ACTIVE:
                return
            time.sleep(_POLL_S)

    def _unknown(self, run_id: object) -> InputError:
        return InputError(self.unknown.format(str(run_id)[:100]))


def _owns(owner: str, run: AnyRun) -> bool:
    # Tokens come from outside, where nothing makes them texts.
    return isinstance(owner, str) and bool(owner) and run.owner == hash_owner(owner)


def _size_log(folder: Path) -> int:
    try:
        return (folder / EVENTS_FILE).stat().st_size
    except FileNotFoundError:
        return 0
