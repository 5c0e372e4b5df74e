"""Two workers of one core each against one, and what that says about more of them on paper.

The one and the two take turns on the same two processes, so that a noisy machine slows both alike.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from foundry.benchmark.harness.ring import render_measured, render_on_paper
from foundry.data import load_mnist
from foundry.models.loading import WEIGHTS_DIR
from foundry.recipes.workers import WorkersConfig, train_on_workers
from foundry.training import TrainConfig, TrainState, train
from foundry.training.sharding import ALONE, Learned, Shard

_NUM_WORKERS = 2
_ROUNDS = 7
_MESSAGES = 20
_TEXTS = Path(__file__).parent.parent / "data" / "calibration" / "texts.txt"
# More than are trained on, so that no epoch ends.
_NUM_TEXTS = 2_000

# The parameters of a network, and the seconds of each of its steps, as it takes them.
Steps = tuple[list[nn.Parameter], Iterator[float]]


def _lenet_steps(shard: Shard, _: Path) -> Steps:
    config = replace(TrainConfig(), epochs=100)
    state = TrainState(config)
    # Without the validation at the end of an epoch, which every worker does whole.
    events = train(state, load_mnist(), shard)
    return list(state.model.parameters()), (config.batch_size / e.images_per_s for e in events)


def _bert_steps(shard: Shard, folder: Path) -> Steps:
    from transformers import BertForSequenceClassification

    from foundry.recipes.sentiment.data.corpus import Example
    from foundry.recipes.sentiment.finetune import FinetuneConfig, finetune
    from foundry.recipes.sentiment.pretrained import load_tokenizer

    base_dir = WEIGHTS_DIR / "bert-sentiment"
    model = BertForSequenceClassification.from_pretrained(base_dir, dtype=torch.float32)
    texts = cycle(_TEXTS.read_text(encoding="utf-8").splitlines())
    examples = [Example(text, n % 2) for n, text in enumerate(islice(texts, _NUM_TEXTS))]
    events = finetune(
        model,
        load_tokenizer(base_dir),
        examples,
        examples[:1],
        FinetuneConfig(batch_size=32, pair_share=1.0, rules_share=0.0),
        folder / f"of-{shard.world_size}",
        shard=shard,
    )

    def seconds() -> Iterator[float]:
        before_s = 0.0
        for event in events:
            yield event.elapsed_s - before_s
            before_s = event.elapsed_s

    return [p for p in model.parameters() if p.requires_grad], seconds()


# What makes the steps, how many rows a batch has, and how many readings a round takes.
_MODELS: dict[str, tuple[Callable[[Shard, Path], Steps], int, int]] = {
    "lenet": (_lenet_steps, TrainConfig().batch_size, 8),
    "bert": (_bert_steps, 32, 3),
}


def _measure_share(
    name: str, num_rounds: int, shard: Shard, folder: Path
) -> Iterator[tuple[dict[str, Any], bool]]:
    yield {}, False
    build, batch_size, num_readings = _MODELS[name]
    _, alone = build(ALONE, folder / "alone")
    parameters, together = build(shard, folder / "together")
    rounds = []
    # The first round only warms up.
    for _ in range(num_rounds + 1):
        # The other one waits meanwhile, which costs nothing.
        (one_s,) = shard.agree(_median(alone, num_readings) if shard.rank == 0 else 0.0)
        rounds.append((one_s, _median(together, num_readings)))
    ones_s, twos_s = zip(*rounds[1:], strict=True)
    num_values = sum(parameter.numel() for parameter in parameters)
    step_1_s, step_s = statistics.median(ones_s), statistics.median(twos_s)
    yield (
        {
            "throughput_1": batch_size / step_1_s,
            "throughput_2": batch_size / step_s,
            "efficiency": statistics.median(
                one_s / two_s / shard.world_size for one_s, two_s in rounds[1:]
            ),
            "allreduce_ms": 1000 * _time_message(shard, partial(_send, shard, parameters)),
            "ring_ms": 1000 * _time_message(shard, partial(_send_zeros, num_values)),
            "latency_ms": 1000 * _time_message(shard, partial(_send_zeros, 1)),
            "step_1_ms": 1000 * step_1_s,
            "step_ms": 1000 * step_s,
            "message_bytes": 4 * num_values,
            "batch_size": batch_size,
        },
        False,
    )


def _median(seconds: Iterator[float], num_readings: int) -> float:
    return statistics.median(islice(seconds, num_readings))


def _send(shard: Shard, parameters: list[nn.Parameter]) -> None:
    """Do what a step does with its gradients."""
    shard.sum_gradients(parameters, [Learned(0.0, [p.grad for p in parameters])])


def _send_zeros(num_values: int) -> None:
    torch.distributed.all_reduce(torch.zeros(num_values))


def _time_message(shard: Shard, send: Callable[[], None]) -> float:
    """Return the median seconds of a message, all workers beginning it together."""
    times_s = []
    for _ in range(_MESSAGES):
        shard.agree(0.0)
        started = time.perf_counter()
        send()
        times_s.append(time.perf_counter() - started)
    return statistics.median(times_s)


def measure(num_rounds: int = _ROUNDS) -> dict[str, Any]:
    """Measure every model on workers of its own; needs Ray, and two cores.

    Args:
        num_rounds: Turns that one worker and two take.
    """
    figures = {}
    for name in tqdm(_MODELS, desc="models"):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            events = train_on_workers(
                partial(_measure_share, name, num_rounds),
                WorkersConfig(_NUM_WORKERS),
                name,
                Path(folder),
            )
            next(events)
            startup_s = time.perf_counter() - started
            (measured,) = events
        figures[name] = {**measured, "startup_s": startup_s}
    return figures


def report(figures: dict[str, Any]) -> str:
    """Return the figures as README.md here has them, and what they say about more workers."""
    return f"{render_measured(figures)}\n\n{render_on_paper(figures)}"
