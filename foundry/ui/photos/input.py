"""Where a photo is uploaded, pasted, dropped or taken."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


def build_photo_input(
    sources: Sequence[str] = ("upload", "webcam", "clipboard"), **options: Any
) -> gr.Image:
    """Build Gradio's image component, whose value is the file as it was sent.

    Args:
        sources: Where it may come from.
        options: As `gr.Image` takes them.
    """
    photo = gr.Image(
        sources=list(sources), type="filepath", format="jpeg", interactive=True, **options
    )
    # Gradio would open the file, turn it and save it anew, and fail without a sentence where it
    # cannot: `load_photo()` is to be the first that looks at it.
    photo.preprocess = _take_path
    return photo


def _take_path(payload: ImageData | None) -> str | None:
    return payload.path if payload else None
