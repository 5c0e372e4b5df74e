"""A trained network with more answers than it had."""

from collections.abc import Sequence
from typing import cast

import torch

from foundry.models.networks.architectures import build_model
from foundry.models.networks.digits import DigitNetwork


def grow_head(network: DigitNetwork, classes: Sequence[str]) -> DigitNetwork:
    """Return a copy of a network whose last layer has a row for each of more classes.

    The new rows are zero, which draws no random numbers: at first a new class is as likely as a
    logit of 0 makes it, and all others stand to each other as they did.

    Args:
        network: Not modified.
        classes: Those that it has, in their order, then the new ones.
    """
    assert tuple(classes[: len(network.classes)]) == network.classes
    config = {**cast(dict[str, object], network.config), "classes": classes}
    grown = cast(DigitNetwork, build_model(**config))  # type: ignore[arg-type]
    weights = dict(network.state_dict())
    for name, wanted in grown.state_dict().items():
        known = weights[name]
        if known.shape != wanted.shape:
            padded = torch.zeros(wanted.shape, dtype=known.dtype, device=known.device)
            padded[: len(known)] = known
            weights[name] = padded
    grown.load_state_dict(weights)
    return grown.to(network.last.weight.device)
