"""A photo of handwriting: its digits found, boxed and read."""

from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from foundry.data.pictures import inspect_file, load_image
from foundry.digits import Reading, read_photo
from foundry.errors import ArtifactError, InputError, counted
from foundry.models import DENSE
from foundry.ui.components import plots
from foundry.ui.components.model_choice import (
    find_own_data_run,
    load_any_predictor,
    load_digit_predictor,
)
from foundry.ui.draw.own import read_picture_for
from foundry.ui.draw.remarks import remark_on_photo
from foundry.ui.draw.variants import compare_readings
from foundry.ui.page.feedback import LATEST
from foundry.ui.page.palette import ORANGE

_PHOTO_HINT = "Upload a photo: each digit is found, boxed and read, line by line."


def on_photo(
    device: str, path: str | None, model_name: str, token: str, variant: str = "dense"
) -> list[Any]:
    """Read the digits on a photo.

    Args:
        device: Where the model runs.
        path: The uploaded file.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant.

    Returns:
        The photo with a box around every digit, the sentence that says what was read, and what
        the model saw of each digit. In place of the sentence the one that says why nothing was
        read.
    """
    if path is None:
        return [None, _PHOTO_HINT, gr.Gallery([], visible=False)]
    try:
        return _read(device, path, model_name, token, variant)
    except (InputError, ArtifactError) as error:
        # What was read of the photo before is not left in its place.
        return [None, str(error), gr.Gallery([], visible=False)]


def _read(device: str, path: str, model_name: str, token: str, variant: str) -> list[Any]:
    if own := find_own_data_run(model_name, token):
        chosen = load_any_predictor(model_name, token, device, variant)
        return read_picture_for(own, path, chosen)
    image = load_image(path)
    predictor = load_digit_predictor(model_name, token, device, variant)
    rest = inspect_file(path).remark
    readings = read_photo(predictor, image)
    if not readings:
        return [
            _annotated(image, []),
            " ".join(filter(None, ("No ink was found. Try a sharper photo.", rest))),
            gr.Gallery([], visible=False),
        ]
    number = "".join(str(reading.digit) for reading in readings)
    sentence = (
        f"### {number}\n{counted(len(readings), 'digit')}, read line by line from left to right."
    )
    for remark in filter(None, (remark_on_photo(readings), rest)):
        sentence += f" {remark}"
    if variant != DENSE.name:
        images = np.stack([reading.image for reading in readings])
        sentence += f" {compare_readings(images, number, model_name, token, device)}"
    return [
        _annotated(image, readings),
        sentence,
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


def build_photo(device: str, chosen: list[Component], again: gr.State) -> None:
    """Build the part of the tab.

    Args:
        device: Where models run.
        chosen: The chosen model, the visitor's token and the name of the variant.
        again: Changes when another model or variant is to read the photo.
    """
    gr.Markdown("### Or read a photo")
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            # A file rather than an image component: ours are the first checks that see it.
            photo = gr.File(
                label="Photo of handwritten digits",
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
    gr.on(
        [photo.change, again.change],
        partial(on_photo, device),
        [photo, *chosen],
        [boxes, sentence, crops],
        **LATEST,
    )
