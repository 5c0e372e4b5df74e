"""Which digit models a visitor can choose: the shipped ones and their own runs."""

from torch import nn

from foundry.errors import InputError
from foundry.models import available_models, load_model
from foundry.runs import list_own_runs, read_own_run
from foundry.ui.plots import run_title

DEFAULT_MODEL = "lenet"


def list_digit_models(owner: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down: shipped models, then the visitor's runs."""
    shipped = [(spec.title, spec.name) for spec in available_models("digits")]
    trained = [
        (f"Your run {run_title(run)}", run.run_id)
        for run in list_own_runs(owner)
        if run.has_weights
    ]
    return shipped + trained


def load_digit_model(name: str, owner: str, device: str) -> nn.Module:
    """Load what was chosen.

    Args:
        name: A shipped model's name or the id of one of the visitor's runs.
        owner: The visitor's token.
        device: Where to run it.

    Raises:
        InputError: If there is no such model for this visitor; the message lists those there are.
    """
    if name in (spec.name for spec in available_models("digits")):
        return load_model(name, device)
    try:
        run = read_own_run(name, owner)
    except InputError:
        names = ", ".join(known for _, known in list_digit_models(owner))
        raise InputError(f"There is no model “{name}”; choose one of {names}.") from None
    if not run.has_weights:
        raise InputError("This run has no weights yet; its first epoch has to end.")
    return load_model(run.best_folder, device)
