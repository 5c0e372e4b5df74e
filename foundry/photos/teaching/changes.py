"""Changing a visitor's classes: what was read may be old, so each change looks at the disk anew."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors.torch import save, save_file
from torch import Tensor

from foundry.errors import InputError
from foundry.photos.teaching.archive import HEAD_FILE
from foundry.photos.teaching.examples import (
    Example,
    check_label,
    check_labels,
    check_room,
    find_elsewhere,
)
from foundry.photos.teaching.learning import Learned
from foundry.photos.teaching.outcome import Tuned
from foundry.photos.teaching.pictures import Square
from foundry.photos.teaching.projects import (
    FEATURES_FILE,
    Project,
    cannot_write,
    read_project,
    write_project,
)

_LOCK_FILE = "lock"
_LOCK_S = 20.0


def add_squares(project: Project, label: str, squares: Sequence[Square]) -> tuple[Project, int]:
    """Add examples to a class, all or none; one that is not there is made with them.

    Args:
        project: The visitor's own.
        label: Of the class.
        squares: Their pictures.

    Returns:
        The project, and how many of the pictures the class had already.

    Raises:
        InputError: If the name is not accepted, another class has one of the pictures, or there are
            too many pictures or classes.
    """
    num_twice = 0
    name = check_label(label)

    def add(now: Project) -> Project:
        nonlocal num_twice
        labels = tuple(dict.fromkeys([*now.labels, name]))
        check_labels(labels)
        known = {one.digest for one in now.examples}
        for square in squares:
            find_elsewhere(now.examples, square.digest, name)
        fresh = {one.digest: one for one in squares if one.digest not in known}
        num_twice = len(squares) - len(fresh)
        check_room(name, now.examples, len(fresh))
        for square in fresh.values():
            now.file_of(square.digest).write_bytes(square.content)
        added = (Example(one, name) for one in fresh)
        return replace(now, labels=labels, examples=(*now.examples, *added))

    return _change(project, add), num_twice


def remove_example(project: Project, digest: str) -> Project:
    """Remove an example with its picture; one that is not there is no error."""

    def remove(now: Project) -> Project:
        kept = tuple(one for one in now.examples if one.digest != digest)
        for one in set(now.examples) - set(kept):
            now.file_of(one.digest).unlink(missing_ok=True)
        return replace(now, examples=kept)

    return _change(project, remove)


def remove_class(project: Project, label: str) -> Project:
    """Remove a class with its examples; one that is not there is no error."""

    def remove(now: Project) -> Project:
        kept = tuple(one for one in now.examples if one.label != label)
        for one in set(now.examples) - set(kept):
            now.file_of(one.digest).unlink(missing_ok=True)
        labels = tuple(one for one in now.labels if one != label)
        return replace(now, labels=labels, examples=kept)

    return _change(project, remove)


def keep_learned(
    project: Project, learned: Learned, split: Sequence[Example], features: dict[str, Tensor]
) -> Project:
    """Write down what came out of a teaching.

    Args:
        project: As it was when the teaching began.
        learned: What came out.
        split: The examples that it was taught.
        features: By digest.
    """
    taught = {one.digest: replace(one, is_new=False) for one in split}
    head, novelty = learned.head, learned.novelty
    values = {"labels": head.labels, "threshold": novelty.threshold}
    tensors = {
        "weight": head.weight.contiguous(),
        "bias": head.bias.contiguous(),
        "descriptions": novelty.descriptions.contiguous(),
    }

    def keep(now: Project) -> Project:
        # What was added meanwhile stays new.
        examples = tuple(taught.get(one.digest, one) for one in now.examples)
        known = {one.digest for one in examples}
        kept = {digest: row for digest, row in features.items() if digest in known}
        _replace_file(
            now.folder / FEATURES_FILE, lambda file: save_file(kept, file) if kept else None
        )
        content = save(tensors, metadata={"head": json.dumps(values, ensure_ascii=False)})
        _replace_file(now.folder / HEAD_FILE, lambda file: file.write_bytes(content))
        now.tuned_file.unlink(missing_ok=True)
        return replace(
            now, examples=examples, outcome=learned.outcome, tuned=None, has_chosen_tuned=False
        )

    return _change(project, keep)


def keep_tuned(project: Project, content: bytes, tuned: Tuned, taught: str) -> Project:
    """Write down what came out of a fine-tuning; it answers from then on unless it is worse.

    Args:
        project: The visitor's own.
        content: Of the file with the fine-tuned part.
        tuned: What it is worth.
        taught: Digest of the head that it went on from.

    Raises:
        InputError: If the classes were trained anew meanwhile.
    """

    def keep(now: Project) -> Project:
        if now.digest_head() != taught:
            raise InputError("the classes were trained anew meanwhile; fine-tune again")
        _replace_file(now.tuned_file, lambda file: file.write_bytes(content))
        is_worse = tuned.num_right < tuned.num_right_of_head
        return replace(now, tuned=tuned, has_chosen_tuned=not is_worse)

    return _change(project, keep)


def choose_tuned(project: Project, has_chosen_tuned: bool) -> Project:
    """Let the fine-tuned network answer, or the head alone.

    Raises:
        InputError: If nothing was fine-tuned.
    """

    def choose(now: Project) -> Project:
        if has_chosen_tuned and now.tuned is None:
            raise InputError("These classes were not fine-tuned; the head alone answers.")
        return replace(now, has_chosen_tuned=has_chosen_tuned)

    return _change(project, choose)


@contextmanager
def hold(project: Project) -> Iterator[Project]:
    """Let nobody else change a project while the block lasts, so that its files fit together.

    Args:
        project: The visitor's own.

    Yields:
        The project as it is now.

    Raises:
        InputError: If it was deleted meanwhile, or is being changed elsewhere for too long.
        ArtifactError: If it cannot be written.
    """
    if not project.folder.exists():
        # Else the lock would make it anew.
        raise InputError("These classes were deleted meanwhile.")
    try:
        with FileLock(project.folder / _LOCK_FILE, timeout=_LOCK_S):
            now = read_project(project.folder)
            if now is None:
                raise InputError("These classes were deleted meanwhile.")
            yield now
    except Timeout:
        raise InputError("These classes are being changed elsewhere; try again.") from None
    except FileNotFoundError:
        raise InputError("These classes were deleted meanwhile.") from None
    except OSError as error:
        raise cannot_write(error) from None


def _change(project: Project, change: Callable[[Project], Project]) -> Project:
    with hold(project) as now:
        changed = change(now)
        write_project(changed)
        return changed


def _replace_file(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_suffix(".partial")
    write(partial)
    if partial.exists():
        partial.replace(path)
