"""Drawings and pictures for a run on a visitor's own data: no digits are looked for."""

from typing import Any

import gradio as gr
import numpy as np

from foundry.data.pictures import load_image
from foundry.digits.reading import classify_digits
from foundry.models.runtime import Predictor
from foundry.training.runs import Run
from foundry.ui.components import plots
from foundry.ui.components.model_choice import (
    find_own_data_run,
    load_digit_model,
    load_run_model,
)
from foundry.ui.components.pad import frame_for, read_pad, see_drawing


def see_and_load(
    drawing: Any, model_name: str, token: str, device: str, variant: str
) -> tuple[Any, np.ndarray | None]:
    """Return the chosen network, whatever it learned, and what it sees of the pad.

    Args:
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        device: Where the model runs.
        variant: The name of the variant; of int8 the network is the float32 one.

    Returns:
        The network, whose `classes` it can answer, and uint8 (28, 28), or None for an empty pad.
    """
    if own := find_own_data_run(model_name, token):
        return load_run_model(own, device, variant), see_drawing(own, drawing)
    network = load_digit_model(model_name, token, device, variant)
    reading = read_pad(network, drawing)
    return network, reading.image if reading else None


def read_picture_for(run: Run, path: str, predictor: Predictor) -> list[Any]:
    """Answer a picture that was sent, as a whole. Returns as `on_photo()`.

    Args:
        run: On a visitor's own data.
        path: The picture's file.
        predictor: The chosen variant of its network.
    """
    image = load_image(path)
    seen = frame_for(run, image)
    probs = classify_digits(predictor, seen[None])[0]
    best = int(probs.argmax())
    name = run.classes[best]
    return [
        gr.AnnotatedImage((image.convert("RGB"), [])),
        f"{probs[best]:.1%} sure: “{name}”. The whole picture was looked at.",
        gr.Gallery([(plots.digit_image(seen), f"{name} ({probs[best]:.0%})")], visible=True),
    ]
