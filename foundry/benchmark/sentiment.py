"""How fast texts are scored, against transformers' own pipeline, and how well, of every variant.

How well is measured on sentences written to test with, and on the recipe's development sets if they
are there, as the recipe's card does: what compression costs beside accuracy is among it.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import pipeline

from foundry.benchmark.harness.costs import list_costs
from foundry.models import DENSE, VARIANTS, available_variants, load_pretrained
from foundry.recipes.sentiment.data.corpus import Example, load_corpus
from foundry.recipes.sentiment.evaluation import (
    DomainFigures,
    align,
    measure_domains,
    measure_probes,
    tabulate,
)
from foundry.sentiment import SentimentModel, score_text, score_texts, wrap_classifier

MODEL = "bert-sentiment"

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


def measure(data: Path | None = None, model: str = MODEL) -> dict[str, Any]:
    """Measure speed, and the answers of all variants.

    Args:
        data: The corpora of the recipes; without them only answers to the sentences written to
            test with are measured.
        model: The name or the folder of a classifier with the labels negative and positive.
    """
    figures = _measure_speed(model)
    figures["answers"] = _measure_answers(model, load_corpus(data).dev if data else [])
    return figures


def _measure_answers(name: str, dev: list[Example]) -> dict[str, Any]:
    answers = {}
    for variant in available_variants(name) if name == MODEL else [DENSE.name]:
        pretrained = load_pretrained(name, "sentiment", variant=VARIANTS[variant])
        model = wrap_classifier(pretrained.model, pretrained.processor, pretrained.compiled)
        answer = partial(_answer, model)
        texts = [example.text for example in dev]
        domains = measure_domains(answer(texts), dev) if texts else []
        answers[variant] = {
            "domains": [asdict(domain) for domain in domains],
            "probes": asdict(measure_probes(answer)),
        }
    return answers


def _answer(model: SentimentModel, texts: Sequence[str]) -> Tensor:
    scored = [text for event in score_texts(model, texts) for text in event.finished]
    scored.sort(key=lambda text: text.index)
    probs = [list(text.score.probs.values()) for text in scored if text.score]
    return align(torch.tensor(probs), model.labels)


def _measure_speed(name: str) -> dict[str, Any]:
    """Measure in interleaved rounds, so that a noisy machine slows all sides alike."""
    loading = time.perf_counter()
    pretrained = load_pretrained(name, "sentiment")
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
    lines = [
        f"{table}\n{speedup:.1f} times the faster of the two; "
        f"the model loads in {figures['load_s']:.2f} s."
    ]
    for variant, measured in figures["answers"].items():
        if measured["domains"]:
            domains = [DomainFigures(**domain) for domain in measured["domains"]]
            lines.append(f"\n{variant}\n\n{tabulate(domains)}")
    return "\n".join([*lines, "", _tabulate_costs(figures["answers"])])


def _tabulate_costs(answers: dict[str, Any]) -> str:
    rows = [
        ["what compression costs beside accuracy", *answers],
        ["---"] * (1 + len(answers)),
        *(
            [cost.measure, *(f"{share:.1%}" for share in cost.shares.values())]
            for cost in list_costs(answers)
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
