"""Which of a model's labels are the two sides of an opinion, and which lies between them."""

from collections.abc import Sequence
from dataclasses import dataclass

_NAMES = ("negative", "neutral", "positive")


@dataclass(frozen=True)
class Sides:
    """The labels of a model of three, under its own names.

    Attributes:
        negative: The one side.
        neutral: What lies between.
        positive: The other side.
    """

    negative: str
    neutral: str
    positive: str


def find_sides(labels: Sequence[str]) -> Sides | None:
    """Find the sides among labels, in whatever order and case they are.

    Args:
        labels: A model's labels.

    Returns:
        The sides; None if the labels are not exactly negative, neutral and positive.
    """
    by_name = {label.strip().lower(): label for label in labels}
    if len(labels) != len(_NAMES) or set(by_name) != set(_NAMES):
        return None
    return Sides(*(by_name[name] for name in _NAMES))
