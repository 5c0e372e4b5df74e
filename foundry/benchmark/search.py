"""What a search finds in little time from ranges far too wide, beside random search."""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from foundry.data import load_test_split
from foundry.search import SearchConfig, search
from foundry.search.config import SAMPLERS
from foundry.search.runs import SearchRun, find_trial_checkpoint
from foundry.training.checkpoints import load_checkpoint
from foundry.training.evaluation import evaluate

_WIDER = 10.0
_TARGET = 0.989


def _search_once(config: SearchConfig) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        for _ in search(config, Path(folder)):
            pass
        wall_s = time.monotonic() - started
        run = SearchRun("", Path(folder), "", config, "done", "")
        assert run.best is not None
        # The test split is touched once, for the trial that validation has chosen.
        state = load_checkpoint(find_trial_checkpoint(run, run.best.last.trial_id))
        return {
            "seed": config.seed,
            "sampler": config.sampler,
            "wall_s": wall_s,
            "num_trials": len(run.trials),
            "num_whole": sum(one.last.state == "done" for one in run.trials),
            "val_accuracy": run.best.accuracy,
            "test_accuracy": evaluate(state.best_model(), load_test_split()).accuracy,
            "settings": run.best.last.settings,
        }


def measure(minutes: float, seeds: int) -> dict[str, Any]:
    """Search with every sampler in turns, so that a noisy machine slows both alike.

    Args:
        minutes: That every search has.
        seeds: How many times.
    """
    config = replace(SearchConfig().widen(_WIDER), minutes=minutes)
    searches = [
        _search_once(replace(config, sampler=sampler, seed=seed))
        for seed in range(seeds)
        for sampler in SAMPLERS
    ]
    median = {
        sampler: statistics.median(
            one["test_accuracy"] for one in searches if one["sampler"] == sampler
        )
        for sampler in SAMPLERS
    }
    return {"minutes": minutes, "epochs": config.epochs, "median": median, "searches": searches}


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    lines = [f"{'seed':>4}  {'sampler':8}{'trials':>7}{'whole':>7}{'validation':>12}{'test':>8}"]
    lines += [
        f"{one['seed']:4}  {one['sampler']:8}{one['num_trials']:7}{one['num_whole']:7}"
        f"{one['val_accuracy']:12.2%}{one['test_accuracy']:8.2%}  {one['wall_s']:.0f} s"
        for one in figures["searches"]
    ]
    found, blindly = (figures["median"][sampler] for sampler in SAMPLERS)
    verdict = "reached" if found >= _TARGET else "missed"
    return "\n".join(lines) + (
        f"\nMedian test accuracy within {figures['epochs']} epochs, from ranges {_WIDER:g} times "
        f"too wide, in {figures['minutes']:g} minutes: {found:.2%} with TPE and ASHA, "
        f"{blindly:.2%} at random; {_TARGET:.1%} is {verdict}."
    )
