"""The named endpoint for searches; documented in the README with an example."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.search import SearchConfig
from foundry.search.runs import SearchRun, create_search, follow_search
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.server.limits import TRAINING_STARTS

_DEFAULT = SearchConfig()


def build_search_api(queue: RunQueue) -> None:
    """Add `/search` to the app being built.

    Args:
        queue: Where searches are started.
    """

    def search(
        request: gr.Request,
        minutes: float = _DEFAULT.minutes,
        num_trials: int = _DEFAULT.num_trials,
        objective: str = _DEFAULT.objective,
        epochs: int = _DEFAULT.epochs,
        learning_rate: Sequence[float] = _DEFAULT.learning_rate,
        batch_size: Sequence[int] = _DEFAULT.batch_size,
        weight_decay: Sequence[float] = _DEFAULT.weight_decay,
        label_smoothing: Sequence[float] = _DEFAULT.label_smoothing,
        dropout: Sequence[float] = _DEFAULT.dropout,
        model: Sequence[str] = _DEFAULT.model,
        optimizer: Sequence[str] = _DEFAULT.optimizer,
        schedule: Sequence[str] = _DEFAULT.schedule,
        num_train_images: int = _DEFAULT.num_train_images,
        sampler: str = _DEFAULT.sampler,
        seed: int = _DEFAULT.seed,
        width: Sequence[float] = _DEFAULT.width,
    ) -> Iterator[dict[str, Any]]:
        """Search for settings; a range is its lowest and its highest. Ends with the table."""
        knobs: dict[str, Any] = {
            "minutes": minutes,
            "num_trials": num_trials,
            "objective": objective,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "batch_size": batch_size,
            "weight_decay": weight_decay,
            "label_smoothing": label_smoothing,
            "dropout": dropout,
            "model": model,
            "optimizer": optimizer,
            "schedule": schedule,
            "num_train_images": num_train_images,
            "sampler": sampler,
            "seed": seed,
            "width": width,
        }
        config = SearchConfig(**knobs)
        owner = session_owner(request)
        TRAINING_STARTS.count(owner)
        for run in follow_search(queue.start(create_search, config, owner).run_id):
            if run.status == "failed":
                raise InputError(f"The search failed: {run.reason}")
            yield summarize_search(run)

    gr.api(shows_errors(search), api_name="search", concurrency_limit=None)


def summarize_search(run: SearchRun) -> dict[str, Any]:
    """Return what programs are told of a search; with the table once it has ended."""
    best = run.best
    summary: dict[str, Any] = {
        "run_id": run.run_id,
        "status": run.status,
        "progress": round(run.progress, 4),
        "remaining_s": run.remaining_s,
        "num_trials": len(run.trials),
        "best_accuracy": best.accuracy if best else None,
        "elapsed_s": run.elapsed_s,
    }
    return summary if run.status in ACTIVE else summary | {"trials": run.rows}
