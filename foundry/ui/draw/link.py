"""What a link can set on the Draw tab: the model, if it is a shipped one."""

from foundry.models import available_models
from foundry.ui.components.model_choice import DEFAULT_MODEL
from foundry.ui.page.links import build_reader

read_settings = build_reader(
    model=(DEFAULT_MODEL, lambda name: name in (spec.name for spec in available_models("digits")))
)
