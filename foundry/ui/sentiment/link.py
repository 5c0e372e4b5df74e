"""What a link can set on the Sentiment tab: a text, and a model that is here already."""

from foundry.ui.components.pretrained_choice import is_offered_here
from foundry.ui.page.links import build_reader
from foundry.ui.sentiment.choice import DEFAULT_MODEL

MAX_TEXT = 2_000

read_settings = build_reader(
    text=("", lambda text: len(text) <= MAX_TEXT),
    model=(DEFAULT_MODEL, lambda name: is_offered_here(name, "sentiment")),
)
