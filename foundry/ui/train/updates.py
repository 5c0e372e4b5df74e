"""How often the chosen settings update the weights, and the preset for few images."""

import math
from typing import Any

import gradio as gr

from foundry.data.mnist import NUM_TRAIN
from foundry.errors import counted
from foundry.runs.data_sets import MNIST, read_about
from foundry.training import TrainConfig
from foundry.ui.page.feedback import shows_errors
from foundry.ui.train.form import DEFAULT_PRESET, on_preset

FEW_PRESET = "Few images"
# Of fewer, the default preset makes too few updates to learn from.
_FEW_IMAGES = 10_000
# With fewer, LeNet does not come near what it can learn.
_FEW_UPDATES = 150


def describe_updates(epochs: float, batch_size: float, num_images: float) -> str:
    """Say how often the weights are updated, and that it is too seldom if it is.

    Args:
        epochs: Passes over the images.
        batch_size: Images for each update, > 0.
        num_images: Training images.
    """
    each = math.ceil(num_images / batch_size)
    total = round(epochs) * each
    text = f"{counted(total, 'update')} of the weights, {each:,} in each epoch."
    if total < _FEW_UPDATES:
        text += " Too few to learn much: take the preset Few images, or smaller batches."
    return text


@shows_errors
def on_settings(
    epochs: float | None,
    batch_size: float | None,
    num_train_images: float,
    dataset: str,
    token: str,
) -> str:
    """Say how often the settings of the form update the weights; nothing while one is missing.

    Args:
        epochs: From the form.
        batch_size: From the form.
        num_train_images: From the form; as many as MNIST has stands for all.
        dataset: The id of one of the visitor's data sets, or `mnist`.
        token: The visitor's token.
    """
    if not epochs or not batch_size or batch_size < 1:
        return ""
    config = TrainConfig(num_train_images=int(num_train_images), dataset=dataset)
    if dataset != MNIST:
        config = config.fit(read_about(dataset, token).num_train)
    return describe_updates(epochs, batch_size, config.num_train_images)


@shows_errors
def on_data(dataset: str, preset: str | None, token: str) -> list[Any]:
    """Choose the preset that suits a data set, where no other than these two was chosen.

    Args:
        dataset: The id of one of the visitor's data sets, or `mnist`.
        preset: The chosen one; None for a visitor's own settings.
        token: The visitor's token.

    Returns:
        The preset, then as `on_preset()`.
    """
    num_images = NUM_TRAIN if dataset == MNIST else read_about(dataset, token).num_train
    wanted = FEW_PRESET if num_images < _FEW_IMAGES else DEFAULT_PRESET
    filled = on_preset(wanted)
    if preset == wanted or preset not in (FEW_PRESET, DEFAULT_PRESET):
        return [gr.skip()] * (1 + len(filled))
    return [wanted, *filled]


def build_updates() -> gr.Markdown:
    """Build the line about the settings that the form begins with."""
    begun = TrainConfig()
    text = describe_updates(begun.epochs, begun.batch_size, begun.num_train_images)
    return gr.Markdown(text, elem_classes="foundry-note", elem_id="train-updates")
