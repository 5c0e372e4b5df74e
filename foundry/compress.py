"""Compression as a stream of events: `for event in compress(state): ...`."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from foundry.calibration import digit_samples
from foundry.compress_config import CompressConfig, CompressEvent, Stage
from foundry.data import load_mnist, normalize
from foundry.forms import Form, store_bfloat16, store_compiled, store_network
from foundry.measure import DENSE, Measured, measure
from foundry.models import load_model
from foundry.pruning import mask, prune, rank_channels
from foundry.quantization import OnProgress, convert, quantize
from foundry.train_config import TrainConfig
from foundry.training import TrainState, evaluate, train
from foundry.variants import SIGNATURES
from foundry.workloads import Workload, digits_workload

PRUNED, INT8, PRUNED_INT8 = "pruned", "int8", "pruned-int8"
MASKED, BFLOAT16, COMPILED = "masked", "bfloat16", "dense, OpenVINO"

# Images by whose gradients a channel's importance is judged.
_NUM_JUDGES = 2048
# Peak of one-cycle, less than for training from nothing.
_RECOVERY_RATE = 4e-3
# About how long each takes, for the bar.
_COST: dict[Stage, float] = {
    "load": 1.0,
    "importance": 1.0,
    "prune": 1.0,
    "recover": 12.0,
    "quantize": 6.0,
    "mask": 1.0,
    "measure": 14.0,
}

T = TypeVar("T")
Events = Generator[CompressEvent, None, T]


@dataclass
class CompressState:
    """What a compression carries from stage to stage; `compress()` fills it.

    Attributes:
        config: What is to be done.
        source: The dense model, as `load_model()` takes it.
        folder: Where the compressed models go.
        importance: By layer, of each channel or neuron, at least 0.
        forms: What there is to measure so far.
        workload: What to measure it with.
        measured: What came out; None until the end.
    """

    config: CompressConfig
    source: str | Path
    folder: Path
    importance: dict[str, list[float]] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)
    workload: Workload | None = None
    measured: Measured | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def stages(self) -> list[Stage]:
        """What will be done, in order."""
        pruned: list[Stage] = ["importance", "prune", "recover"] if self.config.is_pruned else []
        masked: list[Stage] = ["mask"] if self.config.sparsity else []
        return ["load", *pruned, *masked, "quantize", "measure"]

    def event(self, stage: Stage, share: float, sentence: str, **recovery: Any) -> CompressEvent:
        """Make an event.

        Args:
            stage: What is being done.
            share: How much of that is done, in [0, 1].
            sentence: The same for people.
            recovery: The event's other fields.
        """
        costs = {name: _COST[name] for name in self.stages}
        before = sum(cost for name, cost in costs.items() if _comes_first(costs, name, stage))
        progress = (before + share * costs[stage]) / sum(costs.values())
        elapsed_s = time.monotonic() - self.started
        return CompressEvent(stage, sentence, min(1.0, progress), elapsed_s, **recovery)

    def report(self) -> dict[str, Any]:
        """Return what came out, as plain values."""
        assert self.measured is not None and self.workload is not None
        rows = [asdict(row) for row in self.measured.rows]
        return {
            "row": rows[[form.name for form in self.forms].index(self.result_name)],
            "rows": rows,
            "unit": self.workload.unit,
            "samples": self.workload.samples,
            "quality_name": self.workload.quality_name,
            "load_average": self.measured.load_average,
            "num_threads": torch.get_num_threads(),
            "importance": self.importance,
            "changes": {
                form.name: [asdict(change) for change in form.changes]
                for form in self.forms
                if form.changes
            },
        }

    @property
    def result_name(self) -> str:
        """The form that the visitor asked for."""
        if self.config.is_pruned:
            return PRUNED_INT8 if self.config.is_quantized else PRUNED
        if self.config.is_quantized:
            return INT8
        return MASKED if self.config.sparsity else DENSE


def _comes_first(costs: dict[Stage, float], name: Stage, stage: Stage) -> bool:
    names = list(costs)
    return names.index(name) < names.index(stage)


def compress(state: CompressState) -> Iterator[CompressEvent]:
    """Prune, let it recover, quantize, mask, then measure everything beside the dense model.

    Args:
        state: A new state; filled in place. Its dense model is not modified.

    Yields:
        A `CompressEvent` whenever something has moved.
    """
    config = state.config
    yield state.event("load", 0.0, "Loading the model and MNIST")
    dense = load_model(state.source)
    state.forms.append(store_network(DENSE, dense, state.folder))
    state.forms.append(store_bfloat16(BFLOAT16, dense, state.folder))
    pruned = (yield from _prune(state, dense)) if config.is_pruned else None
    if config.sparsity:
        yield state.event("mask", 0.0, f"Setting {config.sparsity:.0%} of the weights to zero")
        masked = mask(dense, config.sparsity, config.scope)
        state.forms.append(store_network(MASKED, masked.model, state.folder, masked.changes))
    yield state.event("quantize", 0.0, "Converting for OpenVINO")
    signature = SIGNATURES["digits"]
    compiled = convert(dense, signature, digit_samples()[0])
    state.forms.append(store_compiled(COMPILED, compiled, dense, "digits", state.folder))
    if config.is_quantized:
        yield from _quantize(state, INT8, dense, 0.0)
        if pruned:
            yield from _quantize(state, PRUNED_INT8, pruned, 0.5)
    state.workload = digits_workload()
    measuring = measure(config.model, state.forms, state.workload)
    state.measured = yield from _stage(state, "measure", measuring)
    yield state.event("measure", 1.0, "Measured")


def _prune(state: CompressState, dense: nn.Module) -> Events[nn.Module]:
    ratio = state.config.pruning_ratio
    mnist = load_mnist()
    judges = mnist.train.head(_NUM_JUDGES)
    images = normalize(judges.images)
    yield state.event("importance", 0.0, f"Asking {len(judges):,} images what each channel is for")
    scores = rank_channels(dense, images, judges.labels)
    state.importance = {name: values.tolist() for name, values in scores.items()}
    yield state.event("prune", 0.0, f"Removing {ratio:.0%} of the channels and neurons")
    pruned = prune(dense, ratio, images, judges.labels)
    model = pruned.model
    if state.config.recovery_epochs:
        model = yield from _recover(state, pruned.model)
    state.forms.append(store_network(PRUNED, model, state.folder, pruned.changes))
    return model


def _recover(state: CompressState, pruned: Any) -> Events[nn.Module]:
    epochs = state.config.recovery_epochs
    config = TrainConfig(
        model=pruned.config["architecture"], epochs=epochs, learning_rate=_RECOVERY_RATE
    )
    mnist = load_mnist()
    training = TrainState(config, start=pruned)
    # What pruning alone left, for the curve to start from.
    before = evaluate(pruned, mnist.val)
    yield state.event(
        "recover", 0.0, "Fine-tuning what is left", epoch=0.0, val_accuracy=before.accuracy
    )
    for event in train(training, mnist):
        yield state.event(
            "recover",
            event.step / event.num_steps,
            f"Fine-tuning what is left: epoch {event.epoch} of {epochs}",
            epoch=event.step / training.steps_per_epoch,
            train_loss=event.train_loss,
            val_accuracy=event.val_accuracy,
        )
    return training.best_model().to(memory_format=torch.contiguous_format).requires_grad_(False)


def _quantize(state: CompressState, name: str, model: nn.Module, start: float) -> Events[None]:
    def work(on_progress: OnProgress) -> Any:
        return quantize(model, SIGNATURES["digits"], digit_samples(), on_progress)

    for share, sentence in (working := _InBackground(work)):
        yield state.event("quantize", start + share / 2, f"{name}: {sentence}")
    state.forms.append(store_compiled(name, working.result, model, "digits", state.folder))


def _stage(
    state: CompressState, stage: Stage, work: Generator[tuple[float, str], None, T]
) -> Events[T]:
    """Turn shares and sentences into events, and hand on what the work returns."""
    while True:
        try:
            share, sentence = next(work)
        except StopIteration as end:
            return end.value
        yield state.event(stage, share, sentence)


class _InBackground:
    """Work that reports by a callback, as an iterable of its reports."""

    def __init__(self, work: Callable[[OnProgress], Any]) -> None:
        self._work = work
        self._reports: queue.Queue[tuple[float, str] | None] = queue.Queue()
        self._error: BaseException | None = None
        self.result: Any = None

    def __iter__(self) -> Iterator[tuple[float, str]]:
        threading.Thread(target=self._run, daemon=True).start()
        while (report := self._reports.get()) is not None:
            yield report
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self.result = self._work(lambda *report: self._reports.put(report))
        except BaseException as error:
            self._error = error
        finally:
            self._reports.put(None)
