"""Predictors whose networks run in replicas elsewhere, and here if those do not answer.

`models.loading` asks `find_remote()` before it loads anything; unless `answer_elsewhere()`
was called there is nothing to find. Of Ray this module knows a handle, which it is given, and what
can go wrong with a call.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from foundry.models.runtime import Predictor
from foundry.models.variants import Variant

# A first replica takes seconds to start; a node that went silent is noticed within half a minute.
_PATIENCE_S = 45.0
_RETRY_S = 0.2
# After a call that was in vain the next ones do not wait for the same again.
_PAUSE_S = 30.0

_logger = logging.getLogger(__name__)
_elsewhere: Mapping[tuple[str, Variant], Predictor] = {}


def answer_elsewhere(predictors: Mapping[tuple[str, Variant], Predictor]) -> None:
    """Have models answered by others than this process, from now on.

    Args:
        predictors: By model and variant; replaces what was said before.
    """
    global _elsewhere
    _elsewhere = predictors


def find_remote(name: str | Path, variant: Variant) -> Predictor | None:
    """Return what answers for a model in this process's place, or None.

    Args:
        name: As `load_predictor()` takes it; a folder never has one.
        variant: Which variant of it.
    """
    return _elsewhere.get((name, variant)) if isinstance(name, str) else None


class _NoAnswerError(Exception):
    """No replica will answer a call; says why."""


class RemotePredictor:
    """One model in one variant behind a handle of Ray Serve.

    A call gives the same answer however often it is made, so one whose replica or node was lost is
    made again. Where that does not help, the answer is computed in this process: whoever asked gets
    one either way.
    """

    def __init__(
        self,
        name: str,
        handle: Any,
        fingerprint: str,
        load_here: Callable[[], Predictor],
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Take the handle.

        Args:
            name: What messages call it.
            handle: A `DeploymentHandle`; takes the fingerprint and arrays, gives an array.
            fingerprint: Of the files and libraries here; a replica with others refuses to answer.
            load_here: Loads what answers in this process; called when it is first needed.
            patience_s: How long a call may take, repetitions included.
        """
        self._name, self._handle, self._fingerprint = name, handle, fingerprint
        self._load_here, self._patience_s = load_here, patience_s
        self._here_until = 0.0

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32, on the CPU."""
        if time.monotonic() >= self._here_until:
            try:
                return self._ask([tensor.numpy() for tensor in inputs])
            except _NoAnswerError as reason:
                self._here_until = time.monotonic() + _PAUSE_S
                _logger.warning(
                    "%s is answered by the page's own process for the next %.0f s: %s",
                    self._name,
                    _PAUSE_S,
                    reason,
                )
        return self._load_here()(*inputs)

    def _ask(self, arrays: list[np.ndarray]) -> Tensor:
        ends_at = time.monotonic() + self._patience_s
        while True:
            try:
                return self._ask_once(arrays, max(0.0, ends_at - time.monotonic()))
            except Exception as error:
                if not _is_passing(error) or time.monotonic() + _RETRY_S > ends_at:
                    raise _NoAnswerError(_explain(error, self._patience_s)) from error
            time.sleep(_RETRY_S)

    def _ask_once(self, arrays: list[np.ndarray], timeout_s: float) -> Tensor:
        response = self._handle.remote(self._fingerprint, *arrays)
        try:
            answer = response.result(timeout_s=timeout_s)
        except TimeoutError:
            # Nobody waits for it any more.
            with contextlib.suppress(Exception):
                response.cancel()
            raise
        # Ray's arrays are read-only views of its store.
        return torch.from_numpy(np.array(answer))


def _is_passing(error: Exception) -> bool:
    """Tell whether the same call may succeed on another replica, or a little later."""
    from ray import exceptions
    from ray.serve.exceptions import BackPressureError, ReplicaUnavailableError

    lasting = (
        # What the replica itself raised, it would raise again.
        exceptions.RayTaskError,
        exceptions.ObjectStoreFullError,
        exceptions.OutOfDiskError,
        TimeoutError,
    )
    passing = (exceptions.RayError, BackPressureError, ReplicaUnavailableError)
    return isinstance(error, passing) and not isinstance(error, lasting)


def _explain(error: Exception, patience_s: float) -> str:
    from ray import exceptions

    if isinstance(error, exceptions.ObjectStoreFullError):
        return "Ray's object store is full; start Ray with a larger --object-store-memory."
    if isinstance(error, exceptions.OutOfDiskError):
        return "the disk that Ray's object store spills to is full."
    if isinstance(error, exceptions.RayTaskError):
        return f"{error.cause}"
    if isinstance(error, TimeoutError):
        return (
            f"no replica answered within {patience_s:.0f} s; the cluster may have no core free for "
            "one."
        )
    return f"no replica could be reached ({type(error).__name__})."
