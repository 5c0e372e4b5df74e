"""Showing a visitor what went wrong, as a sentence and never as a stack trace."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.errors import ArtifactError, InputError

# Options of an event that is plumbing: no named endpoint, no spinner over what it changes. Whatever
# an event may put a spinner on, the page looks for among all its components at each later event.
QUIET = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
# Gradio drops what is pressed while the press before is being answered. Of choices each counts, or
# the last: where an event carries what was pressed, each, one after the other; where a component's
# value says it, the last, which is read when its turn comes.
EVERY = {"trigger_mode": "multiple", "concurrency_limit": 1, **QUIET}
LATEST = {"trigger_mode": "always_last", **QUIET}
# Parts of a page that are built when they are opened: of two at once Gradio loses one.
IN_TURN = {"show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "render"}

# An error that begins with the label of a field in sight marks it until it is changed.
HEAD = """<script>
(() => {
  const isLetter = (sign) => /[A-Za-z]/.test(sign ?? '');
  function mark(text) {
    const labels = [...document.querySelectorAll('[data-testid=block-info]')].filter((label) =>
      label.checkVisibility() && label.innerText.trim()
      && text.startsWith(label.innerText.trim()) && !isLetter(text[label.innerText.trim().length]));
    labels.sort((one, other) => other.innerText.length - one.innerText.length);
    const field = labels[0]?.closest('.block');
    if (!field) return;
    field.classList.add('refused');
    field.scrollIntoView({block: 'nearest'});
    for (const change of ['input', 'change'])
      field.addEventListener(change, () => field.classList.remove('refused'), {once: true});
  }
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        // Later, when it says it in the visitor's language.
        for (const told of node.querySelectorAll?.('[data-testid=toast-text]') ?? [])
          setTimeout(() => mark(told.innerText.trim()));
  }).observe(document, {childList: true, subtree: true});
  // Gradio takes a slider for moved when a pointer lets it go; arrow keys move it, too.
  document.addEventListener('keyup', (event) => {
    if (event.target.matches?.('input[type=range]') && /^(Arrow|Page|Home|End)/.test(event.key))
      event.target.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));
  });
})();
</script>"""
CSS = """
.block.refused { outline: 2px solid var(--foundry-wrong); outline-offset: -2px; }
"""


def build_when_opened(row: gr.Accordion, visitor: Component, build: Callable[[str], None]) -> None:
    """Build what is in a row when it is first opened: what nobody opens is not sent.

    What takes input in there has to say `interactive=True`: the page works that out from the
    events that it was loaded with, and shuts whatever comes later with a value.

    Args:
        row: Closed; the one that is being built.
        visitor: Holds the visitor's token.
        build: Builds what is in it, for the visitor with that token.
    """
    is_open = gr.State(False)
    gr.render(inputs=[visitor], triggers=[is_open.change], **IN_TURN)(build)
    row.expand(lambda: True, None, is_open, **QUIET)


def busy_buttons(is_busy: bool) -> list[Any]:
    """Return updates of the button that starts something and of the one that cancels it."""
    return [gr.Button(interactive=not is_busy), gr.Button(interactive=is_busy)]


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


@contextlib.contextmanager
def naming_fields(labels: Mapping[str, str]) -> Iterator[None]:
    """Let errors speak of settings by their labels, by which the page's script marks the field.

    Args:
        labels: By the name with which the error's message begins.

    Raises:
        InputError: As is raised within, with the label for the name.
    """
    try:
        yield
    except InputError as error:
        name, _, rest = str(error).partition(" ")
        raise InputError(f"{labels.get(name, name)} {rest}") from None
