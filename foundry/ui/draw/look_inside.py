"""Where the network looked: the drawing coloured by what each pixel said for the answer."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from foundry.data import DIGITS, NUM_CLASSES
from foundry.digits.explanation import DigitExplanation, explain_digit
from foundry.digits.reading import classify_digits
from foundry.errors import ArtifactError, InputError
from foundry.ui.components.model_choice import find_own_data_run
from foundry.ui.components.plots import PICTURES_CSS, png_url, signed_picture
from foundry.ui.draw.maps import LOOK_JS
from foundry.ui.draw.own import see_and_load
from foundry.ui.page.feedback import EVERY, LATEST

ANY, ANY_CLASS = -1, ""
# In both languages, because what is chosen in a list is not translated.
_ANY_NAME = ("any other · 任何其他", ANY_CLASS)
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
    device: str,
    drawing: Any,
    model_name: str,
    token: str,
    variant: str,
    rival: int,
    rival_class: str = ANY_CLASS,
) -> str:
    """Colour the drawing by what each pixel says for the answer.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant; of int8 the float32 network is explained.
        rival: The digit that the answer is compared with, or `ANY`.
        rival_class: The same of a run on the visitor's own data: the name of a class.

    Returns:
        HTML.
    """
    try:
        network, image = see_and_load(drawing, model_name, token, device, variant)
        if image is None:
            return DRAW_FIRST
        answer = int(classify_digits(network, image[None])[0].argmax())
        place = find_place(network, rival, rival_class)
        explanation = explain_digit(network, image, answer, None if place == answer else place)
    except (InputError, ArtifactError) as error:
        return f'<span class="hint">{escape(str(error))}</span>'
    note = f'<p class="note">{FLOAT_NOTE}</p>' if "int8" in variant else ""
    return _render(explanation, image, network.classes) + note


def find_place(network: Any, digit: int, name: str) -> int | None:
    """Return the place of what was chosen among a network's classes; None for any.

    Args:
        network: What is asked for depends on what it learned.
        digit: The choice of a digit, or `ANY`.
        name: The choice of a class, or `ANY_CLASS`.
    """
    if network.classes == DIGITS:
        return None if digit == ANY else digit
    # The choice may be of the model before.
    return network.classes.index(name) if name in network.classes else None


def _render(explanation: DigitExplanation, ink: np.ndarray, classes: Sequence[str]) -> str:
    digit = escape(classes[explanation.digit])
    rival = None if explanation.rival is None else escape(classes[explanation.rival])
    picture = png_url(signed_picture(explanation.attributions, ink))
    difference = explanation.margin - explanation.baseline_margin
    total = float(explanation.attributions.sum())
    if rival is None:
        said, towards, against = f"Why {digit}?", f"speaks for {digit}", f"against {digit}"
    else:
        said = f"Why {digit} and not {rival}?"
        towards, against = f"speaks for {digit}", f"speaks for {rival}"
    return (
        f'<div class="pictures"><figure><img src="{picture}" alt="{said}"></figure><div>'
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


def build_choice(
    inputs: Sequence[Component], info: str, class_info: str, **options: Any
) -> list[Component]:
    """Build the choice of a digit and that of a class, of which the model's own is in sight.

    Args:
        inputs: The pad, the chosen model, the visitor's token and the name of the variant.
        info: Says what the digit is for.
        class_info: Says the same of a class.
        options: Of both: the label and the id on the page.
    """
    digit = build_digit_choice(info=info or None, **options)
    named = gr.Dropdown(
        [_ANY_NAME],
        value=ANY_CLASS,
        label=options["label"],
        info=class_info or None,
        visible=False,
        elem_id=f"{options['elem_id']}-class",
    )
    _, model, visitor, _ = inputs
    # Of two listeners to one event that are put off while they work, each would start the other.
    model.change(on_classes, [model, visitor], [digit, named], **EVERY)
    return [digit, named]


def on_classes(model_name: str, token: str) -> list[Any]:
    """Offer the classes of a run on the visitor's own data, or digits.

    Args:
        model_name: The chosen model.
        token: The visitor's token.

    Returns:
        Updates for the choice of a digit and for that of a class.
    """
    try:
        own = find_own_data_run(model_name, token)
    except InputError:
        # Said by what answers the drawing.
        return [gr.skip(), gr.skip()]
    if own is None:
        return [gr.Radio(visible=True), gr.Dropdown(visible=False)]
    names = [_ANY_NAME, *((name, name) for name in own.classes)]
    return [gr.Radio(visible=False), gr.Dropdown(names, value=ANY_CLASS, visible=True)]


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
        change(handler, list(inputs), shown, **LATEST)


def build_look_inside(device: str, inputs: list[Component]) -> None:
    """Build the row, closed.

    Args:
        device: Where models run.
        inputs: The pad, the chosen model, the visitor's token and the name of the variant.
    """
    with gr.Accordion("Where it looked", open=False, elem_id="draw-looked-row"):
        rival = build_choice(
            inputs,
            "The digit that the answer is compared with.",
            "The class that the answer is compared with.",
            label="Why not",
            elem_id="draw-rival",
        )
        looked = build_followed(PICTURES_CSS, "draw-looked")
    changes = [choice.input for choice in rival]
    follow(changes, partial(on_explain, device), [*inputs, *rival], looked)
