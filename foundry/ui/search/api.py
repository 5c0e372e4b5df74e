"""The named endpoint for searches; foundry/ui/README.md documents it."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from foundry.errors import InputError
from foundry.runs.queue import RunQueue
from foundry.search import SearchConfig
from foundry.search.runs import SEARCHES, create_search
from foundry.ui.components.run_api import start_and_follow
from foundry.ui.page.feedback import shows_errors

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
        dataset: str = _DEFAULT.dataset,
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
            "dataset": dataset,
        }
        config = SearchConfig(**knobs)
        for run in start_and_follow(queue, SEARCHES, request, create_search, config):
            if run.status == "failed":
                raise InputError(f"The search failed: {run.reason}.")
            yield run.summary

    gr.api(shows_errors(search), api_name="search", concurrency_limit=None)
