"""What a link can set on the Train tab: every field of a `TrainConfig` but the data set."""

from collections.abc import Mapping
from dataclasses import asdict

from foundry.training import TrainConfig
from foundry.ui.page.links import Settings, read_config


def read_settings(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Read the tab's settings from an address; see `links.Reader`.

    What a visitor brought is theirs: a link names no data set but MNIST.
    """
    is_theirs = texts.get("dataset", TrainConfig.dataset) != TrainConfig.dataset
    named = {name: text for name, text in texts.items() if name != "dataset"}
    settings, refused = read_config(TrainConfig, asdict(TrainConfig()), named)
    return settings, (*refused, "dataset") if is_theirs else refused
