"""Errors whose message is a sentence for the person who caused them, and words for sentences."""

import argparse
import contextlib
from collections.abc import Iterator


class InputError(ValueError):
    """The input cannot be used; the message says what is wrong and what is accepted."""


class ArtifactError(RuntimeError):
    """A file that ships with the project or was written by it is missing or damaged."""


class DivergedError(ArithmeticError):
    """A training has left the finite numbers; the message says where, why, and what to try."""


@contextlib.contextmanager
def in_a_sentence(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Print what is wrong with the input or a file as one sentence, and exit with 2."""
    try:
        yield
    except (InputError, ArtifactError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def counted(number: int, noun: str) -> str:
    """Return how many of something there are: `1 picture`, `1,200 pictures`, `0 classes`.

    Args:
        number: At least 0.
        noun: One of them, such as `picture`. The page's dictionary needs it in both numbers.
    """
    if number != 1:
        noun += "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}"
