"""One call over whatever runs a model: input tensors -> logits, in PyTorch or in OpenVINO."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import torch
from torch import Tensor, nn

from foundry.data import normalize
from foundry.models.machine import without_tiles

if TYPE_CHECKING:
    import openvino as ov

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Every thread that has ever run a network keeps some 5 MB for it, and a server has as many threads
# as visitors. Two for what is long, such as a table of texts, leave two for what is short.
_num_compute_threads = 4
# Weights of a network that runs on one thread: LeNet's one image then takes two thirds of the time,
# 256 about a tenth more.
_SMALL = 100_000
_BATCH_IMAGES = 500
_of_thread = threading.local()
_guard = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


@lru_cache
def _num_cores() -> int:
    return torch.get_num_threads()


def _compute_threads(num_cores: int) -> ThreadPoolExecutor:
    """Return threads that call networks, each using so many cores for an operation."""
    with _guard:
        if num_cores not in _pools:
            _pools[num_cores] = _start_threads(num_cores)
        return _pools[num_cores]


def _start_threads(num_cores: int) -> ThreadPoolExecutor:
    # Cores that are not shared by one operation are there for another.
    num_threads = max(_num_compute_threads, _num_cores() // num_cores)
    ready = threading.Barrier(num_threads + 1)

    def start() -> None:
        _of_thread.computes = True
        # PyTorch sets up a thread when it is first asked, over what was set before.
        torch.get_num_threads()
        torch.set_num_threads(num_cores)
        ready.wait()

    threads = ThreadPoolExecutor(num_threads, f"compute-on-{num_cores}", start)
    for _ in range(num_threads):
        threads.submit(_do_nothing)
    ready.wait()
    # What was set last is what new threads of others begin with.
    torch.set_num_threads(_num_cores())
    return threads


def _do_nothing() -> None:
    pass


def expect_waiting(num_calls: int) -> None:
    """Make room for calls that wait for other processes; to be said before the first call.

    Args:
        num_calls: How many may be under way at once.
    """
    global _num_compute_threads
    _num_compute_threads = num_calls


def on_compute_thread(run: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a function that runs networks do so on one of a few threads, whoever calls it.

    Args:
        run: Takes its own gradient mode: that of the caller stays with the caller.

    Returns:
        The same function; it waits for the answer, and raises what was raised.
    """
    return _send(run, _num_cores)


def on_narrow_thread(run: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a function do what `on_compute_thread` does, on one core: for what is soon done.

    Cores that share an operation wait for one another at its end. Beside other visitors and runs
    that takes longer than a small network does.

    Args:
        run: As there.

    Returns:
        As there.
    """
    return _send(run, lambda: 1)


def _send(run: Callable[_P, _R], num_cores: Callable[[], int]) -> Callable[_P, _R]:
    @wraps(run)
    def submit(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if getattr(_of_thread, "computes", False):
            return run(*args, **kwargs)
        return _compute_threads(num_cores()).submit(run, *args, **kwargs).result()

    return submit


@lru_cache
def load_openvino() -> Any:
    """Import OpenVINO when it is first wanted: most visits do without it."""
    # OpenVINO and NNCF report their use over the network to their makers unless this package is
    # missing, which both allow for. Nothing here leaves the machine.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    with without_tiles():
        # Reads, once for the process, what it may use.
        openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return openvino


@lru_cache
def openvino_core() -> ov.Core:
    """Return what reads and compiles OpenVINO models; all share one."""
    return load_openvino().Core()


def copy_structure(model: nn.Module) -> nn.Module:
    """Return a network with the same weights, in the same memory, that may be given hooks.

    Args:
        model: Others use it at the same time, whose inputs a hook on it would see, too.
    """
    return copy.deepcopy(model, memo={id(tensor): tensor for tensor in model.parameters()})


class Predictor(Protocol):
    """What a task runs: input tensors to logits, on the CPU, from any number of threads at once.

    A network on the CPU is one as it stands.
    """

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32."""


@on_narrow_thread
def compute_logits(model: Predictor, images: Tensor) -> Tensor:
    """Compute what a digit network answers before softmax.

    Args:
        model: A classifier in evaluation mode, on the CPU, any variant of it.
        images: uint8, shape (N, 28, 28), 255 = ink.

    Returns:
        float32, shape (N, 10).
    """
    with torch.inference_mode():
        return torch.cat([model(normalize(batch)) for batch in images.split(_BATCH_IMAGES)])


class TorchPredictor:
    """A PyTorch network on any device."""

    def __init__(self, model: nn.Module) -> None:
        """Take the network.

        Args:
            model: In evaluation mode; not modified. One of transformers' has its logits taken.
        """
        self.model = model
        self._device = next(model.parameters()).device

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32, on the CPU."""
        output = self.model(*(tensor.to(self._device) for tensor in inputs))
        logits: Tensor = getattr(output, "logits", output)
        return logits.float().cpu()


class OpenVinoPredictor:
    """A compiled OpenVINO model."""

    def __init__(self, model: ov.Model) -> None:
        """Compile for the CPU.

        Args:
            model: Its inputs in the order of the call; its first output has the logits.
        """
        self.model = model
        # Once: what asks for it does so with every answer.
        self.num_bytes = sum(node.data.nbytes for node in _constants(model))
        self.compiled = openvino_core().compile_model(model, "CPU", _compile_options(model))
        self._tensor = load_openvino().Tensor
        # A request is busy while it runs: each caller takes one, and there are as many as there
        # have ever been callers at once.
        self._idle: list[ov.InferRequest] = []
        self._guard = threading.Lock()

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32, on the CPU."""
        with self._guard:
            request = self._idle.pop() if self._idle else self.compiled.create_infer_request()
        try:
            # Tensors are handed over by hand: `infer(inputs)` takes longer to sort its arguments
            # than a small network takes to run.
            for index, tensor in enumerate(inputs):
                array = tensor.contiguous().numpy()
                request.set_input_tensor(index, self._tensor(array, shared_memory=True))
            request.infer()
            # Copied out of the request, which the next caller will overwrite.
            logits = request.get_output_tensor(0).data.copy()
        finally:
            with self._guard:
                self._idle.append(request)
        return torch.from_numpy(logits)


def count_weight_bytes(predictor: object) -> int | None:
    """Return how many bytes the weights of what runs a model take.

    Args:
        predictor: A network or what runs one.

    Returns:
        Four for each in float32, one in int8; None for a model on another machine.
    """
    if isinstance(predictor, OpenVinoPredictor):
        return predictor.num_bytes
    network = predictor.model if isinstance(predictor, TorchPredictor) else predictor
    if not isinstance(network, nn.Module):
        return None
    return sum(weights.nbytes for weights in network.parameters())


def _compile_options(model: ov.Model) -> dict[str, Any]:
    return {
        # By default what is not int8 would run in bfloat16 where a processor has it: a variant is
        # to mean the same on every machine, and the int8 LeNet does not even compile like that.
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        # A thread that may run on one core only waits for whatever else runs there: many times
        # slower on a machine that does anything else.
        "ENABLE_CPU_PINNING": False,
        # As many threads as PyTorch uses, so that the two engines compare; but one where a second
        # would take longer to wake than the first to be done.
        "INFERENCE_NUM_THREADS": 1 if _is_small(model) else torch.get_num_threads(),
    }


def _is_small(model: ov.Model) -> bool:
    return sum(node.data.size for node in _constants(model)) < _SMALL


def _constants(model: ov.Model) -> list[Any]:
    return [node for node in model.get_ops() if node.get_type_name() == "Constant"]
