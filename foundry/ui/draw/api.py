"""The named endpoint for pictures of digits; foundry/ui/README.md has an example."""

import gradio as gr

from foundry.digits import read_drawing
from foundry.digits.ink import load_image
from foundry.errors import InputError
from foundry.models import DENSE
from foundry.ui.components.model_choice import DEFAULT_MODEL, load_digit_predictor
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner


def build_draw_api(device: str) -> None:
    """Add `/classify_digit` to the app being built.

    Args:
        device: Where models run.
    """

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
