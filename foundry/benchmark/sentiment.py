"""How fast texts are scored, one and a thousand, against transformers' own pipeline."""

import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm
from transformers import pipeline

from foundry.models import load_pretrained
from foundry.sentiment import score_text, score_texts, wrap_classifier

_NUM_LINES = 1_000
_MAX_WORDS = 60
_ROUNDS = 3
_NUM_SINGLE = 200
# The pipeline takes one text at a time unless told otherwise, and pads where it takes more.
_PIPELINE_BATCHES = (1, 32)

_OPENINGS = (
    "I bought this in spring",
    "We stayed two nights",
    "My sister sent me here",
    "It rained",
)
_SUBJECTS = ("the battery", "the second act", "the room", "the soup", "the keyboard", "the guide")
_VERBS = ("was", "turned out", "seemed", "is, as ever,", "felt", "looked")
_OPINIONS = ("lovely", "worn out", "far too loud", "better than hoped", "forgettable", "kind")
_JOINTS = (", and", ", but", "; then again", ". Still,", ". After a week", " because")


def make_lines(num_lines: int, seed: int = 0) -> list[str]:
    """Make lines of 1 to 60 words, every length as likely as any other.

    Args:
        num_lines: How many.
        seed: The same seed gives the same lines.
    """
    chance = random.Random(seed)
    lines = []
    for _ in range(num_lines):
        words: list[str] = []
        if chance.random() < 0.3:
            words += f"{chance.choice(_OPENINGS)}{chance.choice(_JOINTS)}".split()
        length = chance.randint(1, _MAX_WORDS)
        while len(words) < length:
            parts = (chance.choice(some) for some in (_SUBJECTS, _VERBS, _OPINIONS))
            words += f"{' '.join(parts)}{chance.choice(_JOINTS)}".split()
        lines.append(" ".join(words[:length]))
    return lines


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure() -> dict[str, Any]:
    """Measure in interleaved rounds, so that a noisy machine slows all sides alike."""
    loading = time.perf_counter()
    pretrained = load_pretrained("bert-sentiment", "sentiment")
    model = wrap_classifier(pretrained.model, pretrained.processor)
    load_s = time.perf_counter() - loading
    build: Any = pipeline
    classify = build("text-classification", model=pretrained.model, tokenizer=pretrained.processor)

    lines = make_lines(_NUM_LINES)
    score_text(model, lines[0])
    classify(lines[0])
    single_s, pipeline_single_s = [], []
    for line in tqdm(lines[:_NUM_SINGLE], desc="single texts"):
        single_s.append(_seconds(partial(score_text, model, line)))
        pipeline_single_s.append(_seconds(partial(classify, line)))

    ways: dict[str, Callable[[], Any]] = {
        "batch_texts_per_s": lambda: list(score_texts(model, lines)),
        **{
            f"pipeline_batch_{size}_texts_per_s": partial(classify, lines, batch_size=size)
            for size in _PIPELINE_BATCHES
        },
    }
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(_ROUNDS), desc="interleaved rounds"):
        for name, work in ways.items():
            rounds[name].append(_NUM_LINES / _seconds(work))
    rates = {name: statistics.median(values) for name, values in rounds.items()}
    pipeline_rates = [rate for name, rate in rates.items() if name.startswith("pipeline")]
    return {
        "single_p50_ms": 1000 * statistics.median(single_s),
        "single_p95_ms": 1000 * float(np.percentile(single_s, 95)),
        "pipeline_single_p50_ms": 1000 * statistics.median(pipeline_single_s),
        "pipeline_single_p95_ms": 1000 * float(np.percentile(pipeline_single_s, 95)),
        **rates,
        # The faster of the two, so that nobody can say that it was used badly.
        "pipeline_batch_texts_per_s": max(pipeline_rates),
        "load_s": load_s,
        "num_lines": _NUM_LINES,
    }


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    rows = [
        ("", "Foundry", "pipeline"),
        (
            "one text, p50 (ms)",
            f"{figures['single_p50_ms']:.1f}",
            f"{figures['pipeline_single_p50_ms']:.1f}",
        ),
        (
            "one text, p95 (ms)",
            f"{figures['single_p95_ms']:.1f}",
            f"{figures['pipeline_single_p95_ms']:.1f}",
        ),
        *(
            (
                f"{figures['num_lines']:,} lines (texts/s)",
                f"{figures['batch_texts_per_s']:.0f}",
                f"{figures[f'pipeline_batch_{size}_texts_per_s']:.0f} (batch_size={size})",
            )
            for size in _PIPELINE_BATCHES
        ),
    ]
    table = "\n".join(f"{name:24}{ours:>10}{theirs:>22}" for name, ours, theirs in rows)
    speedup = figures["batch_texts_per_s"] / figures["pipeline_batch_texts_per_s"]
    return (
        f"{table}\n{speedup:.1f} times the faster of the two; "
        f"the model loads in {figures['load_s']:.2f} s."
    )
