"""Named endpoints that look inside an answer, at how a run came to it, and attack it.

foundry/ui/README.md has examples.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import nn

from foundry.data import DIGITS
from foundry.data.pictures import inspect_file, load_image
from foundry.digits import read_drawing
from foundry.digits.attack import attack_digit
from foundry.digits.explanation import explain_digit
from foundry.digits.reading import classify_digits
from foundry.errors import InputError
from foundry.models.attacks.perturbing import PGD
from foundry.training.inspection.replay import list_moments, read_at
from foundry.training.runs import read_own_run
from foundry.ui.components.model_choice import (
    DEFAULT_MODEL,
    find_own_data_run,
    load_digit_model,
    load_run_model,
)
from foundry.ui.components.pad import frame_for
from foundry.ui.draw.api import require_image, require_ink
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner

DEFAULT_EPSILON = 0.2


def build_inside_api(device: str) -> None:
    """Add `/explain_digit`, `/replay` and `/attack_digit` to the app being built.

    Args:
        device: Where models run.
    """

    def explain(
        image_file: str | None, model: str, target: str, request: gr.Request
    ) -> dict[str, Any]:
        """Return every pixel's share in the answer, or in its lead over another digit."""
        network, image = _see(image_file, model, session_owner(request), device)
        digit = int(classify_digits(network, image[None])[0].argmax())
        rival = _read_target(target, network.classes)
        explanation = explain_digit(network, image, digit, None if rival == digit else rival)
        told = vars(explanation) | {"attributions": explanation.attributions.tolist()}
        return told | _name_classes(network)

    def replay(run_id: str, image_file: str | None, request: gr.Request) -> list[dict[str, Any]]:
        """Read a picture of a digit at every snapshot of a run of yours, running or ended."""
        run = read_own_run(run_id, session_owner(request))
        moments = [moment for moment in list_moments(run) if moment.step is not None]
        if not moments:
            raise InputError(
                f"The run “{run_id}” has no snapshots, as those that a search made; its weights "
                "read a picture by /classify_digit."
            )
        if run.is_on_mnist:
            image = _read(image_file, moments[-1].load())
        else:
            image = frame_for(run, load_image(require_image(image_file)))
        images = torch.from_numpy(image[None])
        return [
            {"step": moment.step, "probs": read_at(moment, images)[0].tolist()}
            for moment in moments
        ]

    def attack(
        image_file: str | None,
        model: str,
        target: str,
        method: str,
        epsilon: float,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Change a picture of a digit a little, so that the model reads another digit."""
        network, image = _see(image_file, model, session_owner(request), device)
        place = _read_target(target, network.classes)
        attacked = attack_digit(network, image, place, method, epsilon)
        return _name_classes(network) | {
            "digit": attacked.digit,
            "attacked_digit": int(attacked.probs_after.argmax()),
            "is_fooled": attacked.is_fooled,
            "smallest_epsilon": attacked.smallest_epsilon,
            "probs_before": attacked.probs_before.tolist(),
            "probs_after": attacked.probs_after.tolist(),
            "pixels": attacked.pixels.tolist(),
        }

    with gr.Column(visible=False):
        image_file = gr.File(label="image_file")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        target = gr.Textbox("", label="target")
        method = gr.Textbox(PGD, label="method")
        epsilon = gr.Number(DEFAULT_EPSILON, label="epsilon")
        gr.Button().click(
            shows_errors(explain),
            [image_file, model, target],
            gr.JSON(label="explanation"),
            api_name="explain_digit",
        )
        run_id = gr.Textbox("", label="run_id")
        gr.Button().click(
            shows_errors(replay),
            [run_id, image_file],
            gr.JSON(label="snapshots"),
            api_name="replay",
        )
        gr.Button().click(
            shows_errors(attack),
            [image_file, model, target, method, epsilon],
            gr.JSON(label="attack"),
            api_name="attack_digit",
        )


def _see(image_file: str | None, model: str, owner: str, device: str) -> tuple[Any, np.ndarray]:
    """Return the network that was named, whatever it learned, and what it sees of a picture."""
    if own := find_own_data_run(model, owner):
        return load_run_model(own, device), frame_for(own, load_image(require_image(image_file)))
    network = load_digit_model(model, owner, device)
    return network, _read(image_file, network)


def _read(image_file: str | None, network: nn.Module) -> np.ndarray:
    sent = require_image(image_file)
    reading = require_ink(read_drawing(network, load_image(sent)), inspect_file(sent).remark)
    return reading.image


def _read_target(target: str | None, classes: Sequence[str]) -> int | None:
    """Return the place of the class that is asked for, None for none in particular."""
    name = (target or "").strip()
    if not name:
        return None
    if name in classes:
        return classes.index(name)
    if classes == DIGITS:
        raise InputError(f"target is “{target}”; a digit from 0 to 9 is accepted, or nothing.")
    raise InputError(f"target is “{target}”; {', '.join(classes)} are accepted, or nothing.")


def _name_classes(network: Any) -> dict[str, list[str]]:
    """Return what the places in an answer stand for where they are no digits."""
    return {} if network.classes == DIGITS else {"classes": list(network.classes)}
