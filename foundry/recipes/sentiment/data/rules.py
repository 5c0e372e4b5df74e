"""Texts made by rule: opinions with and without a denial, and plain facts about anyone."""

import random
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from foundry.recipes.sentiment.data.corpus import LABELS, NEGATIVE, NEUTRAL, POSITIVE, Example

RULES = "rules"
WORDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)

_OTHER = {POSITIVE: NEGATIVE, NEGATIVE: POSITIVE}
# Denials are the rarer in what people write, and the harder.
_DENIED_SHARE = 0.6
_FACTS_SHARE, _PEOPLE_SHARE = 0.35, 0.2
_TAILS = ("", "", "", "", " .", " !", " , if you ask me .", " , as i said .")


def list_names() -> dict[str, list[str]]:
    """Return names by kind, as `WORDS` has them, lower-case, none of them a word as well."""
    words = WORDS["names_that_are_words"]
    return {
        kind: [name for name in map(str.lower, WORDS[kind]) if name not in words]
        for kind in ("countries", "nationalities", "first_names")
    }


def draw_pair(rng: random.Random) -> tuple[Example, str]:
    """Make a text, and one that is to have the same answer.

    Args:
        rng: Decides all of it.

    Returns:
        The text with its label, and the same with other names and places.
    """
    kind = rng.random()
    if kind < _FACTS_SHARE:
        return _fill(rng, WORDS["facts"], NEUTRAL)
    label = rng.choice((POSITIVE, NEGATIVE))
    if kind < _FACTS_SHARE + _PEOPLE_SHARE:
        return _fill(rng, WORDS["opinions_of_people"], label)
    say, is_denied = rng.choice(_FORMS), rng.random() < _DENIED_SHARE
    text = say(rng, WORDS[LABELS[label]], is_denied) + rng.choice(_TAILS)
    return Example(text, _OTHER[label] if is_denied else label, RULES), text


def _fill(rng: random.Random, templates: Sequence[str], label: int) -> tuple[Example, str]:
    template = rng.choice(templates)
    same = {
        "thing": rng.choice(WORDS["things"]),
        "thing2": rng.choice(WORDS["things"]),
        "adjective": "" if label == NEUTRAL else rng.choice(WORDS[LABELS[label]]["adjectives"]),
        "job": rng.choice(WORDS["jobs"]),
        "day": rng.choice(WORDS["days"]),
        "day2": rng.choice(WORDS["days"]),
        "color": rng.choice(WORDS["colors"]),
        "number": rng.randint(2, 12),
        "number2": rng.randint(2, 90),
    }

    def write() -> str:
        return template.format(
            **same,
            name=rng.choice(WORDS["first_names"]),
            name2=rng.choice(WORDS["first_names"]),
            country=rng.choice(WORDS["countries"]),
            nationality=rng.choice(WORDS["nationalities"]),
        )

    return Example(write(), label, RULES), write()


def _state(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    owner = rng.choice(("the", "the", "this", "my", "their", "our"))
    what = rng.choice(WORDS["things"])
    clause = f"{owner} {what}" if rng.random() < 0.85 else rng.choice(("it", "this", "that"))
    verb = rng.choice(WORDS["denied" if is_denied else "affirmed"])
    return f"{clause} {verb} {rng.choice(words['adjectives'])}"


def _think(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    thing, adjective = rng.choice(WORDS["things"]), rng.choice(words["adjectives"])
    if is_denied:
        says = rng.choice(("i don't think", "i do not think", "nobody says", "i can't say"))
    else:
        says = rng.choice(("i think", "everyone says"))
    return f"{says} the {thing} {rng.choice(('is', 'was'))} {adjective}"


def _feel(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    who, verb = rng.choice(("i", "we", "they", "you")), rng.choice(words["verbs"])
    if is_denied:
        no = "do not|don't|did not|didn't|would not|wouldn't|can't|won't|will never"
        verb = f"{rng.choice(no.split('|'))} {verb}"
    else:
        verb = f"{rng.choice(('', 'really ', 'would ', 'do '))}{verb}"
    return f"{who} {verb} the {rng.choice(WORDS['things'])}"


def _have(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    if is_denied:
        has = rng.choice(("has no", "was without", "had no", "had hardly any", "doesn't have any"))
    else:
        has = rng.choice(("has", "had a lot of", "is full of"))
    return f"the {rng.choice(WORDS['things'])} {has} {rng.choice(words['nouns'])}"


def _affect(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    if is_denied:
        does = rng.choice(("failed to", "did not", "didn't", "does not", "will not", "never does"))
    else:
        does = rng.choice(("did", "will", "never fails to", "never failed to", "managed to"))
    return f"the {rng.choice(WORDS['things'])} {does} {rng.choice(words['effects'])} me"


def _compare(rng: random.Random, words: dict[str, list[str]], is_denied: bool) -> str:
    # “It could not be better” affirms, and “it is not better” denies.
    if is_denied:
        be = rng.choice(("is not any", "isn't", "was no", "did not get"))
    else:
        be = rng.choice(("could not be", "couldn't be", "could not have been", "is even", "got"))
    return f"the {rng.choice(WORDS['things'])} {be} {rng.choice(words['comparatives'])}"


# The commoner ones more than once.
_FORMS: Sequence[Callable[[random.Random, dict[str, list[str]], bool], str]] = (
    *(_state, _state, _state, _think, _feel, _feel),
    *(_have, _affect, _compare),
)
