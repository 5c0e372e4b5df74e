"""Drawings and pictures for a run on a visitor's own data: no digits are looked for."""

import time
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from foundry.data.own.framing import reduce_by_area
from foundry.data.pictures import load_image
from foundry.digits.framing import frame_handwriting
from foundry.digits.reading import classify_digits
from foundry.models import DENSE, load_predictor
from foundry.runs.data_sets import AS_IT_IS
from foundry.training.runs import Run
from foundry.ui.components import plots
from foundry.ui.components.pad import decode_drawing
from foundry.ui.components.variants.answers import Answered
from foundry.ui.components.variants.bars import show_bars


def frame_for(run: Run, image: Image.Image, is_drawn: bool = False) -> np.ndarray:
    """Turn a picture into what a run's network sees, as its data set was prepared.

    Args:
        run: On a visitor's own data.
        image: What was drawn or sent.
        is_drawn: Whether it is dark ink on white paper. Files of arrays do not say how they were
            made; what is drawn is then taken for handwriting.

    Returns:
        uint8, shape (28, 28).

    Raises:
        InputError: If it is to be handwriting and there is no ink.
    """
    is_handwriting = run.preparation != AS_IT_IS and (is_drawn or bool(run.preparation))
    return frame_handwriting(image) if is_handwriting else reduce_by_area(image)


def classify_own(run: Run, seen: np.ndarray, device: str) -> np.ndarray:
    """Return the probability of each of a run's classes, float32 (classes,).

    Args:
        run: With weights.
        seen: uint8 (28, 28).
        device: Where the model runs.
    """
    return classify_digits(load_predictor(run.best_folder, device), seen[None])[0]


def draw_for(run: Run, drawing: Any, device: str) -> list[Any]:
    """Answer the pad. Returns as `on_draw()`."""
    started = time.perf_counter()
    image = decode_drawing(drawing)
    bars = show_bars(Answered(), DENSE.name, [DENSE.name])
    if image is None or image.getextrema()[0] == 255:
        return [plots.digit_bars(None), "", *bars]
    probs = classify_own(run, frame_for(run, image, is_drawn=True), device)
    note = f"From ink to probabilities in {1000 * (time.perf_counter() - started):.0f} ms."
    return [plots.digit_bars(probs.tolist(), run.classes), note, *bars]


def read_picture_for(run: Run, path: str, device: str) -> list[Any]:
    """Answer a picture that was sent, as a whole. Returns as `on_photo()`."""
    image = load_image(path)
    seen = frame_for(run, image)
    probs = classify_own(run, seen, device)
    best = int(probs.argmax())
    name = run.classes[best]
    return [
        gr.AnnotatedImage((image.convert("RGB"), [])),
        f"{probs[best]:.1%} sure: “{name}”. The whole picture was looked at.",
        gr.Gallery([(plots.digit_image(seen), f"{name} ({probs[best]:.0%})")], visible=True),
    ]
