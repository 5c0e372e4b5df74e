"""The named endpoint for photos; foundry/ui/README.md has an example."""

from typing import Any

import gradio as gr

from foundry.data.pictures import inspect_file, load_image
from foundry.errors import InputError
from foundry.models import DENSE
from foundry.photos import classify_photo, rank
from foundry.photos.classification import NUM_GUESSES
from foundry.ui.page.feedback import shows_errors
from foundry.ui.photos.choice import DEFAULT_MODEL, load_chosen


@shows_errors
def classify_image(image_file: str | None, model: str, variant: str) -> dict[str, Any]:
    """Return the likeliest name of what is on a picture, and the five likeliest with their shares.

    The names are the model's own; of ImageNet's classes the first English one.
    """
    if image_file is None:
        raise InputError("There is no image; send a PNG, JPEG or WebP file.")
    classifier = load_chosen(model, variant)
    probs = classify_photo(classifier, load_image(image_file))
    if remark := inspect_file(image_file).remark:
        gr.Warning(remark)
    guesses = rank(classifier, probs, NUM_GUESSES)
    return {
        "label": guesses[0].label,
        "confidences": [{"label": guess.label, "confidence": guess.prob} for guess in guesses],
    }


def build_photos_api() -> None:
    """Add `/classify_image` to the app being built."""
    with gr.Column(visible=False):
        image_file = gr.File(label="image_file")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox(DENSE.name, label="variant")
        gr.Button().click(
            classify_image,
            [image_file, model, variant],
            gr.JSON(label="image"),
            api_name="classify_image",
        )
