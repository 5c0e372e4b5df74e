"""Where the network looked: the drawing coloured by what each pixel said for the answer."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image, ImageColor

from foundry.data import NUM_CLASSES
from foundry.digits.explanation import DigitExplanation, explain_digit
from foundry.errors import ArtifactError, InputError
from foundry.ui.components.model_choice import load_digit_model
from foundry.ui.components.pad import read_pad
from foundry.ui.components.plots import png_url
from foundry.ui.draw.maps import LOOK_JS
from foundry.ui.page import palette
from foundry.ui.page.feedback import QUIET

ANY = -1
DRAW_FIRST_TEXT = "Draw a digit on the pad first."
DRAW_FIRST = f'<span class="hint">{DRAW_FIRST_TEXT}</span>'
FLOAT_NOTE = "Gradients come from the float32 network: what runs in int8 has none."

# A row is built when it is opened, after whatever has been drawn by then.
_FOLLOW_JS = f"""{LOOK_JS}
drawing = 'as it is';
observe();
document.addEventListener('foundry-model', () => {{ shown = null; lookSoon(); }});
"""
# Said by the tab when another model or variant answers.
TELL_MODEL_JS = "() => { document.dispatchEvent(new CustomEvent('foundry-model')); }"

PICTURES_CSS = """
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
.pictures > div { flex: 1 1 260px; }
/* The pictures of a row stand on one line, however long their captions are. */
figure { margin: 0; flex: 0 0 240px; display: flex; flex-direction: column;
  justify-content: flex-end; }
figcaption { color: var(--body-text-color-subdued); font-size: 0.875rem; margin-bottom: 0.4rem; }
figure img { width: 100%; image-rendering: pixelated; display: block;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
@media (max-width: 760px) { figure { flex-basis: calc(50% - 0.75rem); } }
.hint, .note { color: var(--body-text-color-subdued); font-size: 0.9rem; }
.note { margin: 0.5rem 0 0; }
.said { margin: 0; font-size: 1.05rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-top: 0.6rem;
  font-size: 0.9rem; }
.legend i { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin-right: 0.4em; vertical-align: -0.1em; }
.for { background: var(--foundry-blue); }
.against { background: var(--foundry-vermilion); }
"""


def on_explain(
    device: str, drawing: Any, model_name: str, token: str, variant: str, rival: int
) -> str:
    """Colour the drawing by what each pixel says for the answer.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant; of int8 the float32 network is explained.
        rival: The digit that the answer is compared with, or `ANY`.

    Returns:
        HTML.
    """
    try:
        network = load_digit_model(model_name, token, device, variant)
        reading = read_pad(network, drawing)
        if reading is None:
            return DRAW_FIRST
        compared = None if rival in (ANY, reading.digit) else rival
        explanation = explain_digit(network, reading.image, reading.digit, compared)
    except (InputError, ArtifactError) as error:
        return f'<span class="hint">{escape(str(error))}</span>'
    note = f'<p class="note">{FLOAT_NOTE}</p>' if "int8" in variant else ""
    return _render(explanation, reading.image) + note


def signed_picture(values: np.ndarray, ink: np.ndarray | None = None) -> Image.Image:
    """Paint blue what is above zero and vermilion what is below, on white paper.

    Args:
        values: float32 (28, 28).
        ink: uint8 (28, 28), drawn pale below them; None for plain paper.
    """
    blue, vermilion = (
        np.array(ImageColor.getrgb(colour)) for colour in (palette.BLUE, palette.VERMILION)
    )
    pale = np.zeros_like(values) if ink is None else ink / 255
    paper = 255 - 40 * pale[..., None] * np.ones(3)
    # Of the largest 1% one would leave all others pale.
    largest = float(np.quantile(np.abs(values), 0.99)) or float(np.abs(values).max()) or 1.0
    share = np.clip(np.abs(values) / largest, 0, 1)[..., None]
    ends = np.where(values[..., None] < 0, vermilion, blue)
    return Image.fromarray(np.rint(paper + (ends - paper) * share).astype(np.uint8))


def _render(explanation: DigitExplanation, ink: np.ndarray) -> str:
    digit, rival = explanation.digit, explanation.rival
    picture = png_url(signed_picture(explanation.attributions, ink))
    difference = explanation.margin - explanation.baseline_margin
    total = float(explanation.attributions.sum())
    if rival is None:
        said, towards, against = f"Why {digit}?", f"speaks for {digit}", f"against {digit}"
    else:
        said = f"Why {digit} and not {rival}?"
        towards, against = f"speaks for {digit}", f"speaks for {rival}"
    return (
        f'<div class="pictures"><figure><img src="{picture}" alt="{escape(said)}"></figure><div>'
        f'<p class="said"><b>{said}</b></p>'
        f'<div class="legend"><span><i class="for"></i>{towards}</span>'
        f'<span><i class="against"></i>{against}</span></div>'
        f'<p class="note">All pixels together: {total:.2f} logits of {difference:.2f}; the '
        f"completeness error is {explanation.relative_error:.2%}.</p>"
        '<p class="note">Measured against an empty pad: paper has no share, so a stroke that is '
        "missing has no colour.</p></div></div>"
    )


def build_digit_choice(**options: Any) -> gr.Radio:
    """Build the choice of a digit, or of any.

    Args:
        options: As `gr.Radio` takes them.
    """
    digits = [(str(digit), digit) for digit in range(NUM_CLASSES)]
    return gr.Radio([("any other", ANY), *digits], value=ANY, **options)


def build_followed(css: str, elem_id: str) -> gr.HTML:
    """Build what follows the drawing while it is in sight.

    Args:
        css: Its look.
        elem_id: Its id on the page.
    """
    return gr.HTML(
        DRAW_FIRST,
        css_template=css,
        js_on_load=_FOLLOW_JS,
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
    )


def follow(
    changes: Sequence[Callable[..., Any]],
    handler: Callable[..., str],
    inputs: Sequence[Component],
    shown: gr.HTML,
) -> None:
    """Fill what was built by `build_followed()` as the drawing changes, and after other changes.

    Args:
        changes: The other events.
        handler: Returns HTML.
        inputs: What it takes.
        shown: Where that is shown.
    """
    for change in (shown.input, *changes):
        change(handler, list(inputs), shown, trigger_mode="always_last", **QUIET)


def build_look_inside(device: str, inputs: list[Component]) -> None:
    """Build the row, closed.

    Args:
        device: Where models run.
        inputs: The pad, the chosen model, the visitor's token and the name of the variant.
    """
    with gr.Accordion("Where it looked", open=False, elem_id="draw-looked-row"):
        rival = build_digit_choice(
            label="Why not",
            info="The digit that the answer is compared with.",
            elem_id="draw-rival",
        )
        looked = build_followed(PICTURES_CSS, "draw-looked")
    follow([rival.input], partial(on_explain, device), [*inputs, rival], looked)
