"""Compressions on disk: one folder each, written by its worker, only read by the page.

Files as in `foundry.runs.folders`, `events.jsonl` with `CompressEvent`s; `result.json` holds a
`Report`, and `variants/` the compressed models.
"""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file

from foundry.compression.config import CompressConfig, CompressEvent, list_models
from foundry.compression.measurement.stored import Source
from foundry.compression.pruning import PRUNED_ARCHITECTURES
from foundry.data import DIGITS
from foundry.errors import InputError
from foundry.runs.data_sets import MNIST, is_kept
from foundry.runs.folders import AnyRun, create_folder, read_events, runs_dir
from foundry.runs.store import RunStore
from foundry.training.runs import Run, read_own_run

PROBS_FILE = "probs.safetensors"


@dataclass(frozen=True)
class CompressRun(AnyRun):
    """One reading of a compression's folder.

    Attributes:
        classes: What a network of digits tells apart, in the order of the labels.
        dataset: What it learned: `mnist`, or the id of a data set that a visitor brought.
    """

    config: CompressConfig
    # Those of earlier versions are all of digits.
    classes: tuple[str, ...] = field(default=DIGITS, kw_only=True)
    dataset: str = field(default=MNIST, kw_only=True)

    worker: ClassVar[str] = "foundry.compression.worker"

    def __post_init__(self) -> None:
        """Make a tuple of what JSON has for one."""
        object.__setattr__(self, "classes", tuple(self.classes))

    @property
    def variants_folder(self) -> Path:
        """Folder of the compressed models."""
        return self.folder / "variants"

    @cached_property
    def events(self) -> list[CompressEvent]:
        """What it has said so far."""
        return [CompressEvent(**values) for values in read_events(self.folder)]

    @property
    def sources(self) -> dict[str, Source]:
        """Where the variants can be loaded from, by name, once it has ended."""
        described = (self.result or {}).get("sources", {})
        return {
            name: Source(one["kind"], one["task"], Path(one["path"]))
            for name, one in described.items()
        }

    @cached_property
    def test_probs(self) -> dict[str, torch.Tensor]:
        """What each variant of a digit network made of the test split, float32 (N, classes).

        In the order of the table, dense first; the file has an order of its own.
        """
        assert self.result is not None
        probs = load_file(self.folder / PROBS_FILE)
        return {row["variant"]: probs[row["variant"]] for row in self.result["rows"]}

    @property
    def summary(self) -> dict[str, Any]:
        """What programs are told of it while it is under way."""
        last = self.events[-1] if self.events else None
        return {
            "run_id": self.run_id,
            "status": self.status,
            "progress": round(self.progress, 4),
            "stage": last.stage if last else "",
            "sentence": last.sentence if last else "",
            "val_accuracy": last.val_accuracy if last else None,
        }

    @property
    def progress(self) -> float:
        """Share done, in [0, 1]."""
        return self.events[-1].progress if self.events else 0.0


def compressions_dir() -> Path:
    """Return the folder of all compressions."""
    return runs_dir() / "compressions"


def create_compression(config: CompressConfig, owner: str) -> CompressRun:
    """Make the folder of a new compression, queued.

    Args:
        config: What is to be done.
        owner: The visitor's secret token.

    Raises:
        InputError: If there is no such model for this visitor, it cannot be pruned or masked, or
            what it learned is gone.
        ArtifactError: If the runs folder cannot be written.
    """
    made: dict[str, Any] = {"config": asdict(config)}
    run = _find_run(config, owner)
    if run is not None and run.has_own_data:
        made |= {"classes": run.classes, "dataset": run.config.dataset}
    return read_compression(create_folder(compressions_dir(), made, owner).name)


def _find_run(config: CompressConfig, owner: str) -> Run | None:
    """Return the run that is to be compressed, or None if it is a shipped model."""
    names = [spec.name for spec in list_models()]
    if config.model in names:
        return None
    try:
        run = read_own_run(config.model, owner)
    except InputError:
        raise InputError(
            f"There is no model “{config.model}”; choose one of {', '.join(names)}, or a run of "
            "yours by its id."
        ) from None
    if not (run.is_on_mnist or run.has_own_data):
        raise InputError(
            "This run learned signs of your hand, and no data set has them to recover and to be "
            "measured on; choose a run on MNIST or on a data set that you brought."
        )
    if not run.has_weights:
        raise InputError("This run has no weights yet; its first epoch has to end.")
    if config.is_pruned and run.config.model not in PRUNED_ARCHITECTURES:
        raise InputError("Only LeNet and CNN are pruned here; set pruning_ratio to 0.")
    if config.sparsity and run.config.model != "lenet":
        raise InputError("Masks are shown on LeNet only; set sparsity to 0.")
    if run.has_own_data and not is_kept(run.config.dataset):
        raise InputError(
            "The data set that this run learned was removed since, and without it nothing can "
            "recover or be measured; bring its file again on Train."
        )
    return run


COMPRESSIONS = RunStore(
    compressions_dir, CompressRun, CompressConfig, "You have no compression “{}”."
)
read_compression, read_own_compression = COMPRESSIONS.read, COMPRESSIONS.read_own
list_compressions, list_own_compressions = COMPRESSIONS.list_all, COMPRESSIONS.list_own
follow_compression = COMPRESSIONS.follow
