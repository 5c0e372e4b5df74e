"""Errors whose message is a sentence for the person who caused them."""


class InputError(ValueError):
    """The input cannot be used; the message says what is wrong and what is accepted."""


class ArtifactError(RuntimeError):
    """A file that ships with the project or was written by it is missing or damaged."""
