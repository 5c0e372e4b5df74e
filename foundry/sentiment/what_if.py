"""A text with slots, {one|or another}, written out; and what is different in two texts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from foundry.errors import InputError

# What is scored while a visitor types, and fits a table.
MAX_TEXTS = 40
MAX_CHARACTERS = 1_000
# Enough of a slot to find it by.
_MAX_SHOWN = 20


@dataclass(frozen=True)
class FilledText:
    """A template with every slot filled.

    Attributes:
        words: What was taken for each slot, in order; empty for a template without slots.
        text: The whole.
    """

    words: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Change:
    """The stretch of words that is different in two texts.

    Attributes:
        before: As the first has it; "" if words were put in.
        after: As the second has it; "" if words were taken out.
    """

    before: str
    after: str


def fill_template(template: str) -> list[FilledText]:
    """Write a template out with each choice of each slot.

    A slot stands in braces, its choices parted by bars; a choice may be empty. Braces without a bar
    between them are read as they are.

    Args:
        template: A text with any number of slots, such as `The {waiter|chef} was kind.`

    Returns:
        One text for every combination, the last slot changing first; equal choices are all there.

    Raises:
        InputError: If a slot is not closed, or there are too many texts or characters.
    """
    parts, slots = _parse(template)
    num_texts = math.prod(len(slot) for slot in slots)
    if num_texts > MAX_TEXTS:
        raise InputError(
            f"These slots make {num_texts:,} texts and at most {MAX_TEXTS} are scored: take some "
            "words out of them."
        )
    if slots and len(template) > MAX_CHARACTERS:
        raise InputError(
            f"This template has {len(template):,} characters; with slots at most "
            f"{MAX_CHARACTERS:,} are written out."
        )
    return [FilledText(words, "".join(_interleave(parts, words))) for words in product(*slots)]


def find_change(before: str, after: str) -> Change:
    """Find the shortest stretch of words in which two texts differ.

    Args:
        before: The first text.
        after: The second.

    Returns:
        The stretch, with one space between words; both empty if only spaces differ.
    """
    old, new = before.split(), after.split()
    shortest = min(len(old), len(new))
    start = 0
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return Change(*(" ".join(words[start : len(words) - end]) for words in (old, new)))


def _parse(template: str) -> tuple[list[str], list[list[str]]]:
    """Return what stands between slots, one part more than there are slots, and their choices."""
    parts, slots = [""], list[list[str]]()
    position = 0
    while (opening := template.find("{", position)) >= 0:
        parts[-1] += template[position:opening]
        ends = [place for sign in "{}" if (place := template.find(sign, opening + 1)) >= 0]
        end = min(ends, default=len(template))
        inside = template[opening + 1 : end]
        if "|" not in inside:
            parts[-1] += template[opening:end]
            position = end
        elif template[end : end + 1] == "}":
            slots.append(inside.split("|"))
            parts.append("")
            position = end + 1
        else:
            shown = inside if len(inside) <= _MAX_SHOWN else f"{inside[:_MAX_SHOWN]}…"
            raise InputError(
                f"The slot “{shown}” is not closed: put a closing brace after its last word. No "
                "slot can stand in another."
            )
    parts[-1] += template[position:]
    return parts, slots


def _interleave(parts: Sequence[str], words: Sequence[str]) -> list[str]:
    return [piece for pair in zip(parts, (*words, ""), strict=True) for piece in pair]
