"""Fool it: the drawing changed on purpose, and who falls for it."""

from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from foundry.digits.attack import MAX_EPSILON, Attack, attack_digit, read_pixels
from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE, available_models
from foundry.models.attacks.perturbing import FGSM, PGD, PGD_STEPS
from foundry.models.loading import available_variants
from foundry.ui.components.model_choice import (
    list_own_digit_models,
    load_digit_model,
    load_digit_predictor,
)
from foundry.ui.components.pad import read_pad
from foundry.ui.components.plots import (
    FOOL_CSS,
    before_and_after_html,
    digit_bars,
    pictures_html,
    signed_picture,
)
from foundry.ui.draw.curves.attack import build_attack_curve
from foundry.ui.draw.inside_api import DEFAULT_EPSILON
from foundry.ui.draw.look_inside import (
    ANY,
    DRAW_FIRST,
    FLOAT_NOTE,
    build_digit_choice,
    build_followed,
    follow,
)

# Of a visitor's runs, the newest.
_NUM_RUNS = 4


def on_fool(
    device: str,
    drawing: Any,
    model_name: str,
    token: str,
    variant: str,
    target: int,
    method: str,
    epsilon: float,
) -> str:
    """Attack the drawing, and let the other models read the same attacked picture.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant; of int8 the float32 network is attacked.
        target: The digit that it is to be read as, or `ANY`.
        method: One of the attack's methods.
        epsilon: Its strength.

    Returns:
        HTML.
    """
    try:
        network = load_digit_model(model_name, token, device, variant)
        reading = read_pad(network, drawing)
        if reading is None:
            return DRAW_FIRST
        attack = attack_digit(
            network, reading.image, None if target == ANY else target, method, epsilon
        )
        others = _read_by_others(attack, model_name, token, device)
    except (InputError, ArtifactError) as error:
        return f'<span class="hint">{escape(str(error))}</span>'
    return _render(attack, reading.image) + others


def _read_by_others(attack: Attack, model_name: str, token: str, device: str) -> str:
    shipped = {spec.name: spec.title for spec in available_models("digits")}
    own = {name: title for title, name in list_own_digit_models(token)}
    titles = shipped | own
    rows = []
    for name in dict.fromkeys([model_name, *shipped, *list(own)[:_NUM_RUNS]]):
        # Of one's own runs the network as it was trained: their int8 form is made on Compress.
        for variant in available_variants(name) if name in shipped else [DENSE.name]:
            predictor = load_digit_predictor(name, token, device, variant)
            probs = read_pixels(predictor, attack.pixels)
            read = int(probs.argmax())
            style = "" if read == attack.digit else ' class="wrong"'
            rows.append(
                f'<tr><th scope="row"><span translate="no">{escape(titles[name])}</span>, '
                f"{variant}</th><td{style}><b>{read}</b></td><td>{probs[read]:.1%}</td></tr>"
            )
    return (
        '<div class="both"><div><h4>The same attacked picture, read by others</h4>'
        f'<table><tbody>{"".join(rows)}</tbody></table><p class="note">{FLOAT_NOTE}</p></div></div>'
    )


def _render(attack: Attack, ink: np.ndarray) -> str:
    after = int(attack.probs_after.argmax())
    if attack.is_fooled:
        said = f"Fooled: the {attack.digit} is read as {after}."
    elif after == attack.digit:
        said = f"Not fooled: it is still read as {after}."
    else:
        said = f"Not there yet: it is read as {after}."
    smallest = attack.smallest_epsilon
    least = (
        f"No strength up to {MAX_EPSILON} works."
        if smallest is None
        else f"The smallest strength that works is {smallest:.2f}."
    )
    attacked = np.rint(255 * (1 - attack.pixels)).astype(np.uint8)
    pictures = {
        "The drawing, as the network sees it": Image.fromarray(255 - ink),
        "The attacked drawing": Image.fromarray(attacked),
        "The noise, magnified: blue adds ink, orange takes some": signed_picture(attack.noise),
    }
    was, now = (digit_bars(probs.tolist()) for probs in (attack.probs_before, attack.probs_after))
    return (
        f'<p class="said" role="status"><b>{said}</b> <span>{least}</span></p>'
        f"{pictures_html(pictures)}{before_and_after_html(was, now)}"
    )


def build_fool(device: str, inputs: list[Component]) -> None:
    """Build the row, closed.

    Args:
        device: Where models run.
        inputs: The pad, the chosen model, the visitor's token and the name of the variant.
    """
    with gr.Accordion("Fool it", open=False, elem_id="draw-fool-row") as row:
        target = build_digit_choice(label="Make it read", elem_id="draw-target")
        with gr.Row():
            method = gr.Radio(
                [("FGSM, one step", FGSM), (f"PGD, {PGD_STEPS} steps", PGD)],
                value=PGD,
                label="Attack",
                elem_id="draw-method",
            )
            epsilon = gr.Slider(
                0,
                MAX_EPSILON,
                value=DEFAULT_EPSILON,
                step=0.01,
                label="Strength (epsilon)",
                info="How far each pixel may go on the way from paper to ink.",
                elem_id="draw-epsilon",
            )
        fooled = build_followed(FOOL_CSS, "draw-fooled")
        build_attack_curve(device, row, inputs[2], method)
    follow(
        [target.input, method.input, epsilon.release],
        partial(on_fool, device),
        [*inputs, target, method, epsilon],
        fooled,
    )
