"""How often the chosen settings update the weights, and the preset that suits few images."""

import gradio as gr
import numpy as np
import pytest
import torch

from foundry.data import load_mnist
from foundry.data.own.found import Found
from foundry.data.own.splitting import split
from foundry.runs.data_sets import keep_data_set
from foundry.training import TrainConfig, TrainState, train
from foundry.training.config import PRESETS
from foundry.ui.train.form import DEFAULT_PRESET, on_preset
from foundry.ui.train.updates import FEW_PRESET, describe_updates, on_data, on_settings


def keep_images(num_images):
    """A visitor's data set of noise with so many training images."""
    images = np.random.default_rng(0).integers(0, 255, (num_images, 28, 28), dtype=np.uint8)
    labels = np.arange(num_images) % 2
    found = Found({name: (images, labels) for name in ("train", "val", "test")}, ("a", "b"))
    return keep_data_set(split(found), "noise", "alice")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_line_counts_the_updates_that_a_run_makes(preset):
    config = PRESETS[preset]
    total = TrainState(config).num_steps
    text = describe_updates(config.epochs, config.batch_size, config.num_train_images)
    assert text == f"{total:,} updates of the weights, {total // config.epochs:,} in each epoch."


def test_too_few_updates_are_said(runs_folder):
    # 2 batches of 500 images, 3 times.
    text = on_settings(3, 384, 500, "mnist", "alice")
    assert text.startswith("6 updates") and "Too few" in text
    assert "Too few" not in on_settings(15, 32, 500, "mnist", "alice")


def test_images_of_ones_own_are_counted(runs_folder):
    about = keep_images(100)
    text = on_settings(2, 10, 55_000, about.data_id, "alice")
    assert text.startswith("20 updates of the weights, 10 in each epoch.")
    with pytest.raises(gr.Error, match="You have no data set"):
        on_settings(2, 10, 55_000, about.data_id, "bob")


@pytest.mark.parametrize(("epochs", "batch_size"), [(None, 64), (3, None), (3, 0), (3, -1)])
def test_a_knob_that_is_being_typed_gives_no_line(epochs, batch_size):
    assert on_settings(epochs, batch_size, 500, "mnist", "alice") == ""


def test_few_images_choose_their_preset_and_many_give_it_back(runs_folder):
    about = keep_images(100)
    preset, *filled = on_data(about.data_id, DEFAULT_PRESET, "alice")
    assert preset == FEW_PRESET and filled == on_preset(FEW_PRESET)
    assert on_data("mnist", FEW_PRESET, "alice")[0] == DEFAULT_PRESET


@pytest.mark.parametrize("preset", ["Robust", None, FEW_PRESET])
def test_what_a_visitor_has_chosen_stays(runs_folder, preset):
    about = keep_images(100)
    outputs = on_data(about.data_id, preset, "alice")
    assert len(outputs) == 1 + len(on_preset(FEW_PRESET))
    assert all(output == gr.skip() for output in outputs)


def test_few_images_are_learned_with_their_preset():
    """The default one sees 500 images in 6 updates and stays near chance."""
    data = load_mnist()
    torch.set_num_threads(1)
    *_, last = train(TrainState(_few(PRESETS[FEW_PRESET])), data)
    *_, default = train(TrainState(_few(TrainConfig())), data)
    assert last.val_accuracy > 0.9 > 0.5 > default.val_accuracy


def _few(config):
    return TrainConfig(
        epochs=config.epochs, batch_size=config.batch_size, num_train_images=500, seed=1
    )
