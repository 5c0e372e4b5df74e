"""The visitor's classes with their pictures -> HTML; nothing here touches Gradio."""

import base64
import io
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from foundry.photos.teaching.examples import MAX_CLASSES, MIN_CLASSES, MIN_EXAMPLES, Example
from foundry.photos.teaching.projects import Project

_THUMBNAIL = 56
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
_EMPTY = (
    f"No classes yet. Name one on the left and give it at least {MIN_EXAMPLES} pictures; "
    f"{MIN_CLASSES} to {MAX_CLASSES} classes can be told apart."
)


def board_html(project: Project | None) -> str:
    """Return HTML: each class with its pictures, and a button to remove each.

    Args:
        project: The visitor's, None before there is one.
    """
    if project is None or not project.labels:
        return f'<p class="hint">{_EMPTY}</p>'
    parts = [_class_html(project, label) for label in project.labels]
    if any(example.is_held_out for example in project.examples):
        parts.append(
            '<p class="hint">Those with an orange rim are set aside: they judge, and are not '
            "learned.</p>"
        )
    return "".join(parts)


def picture_url(file: Path) -> str:
    """Return a small picture as a data URL.

    Args:
        file: Of an example, whose content never changes.
    """
    return _thumbnail(file)


def _class_html(project: Project, label: str) -> str:
    own = [example for example in project.examples if example.label == label]
    lacking = MIN_EXAMPLES - len(own)
    count = f"{len(own)} pictures" if len(own) != 1 else "1 picture"
    lacks = f'<span class="lacks">{lacking} more needed</span>' if lacking > 0 else ""
    shown = "".join(_picture_html(project, example) for example in own)
    name = escape(label, quote=True)
    return (
        f'<section><header><b translate="no">{name}</b>'
        f'<span class="count"><span>{count}</span> {lacks}</span>'
        f'<button type="button" data-choose="{name}">Add pictures</button>'
        f'<button type="button" data-leave="{name}">Remove the class</button></header>'
        f'<div class="pictures">{shown}</div></section>'
    )


def _picture_html(project: Project, example: Example) -> str:
    aside = " aside" if example.is_held_out else ""
    return (
        f'<div class="picture{aside}"><img src="{picture_url(project.file_of(example.digest))}" '
        f'alt=""><button type="button" data-remove="{example.digest}" '
        'aria-label="Remove this picture">×</button></div>'
    )


@lru_cache(maxsize=4_000)
def _thumbnail(file: Path) -> str:
    try:
        with Image.open(file) as picture:
            small = picture.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL))
    except OSError:
        # Removed on another page of the visitor's.
        return ""
    content = io.BytesIO()
    small.save(content, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
