"""Which classifiers of photos a visitor can choose, and loading the chosen one."""

from foundry.models.hub import OnProgress
from foundry.models.loading import check_variant
from foundry.photos import PhotoModel, load_photo_model
from foundry.photos.model import SHIPPED
from foundry.ui.components.pretrained_choice import list_pretrained
from foundry.ui.server.limits import count_download

DEFAULT_MODEL = SHIPPED


def list_photo_models() -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down: the shipped model, then some from the Hub."""
    return list_pretrained("photos")


def load_chosen(
    name: str, variant: str = "dense", on_progress: OnProgress | None = None
) -> PhotoModel:
    """Load what was chosen.

    Args:
        name: A shipped model's name, a Hub id or a folder.
        variant: The name of one.
        on_progress: Called while files are downloaded or int8 is built.

    Raises:
        InputError: If there is no such model or variant, or it does not classify pictures.
        ArtifactError: If its files are damaged or cannot be downloaded.
    """
    count_download(name, "photos")
    return load_photo_model(name, check_variant(name, variant), on_progress)
