"""Under an answer: what it was meant to be, and that the drawing was kept as that."""

from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.data import DIGITS
from foundry.data.names import MAX_NAME
from foundry.digits.ink import drawing_ink
from foundry.digits.reading import frame_ink
from foundry.errors import InputError
from foundry.runs.drawings import Collection, keep_drawing, read_collection
from foundry.ui.components.pad import decode_drawing
from foundry.ui.page.feedback import EVERY, QUIET, shows_errors

# There is nothing to put right before there is an answer.
_CSS = """
.column:not(:has(#draw-answer .digit-bars)) & { display: none; }
.meant { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; font-size: 0.9rem; }
.meant > span { margin-inline-end: 0.3rem; color: var(--body-text-color-subdued); }
button, input { font: inherit; min-height: 32px; margin: 0; border-radius: var(--radius-md);
  border: 1px solid var(--border-color-primary); color: var(--body-text-color);
  background: var(--button-secondary-background-fill); }
button { min-width: 32px; padding: 0 0.45rem; cursor: pointer; max-width: 9rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
button:hover { background: var(--button-secondary-background-fill-hover); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--foundry-orange); }
input { width: 8rem; padding: 0 0.5rem; background: var(--input-background-fill); }
p { margin: 0.3rem 0 0; font-size: 0.85rem; color: var(--body-text-color-subdued); }
"""
_JS = """
const keep = (label) => { if (label.trim()) trigger('select', {label}); };
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-label]');
  if (button) keep(button.dataset.label);
});
element.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches('input')) return;
  keep(event.target.value);
  event.target.value = '';
});
"""


def correction_html(collection: Collection, told: str = "") -> str:
    """Return HTML: a button for each class, a field for one more, and what was kept.

    Args:
        collection: The visitor's.
        told: A sentence about what has just happened.
    """
    own = collection.own_classes
    buttons = "".join(
        f'<button type="button" data-label="{escape(name)}" translate="no">{escape(name)}</button>'
        for name in (*DIGITS, *own)
    )
    note = f'<p role="status">{escape(told)}</p>' if told else ""
    return (
        f'<div class="meant"><span>It was</span>{buttons}'
        f'<input type="text" maxlength="{MAX_NAME}" placeholder="something else" '
        f'aria-label="A class of your own"></div>{note}'
    )


def on_arrive(token: str) -> str:
    """Show the classes that a visitor has drawn before.

    Args:
        token: The visitor's token.

    Returns:
        HTML.
    """
    return correction_html(read_collection(token))


@shows_errors
def on_correct(drawing: Any, token: str, event: gr.EventData) -> str:
    """Keep what is drawn on the pad as what it was meant to be.

    Args:
        drawing: The pad's value.
        token: The visitor's token.
        event: Carries the class's name.

    Returns:
        HTML.
    """
    image = decode_drawing(drawing)
    framed = None if image is None else frame_ink(drawing_ink(image))
    if framed is None:
        raise InputError("Draw something on the pad first; then say what it was.")
    collection = keep_drawing(framed[1], event.label, token)
    kept, num_kept = collection.drawings[-1].label, len(collection.drawings)
    told = (
        f"Kept as “{kept}”, the first of your drawings. “Learn my hand” below learns from five on."
        if num_kept == 1
        else f"Kept as “{kept}”; you have {num_kept} drawings in “Learn my hand” below."
    )
    return correction_html(collection, told)


def build_correction(pad: Component, visitor: Component, tab: gr.Tab) -> gr.HTML:
    """Build the row.

    Args:
        pad: What is kept.
        visitor: Holds the visitor's token.
        tab: What it stands on.

    Returns:
        The row, which changes with the visitor's drawings.
    """
    correction = gr.HTML(
        correction_html(read_collection("")),
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id="draw-correction",
    )
    tab.select(on_arrive, visitor, correction, **QUIET)
    correction.select(on_correct, [pad, visitor], correction, **EVERY)
    return correction
