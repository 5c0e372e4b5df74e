"""What the app runs on: versions of what it is made with, and the machine under it."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from foundry.errors import InputError

PACKAGES = ("torch", "gradio", "transformers", "openvino", "nncf")
_CPU_INFO = Path("/proc/cpuinfo")
# How far oneDNN goes with the instructions that a processor has.
_ISA = "ONEDNN_MAX_CPU_ISA"


@dataclass(frozen=True)
class Machine:
    """A machine at a moment.

    Attributes:
        processor: What it calls itself.
        num_cores: Cores that this process may use.
        num_threads: Threads that PyTorch computes with, and OpenVINO at most.
        memory_bytes: In all.
        load_average: Processes that wanted a processor in the last minute; None where the system
            does not tell.
    """

    processor: str
    num_cores: int
    num_threads: int
    memory_bytes: int
    load_average: float | None


def list_versions() -> dict[str, str]:
    """Return name -> version of Python and of what the app is built on."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def look_at_machine() -> Machine:
    """Return the machine as it is now."""
    can_tell = hasattr(os, "sched_getaffinity")
    return Machine(
        processor=_read_processor(),
        num_cores=len(os.sched_getaffinity(0)) if can_tell else os.cpu_count() or 1,
        num_threads=torch.get_num_threads(),
        memory_bytes=psutil.virtual_memory().total,
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def select_precision(device: torch.device) -> torch.dtype:
    """Return what training computes in: bfloat16 where the processor has tiles for it.

    With no more than vector instructions for it, everything here trains faster in float32: LeNet
    1.4 times, BERT 1.3 times, Wav2Vec2 1.3 times.

    Args:
        device: Where the training is.
    """
    has_tiles = torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.bfloat16 if device.type == "cpu" and has_tiles else torch.float32


def autocast() -> torch.autocast:
    """Return the context in which recipes compute their losses on the processor."""
    is_reduced = select_precision(torch.device("cpu")) == torch.bfloat16
    return torch.autocast("cpu", torch.bfloat16, enabled=is_reduced)


@contextmanager
def without_tiles() -> Iterator[None]:
    """Keep OpenVINO from the tiles (AMX) of newer processors.

    Its int8 kernels on tiles give wrong numbers where an input's length may vary, or end the
    process: https://github.com/openvinotoolkit/openvino/issues/37577. Nothing can be chosen but by
    this variable of oneDNN, the library beneath it, of which PyTorch has a copy of its own.
    """
    # PyTorch's copy, which trains on tiles, reads the variable now, and only once.
    torch.ones(1).to_mkldnn()
    if _ISA in os.environ:
        yield
        return
    os.environ[_ISA] = "AVX512_CORE_VNNI"
    try:
        yield
    finally:
        # Two threads may be here at once.
        os.environ.pop(_ISA, None)


def _read_processor() -> str:
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def select_device(name: str = "auto") -> torch.device:
    """Choose where models run.

    Args:
        name: `auto` (a GPU when there is one), `cpu`, `cuda`, `cuda:1`, `mps` and so on.

    Raises:
        InputError: If torch does not know the device or the machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):
        raise InputError(
            f"Device “{name}” is not available here; use auto, cpu or a GPU that torch can see."
        ) from None
    return device
