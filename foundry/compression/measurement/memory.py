"""Peak memory of a variant of a model, in a process of its own."""

import importlib
import json
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from foundry.compression.measurement.stored import Source, load_source
from foundry.models.quantization import Sample
from foundry.models.runtime import openvino_core

_STATUS = Path("/proc/self/status")
_NUM_CALLS = 3
_PATIENCE_S = 120.0


def peak_memory(source: Source, single: Sample, batch: Sample) -> int | None:
    """Measure what loading and running a variant takes on top of the libraries.

    Args:
        source: Where it is.
        single: One input.
        batch: Several.

    Returns:
        Bytes of resident memory at the peak, less what the process had before it loaded the
        variant; None where the system does not tell (it is read from Linux's `/proc`).
    """
    if not _STATUS.exists():
        return None
    # A server that has imported the libraries and never run them is forked for each variant: it
    # starts at once, and nothing of the variant before is left in it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["foundry.compression.measurement.memory", *_libraries(source)])
    receiver, sender = context.Pipe(duplex=False)
    arrays = [[tensor.numpy() for tensor in sample] for sample in (single, batch)]
    process = context.Process(
        target=_measure, args=(sender, source, arrays, torch.get_num_threads()), daemon=True
    )
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(_PATIENCE_S) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def _libraries(source: Source) -> list[str]:
    """Return what a network's classes are imported from, which is not the variant's own memory."""
    if source.task == "digits" or source.kind == "compiled":
        return []
    kind = json.loads((source.path / "config.json").read_text("utf-8"))["model_type"]
    return [f"transformers.models.{kind}.modeling_{kind}"]


def _measure(
    sender: Connection, source: Source, arrays: list[list[np.ndarray]], num_threads: int
) -> None:
    torch.set_num_threads(num_threads)
    for library in _libraries(source):
        importlib.import_module(library)
    # What the engines set up at their first call is no variant's own either.
    torch.conv2d(torch.zeros(8, 8, 32, 32), torch.zeros(8, 8, 3, 3))
    torch.zeros(64, 64) @ torch.zeros(64, 64)
    openvino_core().get_property("CPU", "FULL_DEVICE_NAME")
    # The peak so far, that of the imports, is forgotten.
    Path("/proc/self/clear_refs").write_text("5")
    before = _read_bytes("VmRSS")
    predict = load_source(source)
    for inputs in arrays:
        for _ in range(_NUM_CALLS):
            predict(*(torch.from_numpy(array) for array in inputs))
    sender.send(max(0, _read_bytes("VmHWM") - before))


def _read_bytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"{_STATUS} has no {field}.")
