"""Errors whose message is a sentence for the person who caused them."""

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
