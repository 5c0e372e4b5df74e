"""Showing a visitor what went wrong, as a sentence and never as a stack trace."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError

# Options of an event that is plumbing: no spinner over what it changes, no named endpoint.
QUIET = {"show_progress": "hidden", "api_visibility": "private"}


def shows_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a handler, plain or generator, so that our own errors become messages on the page."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*args: Any) -> Any:
            try:
                yield from handler(*args)
            except (InputError, ArtifactError) as error:
                raise gr.Error(str(error), print_exception=False) from None

        return stream

    @functools.wraps(handler)
    def call(*args: Any) -> Any:
        try:
            return handler(*args)
        except (InputError, ArtifactError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    return call
