"""What a visitor can choose: shipped digit models and their own runs, MNIST and their own data."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr
from torch import nn

from foundry.errors import InputError
from foundry.models import available_models, load_model, load_predictor
from foundry.models.hub import OnProgress
from foundry.models.loading import available_variants, check_variant
from foundry.models.runtime import Predictor
from foundry.runs.data_sets import MNIST, calibrate_on, list_data_sets
from foundry.training.runs import TRAININGS, Run, list_own_runs, read_own_run
from foundry.ui.components.plots import run_title

DEFAULT_MODEL = "lenet"
MNIST_CHOICE = ("MNIST, handwritten digits", MNIST)
_NO_WEIGHTS = "This run has no weights yet; its first epoch has to end."
OWN_DATA = "This run learned from your own data, not from digits; choose one that learned MNIST."


def list_choices(token: str, chosen: str | None = None) -> gr.Dropdown:
    """Return the data sets that a visitor can choose.

    Args:
        token: The visitor's token.
        chosen: The one in the list; MNIST if it is gone, None to leave the choice.
    """
    own = [
        (f"{about.title} ({about.data_id[:4]})", about.data_id) for about in list_data_sets(token)
    ]
    choices = [MNIST_CHOICE, *own]
    if chosen is None:
        return gr.Dropdown(choices=choices)
    there = chosen in [data_id for _, data_id in choices]
    return gr.Dropdown(choices=choices, value=chosen if there else MNIST)


def list_digit_models(owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down: shipped models, then the visitor's runs."""
    shipped = [(spec.title, spec.name) for spec in available_models("digits")]
    return shipped + list_own_digit_models(owner)


def list_own_digit_models(owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs of the visitor's runs, the newest first."""
    return _list_runs(owner, lambda run: run.is_on_mnist)


def list_own_data_models(owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs of the visitor's runs on data that they brought."""
    return _list_runs(owner, lambda run: run.has_own_data)


def list_runs_like(learned: Run, owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs of the visitor's runs that learned the same as one of them."""
    same = learned.config.dataset, learned.classes
    return _list_runs(owner, lambda run: (run.config.dataset, run.classes) == same)


def title_run(run: Run) -> str:
    """Return what a visitor's run is called among models."""
    return f"Your run {run_title(run)}"


def _list_runs(owner: str, is_wanted: Callable[[Run], bool]) -> list[tuple[str, str]]:
    return [
        (title_run(run), run.run_id)
        for run in list_own_runs(owner)
        if run.has_weights and is_wanted(run)
    ]


def list_drawable_models(owner: str) -> list[tuple[str, str]]:
    """Return what `list_digit_models()` does, and the visitor's runs on their own data."""
    return [*list_digit_models(owner), *_list_runs(owner, lambda run: not run.is_on_mnist)]


def find_own_data_run(name: str, owner: str) -> Run | None:
    """Return the run that was chosen if it learned from the visitor's own data; else None.

    Args:
        name: A shipped model's name or the id of one of the visitor's runs.
        owner: The visitor's token.

    Raises:
        InputError: If it has no weights yet.
    """
    run = TRAININGS.find_own(name, owner)
    if run is None or run.is_on_mnist:
        return None
    if not run.has_weights:
        raise InputError(_NO_WEIGHTS)
    return run


def load_run_model(run: Run, device: str, variant: str = "dense") -> nn.Module:
    """Load the network of a run, whatever it learned; of an int8 variant the one quantized.

    Args:
        run: With weights.
        device: Where to run it.
        variant: The name of one.

    Raises:
        InputError: If it has no such variant; the message lists those there are.
    """
    return load_model(run.best_folder, device, check_variant(run.best_folder, variant))


def load_any_predictor(
    name: str,
    owner: str,
    device: str,
    variant: str = "dense",
    on_progress: OnProgress | None = None,
) -> Predictor:
    """Load what runs the chosen model, also of a run on the visitor's own data.

    Arguments and errors are as in `load_digit_predictor()`.
    """
    run = find_own_data_run(name, owner)
    if run is None:
        return load_digit_predictor(name, owner, device, variant, on_progress)
    return load_predictor(
        run.best_folder,
        device,
        check_variant(run.best_folder, variant),
        on_progress,
        calibration=calibrate_on(run.config.dataset),
    )


def list_any_variants(name: str, owner: str) -> list[str]:
    """Return what `list_digit_variants()` does, also of a run on the visitor's own data."""
    run = find_own_data_run(name, owner)
    return available_variants(run.best_folder) if run else list_digit_variants(name, owner)


def load_digit_model(name: str, owner: str, device: str, variant: str = "dense") -> nn.Module:
    """Load the network that was chosen; of an int8 variant the one that was quantized.

    Args:
        name: A shipped model's name or the id of one of the visitor's runs.
        owner: The visitor's token.
        device: Where to run it.
        variant: The name of one.

    Raises:
        InputError: If there is no such model for this visitor, or it has no such variant; the
            message lists those there are.
    """
    model = _find(name, owner)
    return load_model(model, device, check_variant(model, variant))


def load_digit_predictor(
    name: str,
    owner: str,
    device: str,
    variant: str = "dense",
    on_progress: OnProgress | None = None,
) -> Predictor:
    """Load what runs the chosen model; arguments and errors as in `load_digit_model()`.

    Args:
        name: A shipped model's name or the id of one of the visitor's runs.
        owner: The visitor's token.
        device: Where to run it; int8 runs on the CPU.
        variant: The name of one.
        on_progress: Called while int8 is built.
    """
    model = _find(name, owner)
    return load_predictor(model, device, check_variant(model, variant), on_progress)


def list_digit_variants(name: str, owner: str) -> list[str]:
    """Return the names of the variants that the chosen model has.

    Args:
        name: A shipped model's name or the id of one of the visitor's runs.
        owner: The visitor's token.

    Raises:
        InputError: If there is no such model for this visitor.
    """
    return available_variants(_find(name, owner))


def _find(name: str, owner: str) -> str | Path:
    if name in (spec.name for spec in available_models("digits")):
        return name
    try:
        run = read_own_run(name, owner)
    except InputError:
        names = ", ".join(known for _, known in list_digit_models(owner))
        raise InputError(f"There is no model “{name}”; choose one of {names}.") from None
    if not run.is_on_mnist:
        raise InputError(OWN_DATA)
    if not run.has_weights:
        raise InputError(_NO_WEIGHTS)
    return run.best_folder
