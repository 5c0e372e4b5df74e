"""What a link can set on the Train tab: every field of a `TrainConfig`."""

from collections.abc import Mapping
from dataclasses import asdict

from foundry.training import TrainConfig
from foundry.ui.page.links import Settings, read_config


def read_settings(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Read the tab's settings from an address; see `links.Reader`."""
    return read_config(TrainConfig, asdict(TrainConfig()), texts)
