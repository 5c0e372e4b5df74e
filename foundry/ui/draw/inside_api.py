"""Named endpoints that look inside an answer, at how a run came to it, and attack it.

foundry/ui/README.md has examples.
"""

from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import nn

from foundry.data import NUM_CLASSES
from foundry.data.pictures import inspect_file, load_image
from foundry.digits import read_drawing
from foundry.digits.attack import attack_digit
from foundry.digits.explanation import explain_digit
from foundry.errors import InputError
from foundry.models.attacks.perturbing import PGD
from foundry.training.inspection.replay import list_moments, read_at
from foundry.training.runs import read_own_run
from foundry.ui.components.model_choice import DEFAULT_MODEL, OWN_DATA, load_digit_model
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
        network = load_digit_model(model, session_owner(request), device)
        image, digit = _read(image_file, network)
        rival = _read_target(target)
        explanation = explain_digit(network, image, digit, None if rival == digit else rival)
        return vars(explanation) | {"attributions": explanation.attributions.tolist()}

    def replay(run_id: str, image_file: str | None, request: gr.Request) -> list[dict[str, Any]]:
        """Read a picture of a digit at every snapshot of a run of yours, running or ended."""
        run = read_own_run(run_id, session_owner(request))
        if not run.is_on_mnist:
            raise InputError(OWN_DATA)
        moments = [moment for moment in list_moments(run) if moment.step is not None]
        if not moments:
            raise InputError(
                f"The run “{run_id}” has no snapshots, as those that a search made; its weights "
                "read a picture by /classify_digit."
            )
        image, _ = _read(image_file, moments[-1].load())
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
        network = load_digit_model(model, session_owner(request), device)
        image, _ = _read(image_file, network)
        attacked = attack_digit(network, image, _read_target(target), method, epsilon)
        return {
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


def _read(image_file: str | None, network: nn.Module) -> tuple[np.ndarray, int]:
    sent = require_image(image_file)
    reading = require_ink(read_drawing(network, load_image(sent)), inspect_file(sent).remark)
    return reading.image, reading.digit


def _read_target(target: str | None) -> int | None:
    """Return the digit that is asked for, None for none in particular."""
    name = (target or "").strip()
    if name and name not in [str(digit) for digit in range(NUM_CLASSES)]:
        raise InputError(f"target is “{target}”; a digit from 0 to 9 is accepted, or nothing.")
    return int(name) if name else None
