"""Sentences written to test a model with: denied opinions, and the same said of others."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("probes.toml")


@dataclass(frozen=True)
class Denial:
    """An opinion, and the same denied.

    Attributes:
        affirmed: The opinion.
        denied: Its denial in three forms: with a contraction, with that as some type it, and in
            another way.
        is_positive: Whether the opinion is good, so that its denial is bad.
    """

    affirmed: str
    denied: tuple[str, str, str]
    is_positive: bool


def list_denials() -> list[Denial]:
    """Return the pairs of opinions and denials."""
    return [
        Denial(affirmed, (contracted, _type(contracted), otherwise), side == "positive")
        for side in ("positive", "negative")
        for affirmed, contracted, otherwise in _read()["negation"][side]
    ]


def list_sentences_by_name() -> list[list[str]]:
    """Return the same sentence about each country or person, for every sentence."""
    names = _read()["names"]
    return [
        [sentence.format(name) for name in names[kind]]
        for kind in ("countries", "people")
        for sentence in names[f"of_{kind}"]
    ]


def _type(sentence: str) -> str:
    """Write a sentence as on a telephone: no capital, a curly apostrophe, no full stop."""
    return sentence[0].lower() + sentence[1:].rstrip(".").replace("'", "’")


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
