"""The Draw tab: a pad that is read while you draw, and photos of handwriting."""

import time
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image
from torch import nn

from foundry.digits import Reading, read_drawing, read_photo
from foundry.explain import compute_activations
from foundry.ink import load_image
from foundry.ui import plots
from foundry.ui.feedback import QUIET, shows_errors
from foundry.ui.model_choice import DEFAULT_MODEL, list_digit_models, load_digit_model
from foundry.ui.pad import build_pad, decode_drawing
from foundry.ui.palette import ORANGE

_PHOTO_HINT = "Upload a photo: each digit is found, boxed and read, line by line."


def on_visit(token: str, chosen: str) -> Any:
    """List the models; training may have added some since the tab was last seen.

    Args:
        token: The visitor's token.
        chosen: The model chosen so far; kept if it still exists.
    """
    choices = list_digit_models(token)
    kept = chosen if chosen in (name for _, name in choices) else DEFAULT_MODEL
    return gr.Dropdown(choices=choices, value=kept)


@shows_errors
def on_draw(device: str, drawing: Any, model_name: str, token: str) -> list[Any]:
    """Read the pad.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.

    Returns:
        The bars, what the model saw, the activations of both convolutions, and the time it took.
    """
    started = time.perf_counter()
    image = decode_drawing(drawing)
    model = load_digit_model(model_name, token, device)
    reading = read_drawing(model, image) if image else None
    if reading is None:
        return [plots.digit_bars(None), None, None, None, ""]
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return [
        plots.digit_bars(reading.probs.tolist()),
        plots.digit_image(reading.image, zoom=7),
        *_activation_images(model, reading.image),
        f"From ink to probabilities in {elapsed_ms:.0f} ms.",
    ]


@shows_errors
def on_photo(device: str, path: str | None, model_name: str, token: str) -> list[Any]:
    """Read the digits on a photo.

    Args:
        device: Where the model runs.
        path: The uploaded file.
        model_name: The chosen model.
        token: The visitor's token.

    Returns:
        The photo with a box around every digit, the sentence that says what was read, and what
        the model saw of each digit.
    """
    if path is None:
        return [None, _PHOTO_HINT, gr.Gallery([], visible=False)]
    image = load_image(path)
    readings = read_photo(load_digit_model(model_name, token, device), image)
    if not readings:
        return [
            _annotated(image, []),
            "No ink was found. Try a sharper photo: dark pen on plain paper, digits apart.",
            gr.Gallery([], visible=False),
        ]
    number = "".join(str(reading.digit) for reading in readings)
    noun = "digit" if len(readings) == 1 else "digits"
    return [
        _annotated(image, readings),
        f"### {number}\n{len(readings)} {noun}, read line by line from left to right.",
        gr.Gallery(
            [
                (plots.digit_image(reading.image), f"{reading.digit} ({reading.probs.max():.0%})")
                for reading in readings
            ],
            visible=True,
        ),
    ]


def _annotated(image: Image.Image, readings: list[Reading]) -> gr.AnnotatedImage:
    boxes = [
        (reading.box.left, reading.box.top, reading.box.right, reading.box.bottom)
        for reading in readings
    ]
    labels = [f"{place}: {reading.digit}" for place, reading in enumerate(readings, start=1)]
    return gr.AnnotatedImage(
        (image.convert("RGB"), list(zip(boxes, labels, strict=True))),
        color_map=dict.fromkeys(labels, ORANGE),
    )


def _activation_images(model: nn.Module, image: np.ndarray) -> list[Any]:
    return [plots.tile(maps, columns=8) for maps in compute_activations(model, image).values()]


def build_draw_tab(tab: gr.Tab, visitor: gr.BrowserState, device: str) -> None:
    """Build the tab.

    Args:
        tab: The tab itself; selecting it lists the models anew.
        visitor: Holds the visitor's token.
        device: Where models run.
    """
    model = gr.Dropdown(
        list_digit_models(""),
        value=DEFAULT_MODEL,
        label="Model",
        info="The shipped network, or one you have trained on the Train tab.",
        elem_id="draw-model",
    )
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            pad = build_pad()
        with gr.Column():
            answer = gr.HTML(plots.digit_bars(None), elem_id="draw-answer")
            timing = gr.Markdown(elem_classes="foundry-note")
    with gr.Row():
        seen, conv1, conv2 = (
            gr.Image(
                label=label,
                buttons=[],
                height=200,
                min_width=240,
                elem_classes="pixelated",
                placeholder="Draw first",
            )
            for label in (
                "What the model sees: 28x28",
                "First convolution: one square a filter",
                "Second convolution",
            )
        )
    gr.Markdown("### Or read a photo")
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            # A file rather than an image component: ours are the first checks that see it.
            photo = gr.File(
                label="Photo of handwritten digits on plain paper",
                file_types=["image"],
                height=170,
            )
            sentence = gr.Markdown(_PHOTO_HINT)
            crops = gr.Gallery(
                height="auto",
                interactive=False,
                show_label=False,
                visible=False,
                elem_classes=["pixelated", "images"],
            )
        with gr.Column():
            boxes = gr.AnnotatedImage(label="What was found", height=300, show_legend=False)

    draw_outputs = [answer, seen, conv1, conv2, timing]
    photo_outputs = [boxes, sentence, crops]
    tab.select(on_visit, [visitor, model], model, **QUIET)
    pad.input(
        partial(on_draw, device),
        [pad, model, visitor],
        draw_outputs,
        trigger_mode="always_last",
        **QUIET,
    )
    model.input(partial(on_draw, device), [pad, model, visitor], draw_outputs, **QUIET)
    model.input(partial(on_photo, device), [photo, model, visitor], photo_outputs, **QUIET)
    photo.change(
        partial(on_photo, device), [photo, model, visitor], photo_outputs, api_visibility="private"
    )
