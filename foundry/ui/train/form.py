"""The knobs of the Train tab: one component per field of `TrainConfig`, each explained."""

from dataclasses import asdict, fields, replace

import gradio as gr
from gradio.components import Component

from foundry.models.networks import available_architectures, title_of
from foundry.training import TrainConfig
from foundry.training.config import LIMITS, OPTIMIZERS, PRESETS, SCHEDULES, describe_limits
from foundry.ui.components.model_choice import MNIST_CHOICE
from foundry.ui.page.language import OUR_CHOICES

LABELS = {
    "model": "Model",
    "width": "Width",
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "optimizer": "Optimizer",
    "learning_rate": "Learning rate",
    "schedule": "Schedule",
    "weight_decay": "Weight decay (L2)",
    "dropout": "Dropout",
    "label_smoothing": "Label smoothing",
    "rotation_deg": "Rotation (degrees)",
    "shift_px": "Shift (pixels)",
    "scale": "Scale",
    "patience": "Early stopping: patience",
    "epsilon": "Adversarial training: epsilon",
    "num_train_images": "Training images",
    "seed": "Seed",
    "dataset": "Data",
}
DEFAULT_PRESET = next(iter(PRESETS))

PRESET_NOTES = {
    "Fast: 99% in seconds": "One-cycle learning rate and large batches: about 99% in three epochs.",
    "Few images": "Small batches and more epochs: for hundreds or a few thousand images.",
    "The article's recipe": "Adam at a constant 0.001, batches of 64: right, and slow.",
    "Overfit it": "500 images and nothing regularised: training loss goes to zero, "
    "validation does not follow.",
    "Robust": "Augmented images plus adversarial copies: slower, and harder to fool.",
    "LSTM, row by row": "A recurrent network that reads a digit as one reads a page.",
    "Transformer, patch by patch": "16 patches that attend to one another, on augmented images.",
}


def on_preset(preset: str) -> list[object]:
    """Fill the form.

    Args:
        preset: A key of `PRESETS`.

    Returns:
        The note about the preset, then a value for every knob in the order of `TrainConfig` but
        the last, the data set: a preset is a way to train, whatever on.
    """
    return fill_form(PRESETS[preset])[1:-1]


def fill_form(config: TrainConfig) -> list[object]:
    """Return the preset that has these settings (None if none has), its note, every knob."""
    lowest, highest = LIMITS["num_train_images"]
    # A set that somebody brought may have fewer or more than the slider has room for.
    used = int(min(max(config.num_train_images, lowest), highest))
    settings = [replace(config, dataset=TrainConfig.dataset, num_train_images=used)]
    if config.dataset != TrainConfig.dataset:
        # It says how many there are, where a preset says that all are used.
        settings.append(replace(settings[0], num_train_images=TrainConfig.num_train_images))
    preset = next((name for name, known in PRESETS.items() if known in settings), None)
    note = PRESET_NOTES[preset] if preset else "Your own settings."
    return [preset, note, *(asdict(config) | {"num_train_images": used}).values()]


def build_presets() -> tuple[gr.Radio, gr.Markdown]:
    """Build the choice of presets and the note about the chosen one."""
    preset = gr.Radio(list(PRESETS), value=DEFAULT_PRESET, label="Preset", elem_id="train-preset")
    return preset, gr.Markdown(PRESET_NOTES[DEFAULT_PRESET], elem_classes="foundry-note")


def build_knobs() -> list[Component]:
    """Build the knobs, in the order of `TrainConfig`'s fields."""
    knobs: dict[str, Component] = {}
    with gr.Group():
        knobs["dataset"] = gr.Dropdown(
            [MNIST_CHOICE],
            value=TrainConfig.dataset,
            label=LABELS["dataset"],
            info="What is learned: MNIST, or what you bring below under Your own data.",
            elem_id="train-dataset",
            elem_classes=OUR_CHOICES,
        )
        knobs["model"] = gr.Radio(
            [(title_of(name), name) for name in available_architectures()],
            value="lenet",
            label=LABELS["model"],
            info="LeNet: 61,706 weights, quick. CNN: 1.6 million, ten times the work. LSTM: reads "
            "row by row. Transformer: compares patches.",
        )
        knobs["width"] = _slider(
            "width",
            "Factor on its filters and hidden neurons: fewer are smaller and quicker.",
            step=0.25,
        )
        knobs["epochs"] = _slider("epochs", "Passes over the training images.", step=1)
        knobs["learning_rate"] = _number(
            "learning_rate", "How far each update moves; its peak with one-cycle."
        )
        knobs["num_train_images"] = _slider(
            "num_train_images",
            "Fewer images: quicker, and easier to learn by heart.",
            step=500,
        )
    with gr.Accordion("Optimizer", open=False):
        knobs["batch_size"] = _number(
            "batch_size", "Images per update; larger is faster and less noisy."
        )
        knobs["optimizer"] = gr.Radio(
            list(OPTIMIZERS),
            value=TrainConfig.optimizer,
            label=LABELS["optimizer"],
            info="Adam and AdamW adapt the step of each weight; SGD takes one step for all.",
        )
        knobs["schedule"] = gr.Radio(
            list(SCHEDULES),
            value=TrainConfig.schedule,
            label=LABELS["schedule"],
            info="One-cycle warms up, then cools to zero; constant stays.",
        )
        knobs["seed"] = _number("seed", "Same seed, same machine: the same run.")
    with gr.Accordion("Regularisation", open=False):
        knobs["weight_decay"] = _slider("weight_decay", "Pulls weights towards zero.", step=0.001)
        knobs["dropout"] = _slider(
            "dropout", "Share of hidden neurons switched off at random.", step=0.05
        )
        knobs["label_smoothing"] = _slider(
            "label_smoothing", "Asks for less than full certainty.", step=0.01
        )
        knobs["patience"] = _slider(
            "patience",
            "Stop after so many epochs without better validation accuracy; 0 = never.",
            step=1,
        )
    with gr.Accordion("Augmentation and attacks", open=False):
        gr.Markdown(
            "Each image is turned, moved and scaled anew in every epoch. There are no flips: "
            "a mirrored 2 is not a 2, and a 6 upside down is a 9.",
            elem_classes="foundry-note",
        )
        knobs["rotation_deg"] = _slider("rotation_deg", "Largest turn to either side.", step=1)
        knobs["shift_px"] = _slider("shift_px", "Largest move along each axis.", step=0.5)
        knobs["scale"] = _slider("scale", "Largest change of size.", step=0.01)
        knobs["epsilon"] = _slider(
            "epsilon",
            "Also learn from images changed by this much per pixel to fool it (FGSM); 0 = off.",
            step=0.01,
        )
    return [knobs[field.name] for field in fields(TrainConfig)]


def _slider(name: str, info: str, step: float) -> gr.Slider:
    lowest, highest = LIMITS[name]
    value = getattr(TrainConfig, name)
    return gr.Slider(lowest, highest, value=value, step=step, label=LABELS[name], info=info)


def _number(name: str, info: str) -> gr.Number:
    accepted = f"{info} From {describe_limits(name)}."
    return gr.Number(getattr(TrainConfig, name), label=LABELS[name], info=accepted)
