"""One model's deployment for as long as it is measured, and clients that check their answers."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from ray import serve
from ray.serve.context import _get_global_client  # noqa: PLC2701 Ray offers no other way.
from torch import Tensor

from foundry.models import VARIANTS
from foundry.models.loading import ModelSpec
from foundry.models.quantization import Sample
from foundry.models.remote import RemotePredictor
from foundry.models.runtime import Predictor
from foundry.serving.replica import build_replicas, deployment_name, fingerprint

_POLL_S = 0.1
_PATIENCE_S = 300.0
_TOLERANCE = 1e-3
_numbers = itertools.count()


@dataclass
class Deployed:
    """A running deployment of one model in one variant.

    Attributes:
        title: Its name.
        application: What it is all of.
        predict: Asks it.
        num_local: Calls that no replica answered.
    """

    spec: ModelSpec
    variant: str
    title: str
    application: str
    predict: Predictor = field(init=False)
    num_local: int = 0

    def run(self, **options: Any) -> None:
        """Start it, or change the one that runs; returns when the replicas are there.

        Args:
            options: Of `serve.deployment`.
        """
        # The same handle goes on: Ray Serve tells it of the change.
        handle = serve.run(
            build_replicas(self.spec, self.variant, **options),
            name=self.application,
            route_prefix=None,
        )
        identity = fingerprint(self.spec.name, VARIANTS[self.variant])
        self.predict = RemotePredictor(self.title, handle, identity, self._count_local)

    def _count_local(self) -> Predictor:
        self.num_local += 1
        return lambda *_: torch.full((1, 1), torch.nan)

    def replicas(self) -> list[dict[str, Any]]:
        """Return the running replicas as `serve status` has them, with `pid` and `node_id`."""
        return list_replicas(self.application, self.title)

    def wait_for(self, number: int) -> float:
        """Wait until so many replicas run; return the seconds it took."""
        started = time.perf_counter()
        while len(self.replicas()) != number:
            if time.perf_counter() - started > _PATIENCE_S:
                raise RuntimeError(f"{self.title} never had {number} replicas.")
            time.sleep(_POLL_S)
        return time.perf_counter() - started


def list_replicas(app: str, deployment: str) -> list[dict[str, Any]]:
    """Return the running replicas of a deployment, each with `pid`, `node_id` and `actor_id`."""
    details = _get_global_client().get_serve_details()
    replicas = details["applications"][app]["deployments"][deployment]["replicas"]
    return [replica for replica in replicas if replica["state"] == "RUNNING"]


@contextlib.contextmanager
def deployed(spec: ModelSpec, variant: str, **options: Any) -> Iterator[Deployed]:
    """Deploy one model in one variant as long as the block lasts.

    Args:
        spec: The model.
        variant: The name of one.
        options: Of `serve.deployment`.
    """
    # Never the same name twice: handles take half a minute to see that a deployment is another one.
    application = f"measured-{next(_numbers)}"
    one = Deployed(spec, variant, deployment_name(spec.name, variant), application)
    one.run(**options)
    try:
        yield one
    finally:
        serve.delete(one.application)


@dataclass
class Tally:
    """What clients met.

    Attributes:
        num_right: Answers that are the expected ones.
        num_wrong: Others.
        errors: Calls that raised, as text.
    """

    num_right: int = 0
    num_wrong: int = 0
    errors: list[str] = field(default_factory=list)


@contextlib.contextmanager
def asking(predict: Predictor, sample: Sample, expected: Tensor, number: int) -> Iterator[Tally]:
    """Let clients ask, each at once again, as long as the block lasts.

    Args:
        predict: Whom.
        sample: What.
        expected: The answer.
        number: How many clients.

    Yields:
        The tally, which goes on until the end of the block.
    """
    tally, lock, gone = Tally(), threading.Lock(), threading.Event()
    threads = [
        threading.Thread(target=partial(_ask, predict, sample, expected, tally, lock, gone))
        for _ in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        gone.set()
        for thread in threads:
            thread.join()


def _ask(
    predict: Predictor,
    sample: Sample,
    expected: Tensor,
    tally: Tally,
    lock: threading.Lock,
    gone: threading.Event,
) -> None:
    while not gone.is_set():
        try:
            answer = predict(*sample)
        except Exception as error:  # Whatever it is, somebody has no answer.
            with lock:
                tally.errors.append(f"{type(error).__name__}: {error}")
            continue
        is_right = answer.shape == expected.shape and torch.allclose(
            answer, expected, atol=_TOLERANCE
        )
        with lock:
            tally.num_right += is_right
            tally.num_wrong += not is_right
