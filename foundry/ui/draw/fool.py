"""Fool it: the drawing changed on purpose, and who falls for it."""

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from foundry.data import DIGITS
from foundry.digits.attack import MAX_EPSILON, Attack, attack_digit, read_pixels
from foundry.digits.reading import classify_digits
from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE, available_models
from foundry.models.attacks.perturbing import FGSM, PGD, PGD_STEPS
from foundry.models.loading import available_variants
from foundry.ui.components.model_choice import (
    find_own_data_run,
    list_own_digit_models,
    list_runs_like,
    load_any_predictor,
)
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
    ANY_CLASS,
    DRAW_FIRST,
    FLOAT_NOTE,
    build_choice,
    build_followed,
    find_place,
    follow,
)
from foundry.ui.draw.own import see_and_load

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
    target_class: str = ANY_CLASS,
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
        target_class: Of a run on the visitor's own data: the name of the class that it is to be
            taken for, or `ANY_CLASS`.

    Returns:
        HTML.
    """
    try:
        network, image = see_and_load(drawing, model_name, token, device, variant)
        if image is None:
            return DRAW_FIRST
        place = find_place(network, target, target_class)
        classes = network.classes
        if classes != DIGITS and place == classify_digits(network, image[None])[0].argmax():
            raise InputError(
                f"It is read as “{target_class}” already; choose another class to fool it into."
            )
        attack = attack_digit(network, image, place, method, epsilon)
        others = _read_by_others(attack, model_name, token, device)
    except (InputError, ArtifactError) as error:
        return f'<span class="hint">{escape(str(error))}</span>'
    return _render(attack, image, classes) + others


def _read_by_others(attack: Attack, model_name: str, token: str, device: str) -> str:
    shipped = {spec.name: spec.title for spec in available_models("digits")}
    own = {name: title for title, name in list_own_digit_models(token)}
    classes = DIGITS
    if learned := find_own_data_run(model_name, token):
        # Whatever learned the same can be asked the same.
        shipped, classes = {}, learned.classes
        own = {name: title for title, name in list_runs_like(learned, token)}
    titles = shipped | own
    rows = []
    for name in dict.fromkeys([model_name, *shipped, *list(own)[:_NUM_RUNS]]):
        # Of one's own runs the network as it was trained: their int8 form is made on Compress.
        for variant in available_variants(name) if name in shipped else [DENSE.name]:
            predictor = load_any_predictor(name, token, device, variant)
            probs = read_pixels(predictor, attack.pixels)
            read = int(probs.argmax())
            style = "" if read == attack.digit else ' class="wrong"'
            rows.append(
                f'<tr><th scope="row"><span translate="no">{escape(titles[name])}</span>, '
                f'{variant}</th><td{style}><b translate="no">{escape(classes[read])}</b></td>'
                f"<td>{probs[read]:.1%}</td></tr>"
            )
    return (
        '<div class="both"><div><h4>The same attacked picture, read by others</h4>'
        f'<table><tbody>{"".join(rows)}</tbody></table><p class="note">{FLOAT_NOTE}</p></div></div>'
    )


def _render(attack: Attack, ink: np.ndarray, classes: Sequence[str]) -> str:
    before, after = (
        escape(classes[int(probs.argmax())]) for probs in (attack.probs_before, attack.probs_after)
    )
    if attack.is_fooled:
        said = f"Fooled: the {before} is read as {after}."
    elif after == before:
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
    was, now = (
        digit_bars(probs.tolist(), classes) for probs in (attack.probs_before, attack.probs_after)
    )
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
        target, target_class = build_choice(
            inputs, "", "", label="Make it read", elem_id="draw-target"
        )
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
        [target.input, target_class.input, method.input, epsilon.release],
        partial(on_fool, device),
        [*inputs, target, method, epsilon, target_class],
        fooled,
    )
