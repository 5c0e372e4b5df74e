"""Named endpoints for training; foundry/ui/README.md has an example of each."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, create_run, list_own_runs
from foundry.ui.components.run_api import start_and_follow
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner


def build_train_api(queue: RunQueue, device: str) -> None:
    """Add `/train` and `/list_runs` to the app being built.

    Args:
        queue: Where runs are started.
        device: Where models train.
    """

    def train(
        request: gr.Request,
        model: str = TrainConfig.model,
        epochs: int = TrainConfig.epochs,
        batch_size: int = TrainConfig.batch_size,
        optimizer: str = TrainConfig.optimizer,
        learning_rate: float = TrainConfig.learning_rate,
        seed: int = TrainConfig.seed,
        schedule: str = TrainConfig.schedule,
        weight_decay: float = TrainConfig.weight_decay,
        dropout: float = TrainConfig.dropout,
        label_smoothing: float = TrainConfig.label_smoothing,
        rotation_deg: float = TrainConfig.rotation_deg,
        shift_px: float = TrainConfig.shift_px,
        scale: float = TrainConfig.scale,
        patience: int = TrainConfig.patience,
        epsilon: float = TrainConfig.epsilon,
        num_train_images: int = TrainConfig.num_train_images,
        width: float = TrainConfig.width,
    ) -> Iterator[dict[str, Any]]:
        """Train a model; streams progress and ends with the result."""
        config = TrainConfig(
            model=model,
            width=width,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            weight_decay=weight_decay,
            dropout=dropout,
            label_smoothing=label_smoothing,
            rotation_deg=rotation_deg,
            shift_px=shift_px,
            scale=scale,
            patience=patience,
            epsilon=epsilon,
            num_train_images=num_train_images,
            seed=seed,
        )
        for run in start_and_follow(queue, TRAININGS, request, create_run, config, device=device):
            yield run.summary

    def list_runs(request: gr.Request) -> list[dict[str, Any]]:
        """List your own runs, newest first."""
        return [run.summary for run in list_own_runs(session_owner(request))]

    gr.api(shows_errors(train), api_name="train", concurrency_limit=None)
    gr.api(shows_errors(list_runs), api_name="list_runs")
