"""Compression as a stream of events: `for event in compress(state): ...`."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import torch
from torch import nn

from foundry.compression.config import CompressEvent, Stage
from foundry.compression.measurement.footprint import LayerChange
from foundry.compression.measurement.measure import DENSE, measure
from foundry.compression.measurement.stored import (
    make_bfloat16,
    store_compiled,
    store_network,
    weigh_pretrained,
)
from foundry.compression.measurement.workloads import (
    card_quality,
    digits_workload,
    speech_workload,
    texts_workload,
)
from foundry.compression.pruning import mask
from foundry.compression.recovery import (
    ImportanceEvent,
    PrunedTraining,
    PruneEvent,
    plan_recovery,
)
from foundry.compression.sensitivity import sense_layers
from foundry.compression.state import (
    BFLOAT16,
    COMPILED,
    INT8,
    INT8_WEIGHTS,
    MASKED,
    PRUNED,
    PRUNED_FOLDER,
    PRUNED_INT8,
    CompressState,
)
from foundry.data import DataSet
from foundry.models import VARIANTS, available_variants, load_model, load_predictor, load_pretrained
from foundry.models.calibration import SAMPLE_MAKERS, digit_samples
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.quantization import OnProgress, Sample, convert, quantize, quantize_weights
from foundry.models.runtime import OpenVinoPredictor
from foundry.models.variants import SIGNATURES
from foundry.runs.data_sets import MNIST, calibrate_on, load_data

_REPORT_EVERY_S = 0.5

T = TypeVar("T")
Events = Generator[CompressEvent, None, T]


def compress(state: CompressState) -> Iterator[CompressEvent]:
    """Prune, let it recover, quantize, mask, then measure everything beside the dense model.

    Args:
        state: A new state; filled in place. Its dense model is not modified.

    Yields:
        A `CompressEvent` whenever something has moved.

    Raises:
        InputError: If the model cannot be compressed so.
        ArtifactError: If its files are missing or damaged, or its weights are not finite.
        DivergedError: If the training that follows on pruning does.
    """
    yield state.event("load", 0.0, "Loading the model")
    if state.config.task == "digits":
        yield from _compress_digits(state)
    else:
        yield from _compress_pretrained(state)
    assert state.workload is not None
    measuring = measure(state.config.model, state.variants, state.workload)
    state.measured = yield from _as_events(state, "measure", measuring)
    for variant in state.variants:
        if variant.source.kind == "compiled" and variant.name not in (INT8, PRUNED_INT8):
            # Measured, and made again in a second; a hundred megabytes for a sentence model.
            variant.source.path.unlink()
    yield state.event("measure", 1.0, "Measured")


def _compress_digits(state: CompressState) -> Events[None]:
    config, folder = state.config, state.folder
    dense, data = load_model(state.source), load_data(state.dataset)
    samples = digit_samples(data.train)
    state.workload = digits_workload(None if state.dataset == MNIST else data)
    state.variants.append(store_network(DENSE, dense, folder / DENSE))
    state.variants.append(make_bfloat16(BFLOAT16, state.variants[0], dense, folder))
    if config.is_pruned:
        pruned = yield from _prune(state, dense, data)
    else:
        pruned = None
        if PRUNED in available_variants(state.source):
            pruned = load_model(state.source, variant=VARIANTS[PRUNED])
            state.variants.append(store_network(PRUNED, pruned, folder / PRUNED_FOLDER))
    if config.sparsity:
        yield state.event("mask", 0.0, f"Setting {config.sparsity:.0%} of the weights to zero")
        masked = mask(dense, config.sparsity, config.scope)
        state.variants.append(store_network(MASKED, masked.model, folder / MASKED, masked.changes))
    yield from _compile(state, dense, samples)
    if config.is_quantized:
        calibration = calibrate_on(state.dataset)
        load = partial(load_predictor, state.source, "cpu", VARIANTS[INT8], calibration=calibration)
        yield from _store_int8(state, INT8, dense, load, 0.3)
        if pruned is not None:
            build = partial(_quantize_digits, pruned, samples)
            yield from _store_int8(state, PRUNED_INT8, pruned, build, 0.65)
    sensing = sense_layers(dense, state.sensed_ratio, data)
    state.sensitivity = yield from _as_events(state, "sense", sensing)


def _compress_pretrained(state: CompressState) -> Events[None]:
    name, task, folder = state.config.model, state.config.task, state.folder
    shipped = WEIGHTS_DIR / name

    dense = load_pretrained(name, task)
    is_text = task == "sentiment"
    state.workload = texts_workload(dense) if is_text else speech_workload(dense)
    variant = weigh_pretrained(DENSE, dense.model, task, shipped, folder)
    state.variants.append(
        replace(variant, card_quality=card_quality(shipped, task, is_pruned=False))
    )
    state.variants.append(make_bfloat16(BFLOAT16, variant, dense.model, folder))
    networks = {INT8: dense.model}
    if PRUNED in available_variants(name):
        pruned = load_pretrained(name, task, variant=VARIANTS[PRUNED]).model
        networks[PRUNED_INT8] = pruned
        beside = shipped.parent / f"{name}-{PRUNED}"
        variant = weigh_pretrained(PRUNED, pruned, task, beside, folder)
        quality = card_quality(beside, task, is_pruned=True)
        state.variants.append(replace(variant, card_quality=quality))
    samples = SAMPLE_MAKERS[task](dense.processor)
    yield from _compile(state, dense.model, samples)
    if state.config.is_quantized:
        for index, (int8_name, network) in enumerate(networks.items()):
            load = partial(_load_compiled, name, task, int8_name)
            yield from _store_int8(state, int8_name, network, load, 0.3 + 0.35 * index)


def _load_compiled(name: str, task: str, variant: str, on_progress: OnProgress) -> Any:
    return load_pretrained(name, task, on_progress, VARIANTS[variant]).compiled


def _quantize_digits(
    network: nn.Module, samples: list[Sample], on_progress: OnProgress
) -> OpenVinoPredictor:
    return OpenVinoPredictor(quantize(network, SIGNATURES["digits"], samples, on_progress))


def _prune(state: CompressState, dense: nn.Module, data: DataSet) -> Events[nn.Module]:
    config = state.config
    yield state.event("importance", 0.0, "Asking training images what each channel is for")
    epochs = max(1, config.recovery_epochs)
    recovery = plan_recovery(epochs, state.dataset, len(data.train))
    training = PrunedTraining(dense, config.pruning_ratio, data, recovery)
    changes: tuple[LayerChange, ...] = ()
    for event in training:
        if isinstance(event, ImportanceEvent):
            state.importance = {name: list(scores) for name, scores in event.scores.items()}
            yield state.event(
                "prune", 0.0, f"Removing {config.pruning_ratio:.0%} of the channels and neurons"
            )
        elif isinstance(event, PruneEvent):
            changes = event.changes
            yield state.event(
                "recover",
                0.0,
                "Fine-tuning what is left",
                epoch=0.0,
                val_accuracy=event.val_accuracy,
            )
            if not config.recovery_epochs:
                break
        else:
            step = event.event
            share = step.step / step.num_steps
            yield state.event(
                "recover",
                share,
                f"Fine-tuning what is left: epoch {step.epoch} of {recovery.epochs}",
                epoch=share * recovery.epochs,
                train_loss=step.train_loss,
                val_accuracy=step.val_accuracy,
            )
    pruned = training.best_model().to(memory_format=torch.contiguous_format).requires_grad_(False)
    state.variants.append(store_network(PRUNED, pruned, state.folder / PRUNED_FOLDER, changes))
    return pruned


def _compile(state: CompressState, dense: nn.Module, samples: list[Sample]) -> Events[None]:
    """Add the variants that OpenVINO makes without calibration."""
    yield state.event("quantize", 0.0, "Converting for OpenVINO")
    task = state.config.task
    compiled = convert(dense, SIGNATURES[task], samples[0])
    state.variants.append(store_compiled(COMPILED, compiled, dense, task, state.folder))
    yield state.event("quantize", 0.15, "Storing weights in int8")
    weights_only = quantize_weights(convert(dense, SIGNATURES[task], samples[0]))
    state.variants.append(store_compiled(INT8_WEIGHTS, weights_only, dense, task, state.folder))


def _store_int8(
    state: CompressState,
    name: str,
    network: nn.Module,
    build: Callable[[OnProgress], Any],
    start: float,
) -> Events[None]:
    predictor = yield from _in_background(state, name, build, start, 0.35)
    variant = store_compiled(name, predictor.model, network, state.config.task, state.folder)
    state.variants.append(variant)


def _as_events(
    state: CompressState, stage: Stage, work: Generator[tuple[float, str], None, T]
) -> Events[T]:
    """Turn shares and sentences into events, and hand on what the work returns."""
    while True:
        try:
            share, sentence = next(work)
        except StopIteration as end:
            return end.value
        yield state.event(stage, share, sentence)


def _in_background(
    state: CompressState, what: str, work: Callable[[OnProgress], T], start: float, part: float
) -> Events[T]:
    """Do work that reports by a callback in a thread, with its reports as events.

    Also while it has nothing to report, so that whoever listens can leave.
    """
    reports: queue.Queue[tuple[float, str] | None] = queue.Queue()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(lambda *report: reports.put(report)))
        except BaseException as error:
            errors.append(error)
        finally:
            reports.put(None)

    threading.Thread(target=run, daemon=True).start()
    share, sentence = 0.0, "starting"
    while True:
        try:
            report = reports.get(timeout=_REPORT_EVERY_S)
        except queue.Empty:
            pass
        else:
            if report is None:
                break
            share, sentence = report
        yield state.event("quantize", start + part * share, f"{what}: {sentence}")
    if errors:
        raise errors[0]
    return results[0]
