"""Named endpoints for training; foundry/ui/README.md has an example of each."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.runs.data_sets import AS_IT_IS, About
from foundry.runs.queue import RunQueue
from foundry.training import TrainConfig
from foundry.training.runs import TRAININGS, create_run, list_own_runs
from foundry.ui.components.run_api import start_and_follow
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.server.queues import DATA_SETS, OWN_QUEUE
from foundry.ui.train.data import count_file, read_files


def build_train_api(queue: RunQueue, device: str) -> None:
    """Add `/train`, `/add_dataset` and `/list_runs` to the app being built.

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
        dataset: str = TrainConfig.dataset,
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
            dataset=dataset,
        )
        for run in start_and_follow(queue, TRAININGS, request, create_run, config, device=device):
            yield run.summary

    def list_runs(request: gr.Request) -> list[dict[str, Any]]:
        """List your own runs, newest first."""
        return [run.summary for run in list_own_runs(session_owner(request))]

    def add_dataset(file: str | None, preparation: str, request: gr.Request) -> dict[str, Any]:
        """Keep a data set of yours: a ZIP, an NPZ or a CSV file; its id goes into /train."""
        owner = session_owner(request)
        count_file(owner)
        with DATA_SETS.turn():
            *_, about = read_files([file] if file else None, preparation, owner)
        assert isinstance(about, About)
        return {
            "dataset": about.data_id,
            "classes": list(about.classes),
            "counts": {name: list(counts) for name, counts in about.counts.items()},
            "problems": list(about.notes),
        }

    with gr.Column(visible=False):
        file = gr.File(label="file")
        preparation = gr.Textbox(AS_IT_IS, label="preparation")
        gr.Button().click(
            shows_errors(add_dataset),
            [file, preparation],
            gr.JSON(label="dataset"),
            api_name="add_dataset",
            **OWN_QUEUE,
        )
    gr.api(shows_errors(train), api_name="train", concurrency_limit=None)
    gr.api(shows_errors(list_runs), api_name="list_runs")
