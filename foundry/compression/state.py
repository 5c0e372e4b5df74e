"""What a compression carries from stage to stage, and what it reports."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from foundry.compression.config import CompressConfig, CompressEvent, Stage
from foundry.compression.measurement.histograms import count_weights
from foundry.compression.measurement.measure import DENSE, Measured
from foundry.compression.measurement.stored import Source, StoredVariant
from foundry.compression.measurement.workloads import Workload
from foundry.compression.sensitivity import Sensitivity
from foundry.runs.data_sets import MNIST

PRUNED, INT8, PRUNED_INT8 = "pruned", "int8", "pruned-int8"
# Beside `dense`, as shipped models have it.
PRUNED_FOLDER = f"{DENSE}-{PRUNED}"
MASKED, BFLOAT16, COMPILED, INT8_WEIGHTS = "masked", "bfloat16", "compiled", "int8 weights"

# About how long each takes, for the bar.
_COST: dict[Stage, float] = {
    "load": 1.0,
    "importance": 1.0,
    "prune": 1.0,
    "recover": 12.0,
    "mask": 1.0,
    "quantize": 8.0,
    "sense": 10.0,
    "measure": 16.0,
}


@dataclass
class CompressState:
    """What a compression carries from stage to stage; `compress()` fills it.

    Attributes:
        config: What is to be done.
        source: The dense model, as `load_model()` takes it.
        folder: Where the compressed models go.
        dataset: What a network of digits learned, recovers and is measured on: `mnist`, or the id
            of a data set that somebody brought.
        importance: By layer, of each channel or neuron, at least 0.
        variants: What there is to measure so far; dense is the first.
        sensitivity: What each layer bears.
        workload: What to measure it with.
        measured: What came out; None until the end.
    """

    config: CompressConfig
    source: str | Path
    folder: Path
    dataset: str = MNIST
    importance: dict[str, list[float]] = field(default_factory=dict)
    variants: list[StoredVariant] = field(default_factory=list)
    sensitivity: list[Sensitivity] = field(default_factory=list)
    workload: Workload | None = None
    measured: Measured | None = None
    started: float = field(default_factory=time.monotonic)

    def event(self, stage: Stage, share: float, sentence: str, **recovery: Any) -> CompressEvent:
        """Make an event.

        Args:
            stage: What is being done.
            share: How much of that is done, in [0, 1].
            sentence: The same for people.
            recovery: The event's other fields.
        """
        skipped: set[Stage] = set() if self.config.sparsity else {"mask"}
        if self.config.task != "digits":
            skipped |= {"sense"}
        if not self.config.is_pruned:
            skipped |= {"importance", "prune", "recover"}
        costs = {name: cost for name, cost in _COST.items() if name not in skipped}
        stages = list(costs)
        before = sum(costs[name] for name in stages[: stages.index(stage)])
        progress = min(1.0, (before + share * costs[stage]) / sum(costs.values()))
        elapsed_s = time.monotonic() - self.started
        return CompressEvent(stage, sentence, progress, elapsed_s, **recovery)

    def report(self) -> dict[str, Any]:
        """Return what came out, as plain values."""
        assert self.measured is not None and self.workload is not None
        rows = [asdict(row) for row in self.measured.rows]
        return {
            "row": next(row for row in rows if row["variant"] == self.result_name),
            "rows": rows,
            "unit": self.workload.unit,
            "samples": self.workload.samples,
            "classes": list(self.workload.classes),
            "quality_name": self.workload.quality_name,
            "load_average": self.measured.load_average,
            "num_threads": torch.get_num_threads(),
            "importance": self.importance,
            "sensitivity": [asdict(one) for one in self.sensitivity],
            "sensed_ratio": self.sensed_ratio,
            "histograms": [asdict(one) for one in count_weights(self.variants)],
            "sources": {
                variant.name: _describe(variant.source)
                for variant in self.variants
                if variant.source.path.exists()
            },
            "changes": {
                variant.name: [asdict(change) for change in variant.changes]
                for variant in self.variants
                if variant.changes
            },
        }

    @property
    def sensed_ratio(self) -> float:
        """Share taken out of one layer at a time to see what it bears."""
        return self.config.pruning_ratio or CompressConfig.pruning_ratio

    @property
    def result_name(self) -> str:
        """The variant that the visitor asked for."""
        if self.config.is_pruned:
            return PRUNED_INT8 if self.config.is_quantized else PRUNED
        if self.config.is_quantized:
            return INT8
        return MASKED if self.config.sparsity else DENSE


def _describe(source: Source) -> dict[str, str]:
    return {"kind": source.kind, "task": source.task, "path": str(source.path)}
