"""Where the network looked: the drawing coloured by what each pixel said for the answer."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from foundry.data import NUM_CLASSES
from foundry.digits.explanation import DigitExplanation, explain_digit
from foundry.errors import ArtifactError, InputError
from foundry.ui.components.model_choice import load_digit_model
from foundry.ui.components.pad import read_pad
from foundry.ui.components.plots import PICTURES_CSS, png_url, signed_picture
from foundry.ui.draw.maps import LOOK_JS
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
