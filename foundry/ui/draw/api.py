"""The named endpoints for pictures of digits; foundry/ui/README.md has an example."""

from typing import Any

import gradio as gr

from foundry.data.pictures import inspect_file, load_image
from foundry.digits import Reading
from foundry.digits.ink import find_ink
from foundry.digits.reading import classify_digits, read_ink, read_lines
from foundry.errors import InputError
from foundry.models import DENSE
from foundry.ui.components.model_choice import (
    DEFAULT_MODEL,
    find_own_data_run,
    load_any_predictor,
    load_digit_predictor,
)
from foundry.ui.components.pad import frame_for
from foundry.ui.draw.remarks import remark_on_drawing
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner


def require_image(image_file: str | None) -> str:
    """Return the file that was sent.

    Raises:
        InputError: If there is none.
    """
    if image_file is None:
        raise InputError("There is no image; send a PNG, JPEG or WebP file.")
    return image_file


def require_ink(reading: Reading | None, remark: str) -> Reading:
    """Return what was read.

    Args:
        reading: None if there was nothing to read.
        remark: What else there is to say of the file, in whole sentences; may be empty.

    Raises:
        InputError: If there was nothing to read.
    """
    if reading is None:
        refusal = "No ink was found; send a picture of a digit on plain paper."
        raise InputError(f"{refusal} {remark}".strip())
    return reading


def build_draw_api(device: str) -> None:
    """Add `/classify_digit` and `/read_digits` to the app being built.

    Args:
        device: Where models run.
    """

    def classify_digit(
        image_file: str | None, model: str, variant: str, request: gr.Request
    ) -> dict[str, float]:
        """Return the probability of every digit, or of every class of a run on your own data."""
        sent = require_image(image_file)
        if own := find_own_data_run(model, session_owner(request)):
            predictor = load_any_predictor(model, session_owner(request), device, variant)
            probs = classify_digits(predictor, frame_for(own, load_image(sent))[None])[0]
            return dict(zip(own.classes, map(float, probs), strict=True))
        network = load_digit_predictor(model, session_owner(request), device, variant)
        ink = find_ink(load_image(sent))
        rest = inspect_file(sent).remark
        reading = require_ink(read_ink(network, ink), rest)
        # The answer keeps its form: what there is to say comes as a message of the call.
        if remark := f"{remark_on_drawing(network, ink, reading)} {rest}".strip():
            gr.Warning(remark)
        return {str(digit): float(prob) for digit, prob in enumerate(reading.probs)}

    def read_digits(
        image_file: str | None, model: str, variant: str, request: gr.Request
    ) -> dict[str, Any]:
        """Return every digit on a picture, line by line, with its place in pixels."""
        sent = require_image(image_file)
        network = load_digit_predictor(model, session_owner(request), device, variant)
        image = load_image(sent)
        original = inspect_file(sent)
        lines = read_lines(network, find_ink(image))
        numbers = ["".join(str(reading.digit) for reading in line) for line in lines]
        across, down = original.width / image.width, original.height / image.height
        return {
            "number": "".join(numbers),
            "lines": numbers,
            "digits": [
                {
                    "digit": reading.digit,
                    "probability": float(reading.probs.max()),
                    "box": reading.box.scale(across, down),
                }
                for line in lines
                for reading in line
            ],
            "note": original.remark if lines else f"No ink was found. {original.remark}".strip(),
        }

    with gr.Column(visible=False):
        image_file = gr.File(label="image_file")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox(DENSE.name, label="variant")
        label = gr.Label(label="digit")
        digits = gr.JSON(label="digits")
        for handler, output in ((classify_digit, label), (read_digits, digits)):
            gr.Button().click(
                shows_errors(handler),
                [image_file, model, variant],
                output,
                api_name=handler.__name__,
            )
