"""What a link can set on the Compress tab: every field of a `CompressConfig`."""

from collections.abc import Mapping
from dataclasses import asdict

from foundry.compression.config import CompressConfig, list_models
from foundry.ui.page.links import Settings, read_config

# Where the form begins with a mask. Half of the weights: enough to see that zeros save nothing, not
# enough to ruin the answers.
SPARSITY = 0.5


def read_settings(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Read the tab's settings from an address; see `links.Reader`."""
    models = {spec.name: spec.task for spec in list_models()}
    model = texts.get("model", CompressConfig.model)
    others = {name: text for name, text in texts.items() if name != "model"}
    refused = () if model in models else ("model",)
    start = asdict(CompressConfig(CompressConfig.model if refused else model, pruning_ratio=0.0))
    if models[start["model"]] == "digits":
        start |= {"pruning_ratio": CompressConfig.pruning_ratio, "sparsity": SPARSITY}
    settings, others_refused = read_config(CompressConfig, start, others)
    return settings, (*refused, *others_refused)
