"""Named endpoints for other programs; each is documented in the README with an example."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from foundry.compression.runs import list_own_compressions, read_own_compression
from foundry.digits import read_drawing
from foundry.digits.ink import load_image
from foundry.errors import InputError
from foundry.models import DENSE
from foundry.runs.queue import RunQueue
from foundry.search.runs import list_own_searches, read_own_search
from foundry.training import TrainConfig
from foundry.training.runs import Run, create_run, follow_run, list_own_runs, read_own_run, read_run
from foundry.ui.components.model_choice import DEFAULT_MODEL, load_digit_predictor
from foundry.ui.compress.api import summarize_compression
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.search.api import summarize_search
from foundry.ui.server.limits import TRAINING_STARTS


def build_api(queue: RunQueue, device: str) -> None:
    """Add `/train`, `/stop_run`, `/list_runs` and `/classify_digit` to the app being built.

    Args:
        queue: Where runs are started.
        device: Where models train and run.
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
        owner = session_owner(request)
        TRAINING_STARTS.count(owner)
        for run in follow_run(queue.start(create_run, config, owner, device).run_id):
            yield _summary(run)

    def stop_run(request: gr.Request, run_id: str) -> dict[str, Any]:
        """Stop a run of yours, keeping the best weights so far, a compression or a search."""
        owner = session_owner(request)
        summarize = _find_summary(run_id, owner)
        queue.stop(run_id)
        queue.wait(run_id)
        return summarize()

    def list_runs_of_caller(request: gr.Request) -> list[dict[str, Any]]:
        """List your own runs, newest first."""
        return [_summary(run) for run in list_own_runs(session_owner(request))]

    def classify_digit(
        image_file: str | None, model: str, variant: str, request: gr.Request
    ) -> dict[str, float]:
        """Return the probability of every digit for a picture of one digit."""
        if image_file is None:
            raise InputError("There is no image; send a PNG, JPEG or WebP file with one digit.")
        network = load_digit_predictor(model, session_owner(request), device, variant)
        reading = read_drawing(network, load_image(image_file))
        if reading is None:
            raise InputError("No ink was found; send a picture of a digit on plain paper.")
        return {str(digit): float(prob) for digit, prob in enumerate(reading.probs)}

    gr.api(shows_errors(train), api_name="train", concurrency_limit=None)
    gr.api(shows_errors(stop_run), api_name="stop_run")
    gr.api(shows_errors(list_runs_of_caller), api_name="list_runs")
    with gr.Column(visible=False):
        image_file = gr.File(label="image_file")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox(DENSE.name, label="variant")
        label = gr.Label(label="digit")
        gr.Button().click(
            shows_errors(classify_digit),
            [image_file, model, variant],
            label,
            api_name="classify_digit",
        )


def _find_summary(run_id: str, owner: str) -> Callable[[], dict[str, Any]]:
    """Return what sums up one of the caller's runs, of whatever kind.

    Raises:
        InputError: If there is no such run.
    """
    if run_id in (run.run_id for run in list_own_compressions(owner)):
        return lambda: summarize_compression(read_own_compression(run_id, owner))
    if run_id in (run.run_id for run in list_own_searches(owner)):
        return lambda: summarize_search(read_own_search(run_id, owner))
    read_own_run(run_id, owner)
    return lambda: _summary(read_run(run_id))


def _summary(run: Run) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "run_id": run.run_id,
        "status": run.status,
        "reason": run.reason,
        "model": run.config.model,
        "progress": round(run.progress, 4),
        "epochs": run.events[-1].epoch if run.events else 0,
        "train_loss": run.events[-1].train_loss if run.events else None,
        "images_per_s": run.events[-1].images_per_s if run.events else None,
        "elapsed_s": run.events[-1].elapsed_s if run.events else 0.0,
    }
    return summary | (run.result or {})
