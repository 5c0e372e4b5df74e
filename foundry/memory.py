"""Peak memory of a form of a model, in a process of its own."""

import multiprocessing
from pathlib import Path

import torch

from foundry.forms import Source, load_source
from foundry.quantization import Sample
from foundry.runtime import load_openvino

_STATUS = Path("/proc/self/status")
_NUM_CALLS = 3
_PATIENCE_S = 120.0


def peak_memory(source: Source, single: Sample, batch: Sample) -> int | None:
    """Measure what loading and running a form takes on top of the libraries.

    Args:
        source: Where it is.
        single: One input.
        batch: Several.

    Returns:
        Bytes of resident memory at the peak, less what the process had before it loaded the form;
        None where the system does not tell (it is read from Linux's `/proc`).
    """
    if not _STATUS.exists():
        return None
    # A server that has imported the libraries and never run them is forked for each form: it
    # starts at once, and nothing of the form before is left in it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["foundry.memory"])
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


def _measure(sender, source, arrays, num_threads) -> None:  # type: ignore[no-untyped-def]
    torch.set_num_threads(num_threads)
    load_openvino()
    if source.task != "digits":
        import transformers.models.auto.modeling_auto  # noqa: F401
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
