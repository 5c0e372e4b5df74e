"""Taking classes home: the whole network with its head, and the project to be loaded again."""

import copy
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from foundry.data.archives import read_entry
from foundry.errors import ArtifactError, InputError
from foundry.models.networks import EfficientNetLite0
from foundry.photos.teaching.archive import (
    HEAD_FILE,
    PROJECT_FILE,
    list_learned,
    open_archive,
    read_archive,
)
from foundry.photos.teaching.changes import hold
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.lessons import Taught, load_frozen
from foundry.photos.teaching.outcome import Outcome, Tuned
from foundry.photos.teaching.projects import (
    Project,
    create_project,
    remove_project,
    write_project,
)
from foundry.photos.teaching.tuning.tail import read_tail

_MAX_FILE_BYTES = 20_000_000
_DAMAGED = "The project in the ZIP file is damaged; save it again where it came from."


def build_whole(taught: Taught) -> EfficientNetLite0:
    """Return one network that answers with the classes that were taught.

    Args:
        taught: From `load_taught()`; not modified.
    """
    network = copy.deepcopy(taught.network)
    network.config["labels"] = list(taught.head.labels)
    num_classes, num_features = taught.head.weight.shape
    network.classifier = nn.Linear(num_features, num_classes)
    network.classifier.weight.data = taught.head.weight.clone()
    network.classifier.bias.data = taught.head.bias.clone()
    if taught.tail:
        taught.tail.put_into(network)
    return network.eval().requires_grad_(False)


def save_project(project: Project, path: Path) -> None:
    """Write a project as a ZIP file: a folder of pictures for each class, and what was learned.

    Args:
        project: The visitor's own.
        path: Where to write.

    Raises:
        InputError: If it was deleted meanwhile.
    """
    # On another page a picture may just be removed.
    with hold(project) as now:
        values = {
            "labels": now.labels,
            "examples": [asdict(example) for example in now.examples],
            "outcome": None if now.outcome is None else now.outcome.as_values(),
            "tuned": None if now.tuned is None else asdict(now.tuned),
            "has_chosen_tuned": now.has_chosen_tuned,
        }
        files = {}
        for example in now.examples:
            file = now.file_of(example.digest)
            files[f"{example.label}/{file.name}"] = file.read_bytes()
        files[PROJECT_FILE] = json.dumps(values, ensure_ascii=False, indent=1).encode()
        for file in (now.folder / HEAD_FILE, now.tuned_file):
            if file.exists():
                files[file.name] = file.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def load_project(path: Path, owner: str) -> tuple[Project, int]:
    """Make a project of a ZIP file, whole or not at all.

    Args:
        path: From `save_project()`, or any with a folder for each class.
        owner: The visitor's secret token.

    Returns:
        The project, and how many pictures a class has twice, of which one is kept.

    Raises:
        InputError: As `read_archive()` does, or if what was learned is damaged.
    """
    with open_archive(path) as archive:
        learned = {name: _read(archive, entry) for name, entry in list_learned(archive).items()}
    values = _parse(learned.pop(PROJECT_FILE)) if PROJECT_FILE in learned else None
    # Projects of earlier versions do not say which classes they have.
    labels, squares, num_twice = read_archive(path, values.get("labels") if values else None)
    project = create_project(owner, labels, squares)
    if values is None:
        return project, num_twice
    try:
        listed = {one["digest"]: Example(**one) for one in values["examples"]}
        # Projects of earlier versions were not fine-tuned.
        outcome, tuned = values["outcome"], values.get("tuned")
        project = replace(
            project,
            # The folder says which class a picture is of.
            examples=tuple(
                replace(listed.get(one.digest, one), label=one.label) for one in project.examples
            ),
            outcome=None if outcome is None else Outcome.from_values(outcome),
            tuned=None if tuned is None else Tuned.from_values(tuned),
            has_chosen_tuned=bool(values.get("has_chosen_tuned")) and tuned is not None,
        )
        for name, content in learned.items():
            (project.folder / name).write_bytes(content)
        known = project.read_head()
        if (known is None) != (project.outcome is None):
            raise InputError(_DAMAGED)
        if project.tuned is not None:
            if known is None:
                raise InputError(_DAMAGED)
            read_tail(project.tuned_file, load_frozen(), known[0].labels)
        write_project(project)
    except (InputError, ArtifactError, ValueError, KeyError, TypeError):
        remove_project(project)
        raise InputError(_DAMAGED) from None
    return project, num_twice


def _parse(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(_DAMAGED) from None
    if not isinstance(values, dict) or not isinstance(values.get("labels", []), list):
        raise InputError(_DAMAGED)
    return values


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > _MAX_FILE_BYTES:
        raise InputError(_DAMAGED)
    return read_entry(archive, entry)
