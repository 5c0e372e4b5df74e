"""Fool it: the photo changed on purpose, and whether int8 falls for it too."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from foundry.data.pictures import load_photo
from foundry.errors import ArtifactError, InputError
from foundry.models import VARIANTS, load_model
from foundry.models.attacks.perturbing import FGSM, PGD, PGD_STEPS
from foundry.photos import PhotoModel, rank
from foundry.photos.attack import (
    LEVELS,
    MAX_STRENGTH,
    PhotoAttack,
    attack_photo,
    find_smallest,
    read_frame,
)
from foundry.photos.classification import NUM_GUESSES
from foundry.photos.names import load_names
from foundry.ui.components.plots import FOOL_CSS, before_and_after_html, pictures_html
from foundry.ui.components.pretrained_choice import Loading, watch
from foundry.ui.page.feedback import EVERY, LATEST, QUIET
from foundry.ui.photos import view
from foundry.ui.photos.choice import DEFAULT_MODEL, load_chosen

ANY = -1
# A drop-down's choices are not translated.
_ANY_TITLE = "any other name · 任意其他名称"
_HINT = "Upload or take a photo first."
_DEFAULT_STRENGTH = 2
_INT8 = VARIANTS["int8"].name
_CSS = FOOL_CSS + view.BARS_CSS + ".pictures img { image-rendering: auto; }"


def list_targets() -> list[tuple[str, int]]:
    """Return (title, index) pairs: any other name, then all of them in both languages."""
    named = [(f"{name.shown} · {name.chinese}", index) for index, name in enumerate(load_names())]
    return [(_ANY_TITLE, ANY), *named]


def on_open(target: int | None) -> Any:
    """List the names; a page that does not open this row does without.

    Args:
        target: What is chosen.
    """
    return gr.Dropdown(choices=list_targets(), value=ANY if target is None else target)


def on_fool(
    is_open: bool, path: str | None, name: str, target: int | None, method: str, strength: float
) -> Iterator[Any]:
    """Attack the photo, look for the smallest strength, and let int8 name the attacked picture.

    Args:
        is_open: Whether anybody sees it.
        path: The file of the photo.
        name: The chosen model.
        target: Index of the name that it is to get, or `ANY`.
        method: One of the attack's methods.
        strength: In levels.

    Yields:
        HTML, with more of it each time.
    """
    if not is_open:
        yield gr.skip()
        return
    if path is None:
        yield view.hint(_HINT)
        return
    if name != DEFAULT_MODEL:
        yield view.hint("Only the shipped model can be attacked.")
        return
    yield view.hint("Attacking the photo, which takes a few seconds.")
    try:
        network, image = load_model(name), load_photo(path)
        model = load_chosen(name)
        wanted = None if target in (None, ANY) else target
        attack = attack_photo(network, image, wanted, method, int(strength))
        shown = _said_html(model, attack)
        pictures = _pictures_html(attack, int(strength)) + _answers_html(model, attack)
        yield f"{shown}{_note('Looking for the smallest strength that works.')}{pictures}"
        shown += _note(_tell_smallest(find_smallest(network, image, wanted, method)))
        for step in watch(partial(load_chosen, name, _INT8), f"Loading {_INT8}"):
            if isinstance(step, Loading):
                yield shown + _note(f"{step.sentence}: {step.share:.0%}") + pictures
            else:
                yield shown + _carried_html(step, attack) + pictures
    except (InputError, ArtifactError) as error:
        yield view.hint(str(error))


def _said_html(model: PhotoModel, attack: PhotoAttack) -> str:
    after = int(attack.probs_after.argmax())
    if attack.fools(attack.probs_after):
        said = "Fooled: in float32 it is now called"
    elif after == attack.index:
        said = "Not fooled: in float32 it is still called"
    else:
        said = "Not there yet: in float32 it is now called"
    return (
        f'<p class="said" role="status"><span>{said}</span> '
        f"<b>{view.name_html(model, after)}</b></p>"
    )


def _carried_html(int8: PhotoModel, attack: PhotoAttack) -> str:
    probs = read_frame(int8.predict, attack.after)
    said = (
        "It carries over: int8 calls the same picture"
        if attack.fools(probs)
        else "It does not carry over: int8 calls the same picture"
    )
    best = int(probs.argmax())
    return (
        f'<p class="note"><span>{said}</span> <b>{view.name_html(int8, best)}</b> '
        f"({probs[best]:.1%})</p>"
    )


def _tell_smallest(smallest: int | None) -> str:
    if smallest is None:
        return f"No strength up to {MAX_STRENGTH} works."
    return f"The smallest strength that works is {smallest}."


def _note(sentence: str) -> str:
    return f'<p class="note">{sentence}</p>'


def _pictures_html(attack: PhotoAttack, strength: int) -> str:
    magnified = 128 + attack.noise * (127 / max(strength, 1))
    return pictures_html(
        {
            "The photo, as the network sees it": attack.before,
            "The attacked photo": attack.after,
            "The noise, magnified: grey is no change, bright adds and dark takes": (
                Image.fromarray(np.rint(magnified).astype(np.uint8))
            ),
        }
    )


def _answers_html(model: PhotoModel, attack: PhotoAttack) -> str:
    before, after = (
        view.bars_html(model, rank(model, probs, NUM_GUESSES))
        for probs in (attack.probs_before, attack.probs_after)
    )
    return before_and_after_html(before, after) + _note(
        "Gradients come from the float32 network: what runs in int8 has none. The attacked "
        f"photo is rounded to whole levels of {LEVELS}, as a file holds it."
    )


def build_fool(photo: gr.Image, model: gr.Dropdown) -> None:
    """Build the row, closed.

    Args:
        photo: Where the photo is.
        model: The chosen one.
    """
    with gr.Accordion("Fool it", open=False, elem_id="photos-fool-row") as row:
        is_open = gr.State(False)
        with gr.Row():
            target = gr.Dropdown(
                [(_ANY_TITLE, ANY)],
                value=ANY,
                label="Make it call this",
                filterable=True,
                interactive=True,
                elem_classes=["explained", "term-attack"],
                elem_id="photos-target",
            )
            method = gr.Radio(
                [("FGSM, one step", FGSM), (f"PGD, {PGD_STEPS} steps", PGD)],
                value=PGD,
                label="Attack",
                interactive=True,
                elem_id="photos-method",
            )
            strength = gr.Slider(
                0,
                MAX_STRENGTH,
                value=_DEFAULT_STRENGTH,
                step=1,
                label="Strength",
                info=f"How far each colour of each pixel may go, of {LEVELS} levels.",
                interactive=True,
                elem_id="photos-strength",
            )
        fooled = gr.HTML(
            view.hint(_HINT),
            css_template=_CSS,
            apply_default_css=False,
            elem_classes="flush",
            elem_id="photos-fooled",
        )
    attack = on_fool, [is_open, photo, model, target, method, strength], fooled
    # One after the other: of two at once the slower one would have the last word.
    in_turn = {"concurrency_limit": 1, "concurrency_id": "fool"}
    for change in (target.input, method.input, strength.release):
        change(*attack, **LATEST | in_turn)
    for change in (photo.change, model.input, is_open.change):
        change(*attack, **EVERY | in_turn)
    row.expand(lambda: True, None, is_open, **QUIET).then(on_open, target, target, **QUIET)
    row.collapse(lambda: False, None, is_open, **QUIET)
