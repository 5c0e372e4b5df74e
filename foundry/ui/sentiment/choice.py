"""Which sentiment models a visitor can choose, and loading the chosen one."""

from foundry.models import available_models, load_pretrained
from foundry.models.loading import check_variant
from foundry.models.pretrained import Pretrained
from foundry.sentiment import SentimentModel, wrap_classifier
from foundry.ui.components.pretrained_choice import list_pretrained
from foundry.ui.server.limits import count_download

DEFAULT_MODEL = "bert-sentiment"


def list_sentiment_models() -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down: the shipped model, then some from the Hub."""
    return list_pretrained("sentiment")


def default_title() -> str:
    """Return what the page calls the shipped model."""
    titles = {spec.name: spec.title for spec in available_models("sentiment")}
    return titles[DEFAULT_MODEL]


def load_sentiment_model(name: str, variant: str = "dense") -> tuple[Pretrained, SentimentModel]:
    """Load what was chosen and make it usable.

    Args:
        name: A shipped model's name, a Hub id or a folder.
        variant: The name of one.

    Raises:
        InputError: If there is no such model or variant, or it does not classify texts.
        ArtifactError: If its files are damaged or cannot be downloaded.
    """
    count_download(name, "sentiment")
    pretrained = load_pretrained(name, "sentiment", variant=check_variant(name, variant))
    return pretrained, make_usable(pretrained)


def make_usable(pretrained: Pretrained) -> SentimentModel:
    """Wrap what was loaded.

    Args:
        pretrained: In any variant.

    Raises:
        InputError: If it does not classify texts.
    """
    return wrap_classifier(pretrained.model, pretrained.processor, pretrained.compiled)
