"""A deployment of Ray Serve: replicas that each run one model in one variant, on one thread."""

import asyncio
import hashlib
import json
import math
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from ray import serve

from foundry.errors import InputError
from foundry.models import DENSE, VARIANTS, Variant, load_predictor, load_pretrained
from foundry.models.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR, ModelSpec
from foundry.models.shipped import hash_file
from foundry.models.variants import MAKERS, find_variant
from foundry.sentiment.encoder import build_predictor
from foundry.sentiment.scoring import BATCH_TOKENS

# Shares of a core: a LeNet answers in a fraction of the time that the call takes.
_NUM_CPUS = {"digits": 0.1, "sentiment": 0.5, "speech": 0.5}
MAX_REPLICAS = 16
# One is being computed, and the next ones are here when it is done.
TARGET_ONGOING = 2
_UPSCALE_DELAY_S, _DOWNSCALE_DELAY_S, _TO_ZERO_DELAY_S = 5.0, 60.0, 600.0
HEALTH_PERIOD_S = 10.0
# The size of a batch is counted in so many tokens.
_TOKENS = 16
FULL_BATCH = BATCH_TOKENS // _TOKENS
_PROBE_SAMPLES = 16_000
_TOLERANCE = 1e-3

Arrays = tuple[np.ndarray, ...]


@lru_cache
def fingerprint(name: str, variant: Variant = DENSE) -> str:
    """Return what two machines have in common if they give the same answers.

    Args:
        name: A model that ships with the project.
        variant: Which variant of it.
    """
    folder = find_variant(name, WEIGHTS_DIR / name, variant)
    parts = [hash_file(folder / file) for file in (CONFIG_FILE, WEIGHTS_FILE)]
    parts += [f"{maker} {version(maker)}" for maker in MAKERS]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _size(requests: list[Arrays]) -> int:
    """Return the size of a batch; a request that is a batch already counts as a full one."""
    shares = (math.ceil(request[0].size / _TOKENS) for request in requests)
    return sum(min(FULL_BATCH, share) for share in shares)


class Replica:
    """One model in one variant; a deployment of Ray Serve is some of these."""

    def __init__(self, task: str, name: str, variant: str) -> None:
        """Load the model.

        Args:
            task: `digits`, `sentiment` or `speech`.
            name: One that ships with the project.
            variant: The name of one.
        """
        # A replica is given one core or a part of one.
        torch.set_num_threads(1)
        self._fingerprint = fingerprint(name, VARIANTS[variant])
        self._task = task
        self._predict = self._load(name, VARIANTS[variant])
        self._probe = _build_probe(task)
        self._probed = self._run([self._probe])[0]

    def _load(self, name: str, variant: Variant) -> Any:
        if self._task == "digits":
            return load_predictor(name, "cpu", variant)
        loaded = load_pretrained(name, self._task, variant=variant)
        if self._task == "speech":
            return loaded.predict
        return build_predictor(loaded.model, loaded.processor, loaded.compiled)

    async def __call__(self, caller: str, *arrays: np.ndarray) -> np.ndarray:
        """Answer one request.

        Args:
            caller: The caller's fingerprint.
            arrays: The model's inputs.

        Returns:
            The logits, float32.

        Raises:
            InputError: If the caller has another version of the model or of what runs it.
        """
        if caller != self._fingerprint:
            raise InputError(
                "the machines of the cluster have different versions of the project, its weights "
                "or its libraries; install the same ones everywhere."
            )
        if self._task == "sentiment":
            return await self._answer_joined(arrays)
        return await self._answer_alone(arrays)

    # Nothing is waited for: a batch is what came while the one before was computed.
    @serve.batch(max_batch_size=FULL_BATCH, batch_wait_timeout_s=0.0, batch_size_fn=_size)
    async def _answer_joined(self, requests: list[Arrays]) -> list[np.ndarray]:
        return await asyncio.to_thread(self._run, requests)

    # Images cost less than their way here, and recordings of unlike length cannot be padded without
    # changing the answer: these are computed one after another.
    @serve.batch(max_batch_size=1, batch_wait_timeout_s=0.0)
    async def _answer_alone(self, requests: list[Arrays]) -> list[np.ndarray]:
        return await asyncio.to_thread(self._run, requests)

    def _run(self, requests: list[Arrays]) -> list[np.ndarray]:
        if self._task == "sentiment":
            return self._run_texts(requests)
        # Copied, because Ray's arrays are read-only, which torch does not know.
        return [
            self._predict(*(torch.from_numpy(np.array(array)) for array in request)).numpy()
            for request in requests
        ]

    def _run_texts(self, requests: list[Arrays]) -> list[np.ndarray]:
        texts = [
            ids[:length].tolist()
            for input_ids, mask in requests
            for ids, length in zip(input_ids, mask.sum(1), strict=True)
        ]
        logits = self._predict(texts).numpy()
        ends = np.cumsum([len(input_ids) for input_ids, _ in requests])
        return np.split(logits, ends[:-1])

    async def check_health(self) -> None:
        """Give the answer once more that was given at the start.

        Raises:
            RuntimeError: If it is another one; Ray Serve then puts a new replica in this one's
                place.
        """
        answer = await self(self._fingerprint, *self._probe)
        if not np.allclose(answer, self._probed, atol=_TOLERANCE):
            raise RuntimeError("The model no longer gives the answer that it gave at the start.")


def _build_probe(task: str) -> Arrays:
    if task == "digits":
        return (np.zeros((1, 1, 28, 28), np.float32),)
    if task == "sentiment":
        return np.array([[1, 2, 3, 4]]), np.ones((1, 4), np.int64)
    rng = np.random.default_rng(0)
    return (rng.standard_normal((1, _PROBE_SAMPLES)).astype(np.float32),)


def deployment_name(name: str, variant: str) -> str:
    """Return what Ray calls the deployment of a model in a variant."""
    return f"{name}-{variant}"


def build_replicas(spec: ModelSpec, variant: str, **options: Any) -> serve.Application:
    """Describe the deployment of one model in one variant.

    Args:
        spec: A model that ships with the project.
        variant: The name of one.
        options: Of `serve.deployment`, in place of the usual ones.
    """
    usual = {
        "name": deployment_name(spec.name, variant),
        "ray_actor_options": {"num_cpus": _NUM_CPUS[spec.task]},
        "max_ongoing_requests": FULL_BATCH,
        "health_check_period_s": HEALTH_PERIOD_S,
        "autoscaling_config": {
            # Visitors start with the dense ones; the others cost nothing until they are chosen.
            "min_replicas": int(variant == DENSE.name),
            "max_replicas": MAX_REPLICAS,
            "target_ongoing_requests": TARGET_ONGOING,
            "upscale_delay_s": _UPSCALE_DELAY_S,
            "downscale_delay_s": _DOWNSCALE_DELAY_S,
            "downscale_to_zero_delay_s": _TO_ZERO_DELAY_S,
        },
    }
    return serve.deployment(Replica, **usual | options).bind(spec.task, spec.name, variant)
