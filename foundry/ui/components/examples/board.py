"""Examples of classes as small pictures, each with a button that removes it."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

BOARD_CSS = """
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 0; }
section { border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  background: var(--block-background-fill); padding: 0.5rem 0.7rem 0.6rem; margin: 0 0 0.6rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.1rem 0.7rem; }
header b { overflow-wrap: anywhere; }
header .count { color: var(--body-text-color-subdued); font-size: 0.85rem; margin-right: auto; }
.lacks { color: var(--foundry-wrong); }
button { font: inherit; font-size: 0.85rem; cursor: pointer; color: var(--body-text-color);
  background: none; border: 0; border-radius: var(--radius-sm); padding: 0.1rem 0.3rem; }
header button { text-decoration: underline; }
button:hover, button:focus-visible { outline: 2px solid var(--primary-500); }
.pictures { display: flex; flex-wrap: wrap; gap: 5px; margin-top: 0.4rem; }
.picture { position: relative; width: 56px; height: 56px; }
.picture img { width: 100%; height: 100%; border-radius: var(--radius-sm); display: block; }
.picture.aside img { box-shadow: 0 0 0 3px var(--foundry-orange); }
.picture button { position: absolute; top: 0; right: 0; width: 24px; height: 24px; padding: 0;
  line-height: 1; font-size: 1rem; color: white; background: rgb(0 0 0 / 60%); opacity: 0.75; }
.picture:hover button, .picture button:focus-visible { opacity: 1; }
"""
BOARD_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) trigger('select', {...button.dataset});
});
"""


class Picture(NamedTuple):
    """One example.

    Attributes:
        digest: Names it.
        url: Of the picture.
        is_aside: Whether it is set aside to judge by.
    """

    digest: str
    url: str
    is_aside: bool


def class_html(label: str, count: str, buttons: str, pictures: Sequence[Picture]) -> str:
    """Return HTML: a class with its pictures.

    Args:
        label: What it is called.
        count: HTML that says how many there are.
        buttons: HTML of what can be done with all of it.
        pictures: Its examples.
    """
    shown = "".join(
        f'<div class="picture{" aside" if one.is_aside else ""}"><img src="{one.url}" alt="">'
        f'<button type="button" data-remove="{one.digest}" aria-label="Remove this picture">×'
        "</button></div>"
        for one in pictures
    )
    return (
        f'<section><header><b translate="no">{escape(label)}</b>'
        f'<span class="count">{count}</span>{buttons}</header>'
        f'<div class="pictures">{shown}</div></section>'
    )


def aside_note() -> str:
    """Return HTML: what the rim around some pictures means."""
    return (
        '<p class="hint">Those with an orange rim are set aside: they judge, and are not '
        "learned.</p>"
    )
