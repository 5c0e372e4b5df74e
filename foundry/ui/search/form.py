"""The knobs of a search: one or two components per field of `SearchConfig`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.models import available_architectures
from foundry.search import SearchConfig
from foundry.search.config import (
    CHOICES,
    FIELDS,
    MAX_MINUTES,
    MAX_TRIALS,
    OBJECTIVES,
    RANGES,
    SAMPLERS,
)
from foundry.training.config import LIMITS, OPTIMIZERS, SCHEDULES, describe_limits
from foundry.ui.components.model_choice import MNIST_CHOICE
from foundry.ui.page.feedback import LATEST
from foundry.ui.page.language import OUR_CHOICES

_DEFAULT = SearchConfig()
_OPTIONS = {
    "model": tuple(available_architectures()),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
LABELS = {
    "dataset": "Data",
    "model": "Models to try",
    "optimizer": "Optimizers to try",
    "schedule": "Schedules to try",
    "width": "Width",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "weight_decay": "Weight decay (L2)",
    "label_smoothing": "Label smoothing",
    "dropout": "Dropout",
}


def read_form(values: Sequence[Any]) -> SearchConfig:
    """Return what the knobs ask for.

    Args:
        values: In the order of `build_knobs()`.

    Raises:
        InputError: On a value that is not accepted; names the knob.
    """
    left = iter(values)
    knobs: dict[str, Any] = {
        name: (next(left), next(left)) if name in RANGES else next(left) for name in FIELDS
    }
    return SearchConfig(**knobs)


def fill_form(config: SearchConfig) -> list[Any]:
    """Return a value for every knob, in the order of `build_knobs()`."""
    values: list[Any] = []
    lowest, highest = LIMITS["num_train_images"]
    # A set that somebody brought may have fewer or more than the slider has room for.
    used = int(min(max(config.num_train_images, lowest), highest))
    for name, value in (asdict(config) | {"num_train_images": used}).items():
        if name in RANGES:
            values += value
        else:
            values.append(list(value) if name in CHOICES else value)
    return values


def on_objective(objective: str, *width: float) -> tuple[Any, ...]:
    """Return widths to try: everything accepted, where sizes count and the width was one."""
    if objective == "accuracy-parameters" and len(set(width)) == 1:
        return LIMITS["width"]
    return (gr.skip(), gr.skip())


def build_knobs() -> list[Component]:
    """Build the knobs; a range has two, its lowest and its highest."""
    knobs: dict[str, list[Component]] = {}
    with gr.Group():
        knobs["dataset"] = [
            gr.Dropdown(
                [MNIST_CHOICE],
                value=_DEFAULT.dataset,
                label=LABELS["dataset"],
                info="What every trial learns: MNIST, or what you brought on the Train tab.",
                elem_id="search-dataset",
                elem_classes=OUR_CHOICES,
            )
        ]
        knobs["objective"] = [
            gr.Radio(
                [(title, name) for name, title in OBJECTIVES.items()],
                value=_DEFAULT.objective,
                label="What to look for",
            )
        ]
        knobs["minutes"] = [
            gr.Slider(
                0,
                MAX_MINUTES,
                _DEFAULT.minutes,
                step=0.5,
                label="Minutes",
                info="0 = no limit: until all trials are done.",
            )
        ]
        knobs["num_trials"] = [
            gr.Slider(
                0,
                MAX_TRIALS,
                _DEFAULT.num_trials,
                step=1,
                label="Trials",
                info="0 = no limit: until the time is over.",
            )
        ]
        knobs["epochs"] = [_slider("epochs", "Epochs of a trial", step=1)]
    with gr.Accordion("What to try", open=False):
        for name in CHOICES:
            knobs[name] = [
                gr.CheckboxGroup(
                    list(_OPTIONS[name]), value=list(getattr(_DEFAULT, name)), label=LABELS[name]
                )
            ]
        for name in RANGES:
            with gr.Row():
                knobs[name] = [
                    gr.Number(
                        value,
                        label=f"{LABELS[name]}, {end}",
                        info=f"From {describe_limits(name)}.",
                        min_width=120,
                    )
                    for end, value in zip(
                        ("lowest", "highest"), getattr(_DEFAULT, name), strict=True
                    )
                ]
        knobs["num_train_images"] = [
            _slider("num_train_images", "Training images of a trial", step=500)
        ]
        knobs["sampler"] = [
            gr.Radio(
                list(SAMPLERS),
                value=_DEFAULT.sampler,
                label="Sampler",
                info="Optuna learns from the trials so far and stops those that lag behind; "
                "random does neither.",
            )
        ]
        knobs["seed"] = [gr.Number(_DEFAULT.seed, label="Seed of the search", precision=0)]
    knobs["objective"][0].input(
        on_objective, [*knobs["objective"], *knobs["width"]], knobs["width"], **LATEST
    )
    return [component for name in FIELDS for component in knobs[name]]


def _slider(name: str, label: str, step: float) -> gr.Slider:
    lowest, highest = LIMITS[name]
    return gr.Slider(lowest, highest, value=getattr(_DEFAULT, name), step=step, label=label)
