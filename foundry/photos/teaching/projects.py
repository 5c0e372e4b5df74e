"""A visitor's classes on disk: examples, what the network makes of them, and the head.

project.json            whose it is, the classes, the examples, and what came out
pictures/DIGEST.jpg     the examples
features.safetensors    by digest
head.safetensors        of the last teaching, with its labels
tuned.safetensors       the fine-tuned part, if there is one
"""

import hashlib
import json
import logging
import math
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from foundry.errors import ArtifactError, InputError
from foundry.models.networks import EfficientNetLite0
from foundry.photos.teaching.archive import HEAD_FILE, PROJECT_FILE, TUNED_FILE
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.head import Head
from foundry.photos.teaching.novelty import DESCRIPTION_SIZE, Novelty
from foundry.photos.teaching.outcome import Outcome, Tuned
from foundry.photos.teaching.pictures import SUFFIX, Square
from foundry.runs.cleaning import measure_folder, remove_unfinished
from foundry.runs.folders import (
    RUNS_DIR_VARIABLE,
    hash_owner,
    is_run_id,
    list_run_folders,
    remove_folder,
    runs_dir,
    write_json,
)

MAX_AGE_S = 7 * 24 * 3600.0
MAX_BYTES = 2_000_000_000
_PICTURES = "pictures"
FEATURES_FILE = "features.safetensors"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """One reading of a visitor's classes.

    Attributes:
        project_id: What `/classify_image` takes as a model.
        folder: Where its files are.
        owner: Hash of whose it is.
        labels: Of the classes, in the order in which they were made.
        examples: Of all classes, in the order in which they came.
        outcome: Of the last teaching, None before.
        tuned: Of the fine-tuning after it, None before.
        has_chosen_tuned: Whether the fine-tuned network answers, rather than the head alone.
    """

    project_id: str
    folder: Path
    owner: str
    labels: tuple[str, ...]
    examples: tuple[Example, ...]
    outcome: Outcome | None
    tuned: Tuned | None = None
    has_chosen_tuned: bool = False

    def open_picture(self, digest: str) -> Image.Image:
        """Return an example's picture, RGB, 256x256."""
        return Image.open(self.file_of(digest)).convert("RGB")

    def open_pictures(self) -> list[Image.Image]:
        """Return the pictures of all examples, in their order."""
        return [self.open_picture(example.digest) for example in self.examples]

    def read_features(self) -> dict[str, Tensor]:
        """Return what the frozen network made of pictures, by digest; what is not known is left."""
        try:
            return load_file(self.folder / FEATURES_FILE)
        except (OSError, SafetensorError):
            return {}

    def read_head(self) -> tuple[Head, Novelty] | None:
        """Return the trained head and what tells when none of its answers fits; None before.

        Raises:
            ArtifactError: If its file is damaged.
        """
        path = self.folder / HEAD_FILE
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                values = json.loads(file.metadata()["head"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            head = Head(tuple(values["labels"]), tensors["weight"], tensors["bias"])
            novelty = Novelty(tensors["descriptions"], float(values["threshold"]))
            _check_shapes(head, novelty)
            return head, novelty
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            raise ArtifactError(f"{path} is damaged; train again.") from None

    def digest_head(self) -> str:
        """Return what tells a trained head from others; empty before."""
        try:
            return hashlib.sha256((self.folder / HEAD_FILE).read_bytes()).hexdigest()[:32]
        except OSError:
            return ""

    @property
    def tuned_file(self) -> Path:
        """Where the fine-tuned part is kept."""
        return self.folder / TUNED_FILE

    def file_of(self, digest: str) -> Path:
        """Return where an example's picture is kept."""
        return self.folder / _PICTURES / f"{digest}{SUFFIX}"


def _check_shapes(head: Head, novelty: Novelty) -> None:
    """Check that what a file holds can be computed with.

    Raises:
        ValueError: If not.
    """
    if not all(isinstance(label, str) for label in head.labels):
        raise ValueError("a class without a name")
    num_classes, (num_described, _) = len(head.labels), novelty.descriptions.shape
    expected = (
        (head.weight, (num_classes, EfficientNetLite0.NUM_FEATURES)),
        (head.bias, (num_classes,)),
        (novelty.descriptions, (num_described, DESCRIPTION_SIZE)),
    )
    for tensor, shape in expected:
        if tensor.dtype != torch.float32 or tensor.shape != shape or not tensor.isfinite().all():
            raise ValueError(f"{tuple(tensor.shape)} in place of {shape}")
    if not num_described or not math.isfinite(novelty.threshold):
        raise ValueError("no examples to compare with")


def projects_dir() -> Path:
    """Return the folder of everybody's classes."""
    return runs_dir() / "classes"


def create_project(
    owner: str, labels: Sequence[str] = (), squares: dict[Square, str] | None = None
) -> Project:
    """Make a project, whole or not at all; old ones of anybody make room.

    Args:
        owner: The visitor's secret token.
        labels: Of its classes.
        squares: Its examples' pictures, each with its class.

    Raises:
        InputError: If the token is empty or no text: then it would be nobody's.
        ArtifactError: If it cannot be written.
    """
    if not isinstance(owner, str) or not owner:
        raise InputError("Classes need an owner; reload the page, which gives visitors a name.")
    remove_old_projects()
    squares = squares or {}
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
    making = projects_dir() / f"making-{name}"
    examples = tuple(Example(square.digest, label) for square, label in squares.items())
    project = Project(name, making, hash_owner(owner), tuple(labels), examples, None)
    try:
        (making / _PICTURES).mkdir(parents=True)
        for square in squares:
            project.file_of(square.digest).write_bytes(square.content)
        write_project(project)
        made = replace(project, folder=making.rename(projects_dir() / name))
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise cannot_write(error) from None
    return made


def read_own_project(project_id: object, owner: object) -> Project:
    """Read a project that a visitor has named.

    Args:
        project_id: As the visitor gave it.
        owner: The visitor's secret token.

    Raises:
        InputError: If there is no such project, or it is someone else's; the two look alike.
    """
    if is_run_id(project_id) and isinstance(owner, str) and owner:
        project = read_project(projects_dir() / str(project_id))
        if project is not None and project.owner == hash_owner(owner):
            return project
    raise InputError(
        f"You have no classes “{str(project_id)[:100]}”; they are removed a week after they were "
        "last changed."
    )


def list_own_projects(owner: object) -> list[Project]:
    """Return a visitor's projects, the newest first."""
    if not isinstance(owner, str) or not owner:
        return []
    read = (read_project(folder) for folder in list_run_folders(projects_dir()))
    return [one for one in read if one is not None and one.owner == hash_owner(owner)]


def remove_project(project: Project) -> None:
    """Remove a project with all its files, at once.

    Args:
        project: The visitor's own.
    """
    with suppress(FileNotFoundError):
        remove_folder(project.folder)


def remove_old_projects() -> None:
    """Remove what has not been changed for a week, and the oldest while all are too large.

    What a server that was killed has half made or half removed goes too.
    """
    remove_unfinished(projects_dir())
    num_bytes = 0
    newest = sorted(list_run_folders(projects_dir()), key=_changed_at, reverse=True)
    for folder in newest:
        num_bytes += measure_folder(folder)
        if time.time() - _changed_at(folder) > MAX_AGE_S or num_bytes > MAX_BYTES:
            shutil.rmtree(folder, ignore_errors=True)
            _logger.info("Removed the classes %s", folder.name)


def _changed_at(folder: Path) -> float:
    try:
        return (folder / PROJECT_FILE).stat().st_mtime
    except OSError:
        return 0.0


def read_project(folder: Path) -> Project | None:
    """Return anybody's project, None if there is none that can be read."""
    try:
        values = json.loads((folder / PROJECT_FILE).read_text("utf-8"))
        # Earlier versions did not fine-tune.
        outcome, tuned = values["outcome"], values.get("tuned")
        return Project(
            folder.name,
            folder,
            values["owner"],
            tuple(values["labels"]),
            tuple(Example(**one) for one in values["examples"]),
            None if outcome is None else Outcome.from_values(outcome),
            None if tuned is None else Tuned.from_values(tuned),
            bool(values.get("has_chosen_tuned")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_project(project: Project) -> None:
    """Replace what is written of a project.

    Raises:
        OSError: If it cannot be written.
    """
    values: dict[str, Any] = {
        "owner": project.owner,
        "labels": project.labels,
        "examples": [asdict(example) for example in project.examples],
        "outcome": None if project.outcome is None else project.outcome.as_values(),
        "tuned": None if project.tuned is None else asdict(project.tuned),
        "has_chosen_tuned": project.has_chosen_tuned,
    }
    write_json(project.folder / PROJECT_FILE, values)


def cannot_write(error: OSError) -> ArtifactError:
    """Return the error that says so."""
    return ArtifactError(
        f"Classes need to write to {projects_dir()}, which failed ({error.strerror}). "
        f"Set {RUNS_DIR_VARIABLE} to a folder with room that can be written."
    )
