"""The same text in other words that say the same: spacing, quotes, punctuation, names, places."""

import random
import re

from foundry.recipes.sentiment.data.rules import WORDS, list_names

_BRACKETS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "``": '"', "''": '"'}
# Some of the changes that people make when they type.
_CURLY_SHARE = 0.15
_NO_APOSTROPHE_SHARE = 0.05
_NO_END_SHARE = 0.3
_NO_PUNCTUATION_SHARE = 0.1
_SWAP_SHARE = 0.7

# First names that are words as well are put in and not looked for: most texts are lower-cased.
_FOUND = {name: WORDS[kind] for kind, names in list_names().items() for name in names}
_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_FOUND, key=len, reverse=True))})\b", re.IGNORECASE)


def detokenize(text: str) -> str:
    """Undo treebank tokenisation, so that a sentence looks as a person would type it.

    Letter case is left alone: the base's tokenizer lower-cases everything, so case never reaches
    the model.

    Args:
        text: A sentence with spaces between tokens, e.g. `it is n't bad -lrb- at all -rrb- .`

    Returns:
        The sentence with contractions joined, brackets and quotes restored, and punctuation
        attached to its word.
    """
    for token, character in _BRACKETS.items():
        text = text.replace(token, character)
    text = re.sub(r"\s*\bn ?'t\b", "n't", text)
    text = re.sub(r" '(s|re|ve|ll|d|m)\b", r"'\1", text)
    text = re.sub(r'"\s*([^"]*?)\s*"', r'"\1"', text)
    text = re.sub(r"\s+([,.!?;:%)\]])", r"\1", text)
    return re.sub(r"([(\[$#])\s+", r"\1", text)


def respell(text: str, rng: random.Random) -> str:
    """Write a text as someone else would type it.

    Args:
        text: As published.
        rng: Decides.

    Returns:
        The text in one of its spellings; often the published one.
    """
    if rng.random() < 0.5:
        text = detokenize(text)
    if rng.random() < _NO_APOSTROPHE_SHARE:
        text = re.sub(r"(?<=\w)['’](?=\w)", "", text)
    elif rng.random() < _CURLY_SHARE:
        text = text.replace("'", "’")
    if rng.random() < _NO_PUNCTUATION_SHARE:
        text = re.sub(r"\s*[,.;:!]+(?=\s|$)", "", text)
    elif rng.random() < _NO_END_SHARE:
        text = text.rstrip(" .!")
    return text


def swap_names(text: str, rng: random.Random) -> str:
    """Put other countries, nationalities and first names in place of those in a text.

    Args:
        text: The text.
        rng: Decides which.

    Returns:
        The text; each name becomes the same other one wherever it is.
    """
    chosen: dict[str, str] = {}

    def swap(found: re.Match[str]) -> str:
        name = found[0]
        other = chosen.setdefault(name.lower(), rng.choice(_FOUND[name.lower()]))
        return other.lower() if name.islower() else other

    return _NAME.sub(swap, text)


def vary(text: str, rng: random.Random) -> str:
    """Give a text that is to have the same answer: other names in it, in some spelling.

    Args:
        text: As published.
        rng: Decides.
    """
    return respell(swap_names(text, rng) if rng.random() < _SWAP_SHARE else text, rng) or text
