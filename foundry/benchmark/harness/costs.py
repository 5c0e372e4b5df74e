"""What compression costs beside accuracy: denials, names and neutral texts, in every variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundry.models import DENSE


@dataclass(frozen=True)
class Cost:
    """One measure.

    Attributes:
        measure: What it is the share of.
        shares: What it is in each variant, in [0, 1].
        lost: What each variant but the dense one is worse by, as a difference of shares.
    """

    measure: str
    shares: dict[str, float]
    lost: dict[str, float]


def list_costs(answers: Mapping[str, Any]) -> list[Cost]:
    """List the measures of a classifier of texts.

    Args:
        answers: By variant, as the benchmark `sentiment` has them: `probes`, and with the recipes'
            corpora `domains`. The dense one is among them.
    """
    probes = {variant: measured["probes"] for variant, measured in answers.items()}
    num_denials = probes[DENSE.name]["num_denials"]
    flips = {variant: of_variant["flips"] for variant, of_variant in probes.items()}
    spread = {variant: of_variant["spread"] for variant, of_variant in probes.items()}
    costs = [
        _weigh(f"denials that turn the answer ({num_denials})", flips, more_is_better=True),
        _weigh("probability that a name alone moves, at most", spread, more_is_better=False),
    ]
    for number, dense in enumerate(answers[DENSE.name].get("domains", ())):
        if dense["over_sure"] is not None:
            shares = {
                variant: measured["domains"][number]["over_sure"]
                for variant, measured in answers.items()
            }
            title = (
                f"neutral texts over 80% sure of a side, {dense['domain']} ({dense['num_neutral']})"
            )
            costs.append(_weigh(title, shares, more_is_better=False))
    return costs


def _weigh(measure: str, shares: dict[str, float], more_is_better: bool) -> Cost:
    sign = 1 if more_is_better else -1
    dense = shares[DENSE.name]
    lost = {
        variant: sign * (dense - share)
        for variant, share in shares.items()
        if variant != DENSE.name
    }
    return Cost(measure, shares, lost)
