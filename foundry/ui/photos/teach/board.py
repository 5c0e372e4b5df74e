"""The visitor's classes with their pictures -> HTML; nothing here touches Gradio."""

import base64
import io
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from foundry.errors import counted
from foundry.photos.teaching.examples import MAX_CLASSES, MIN_CLASSES, MIN_EXAMPLES
from foundry.photos.teaching.projects import Project
from foundry.ui.components.examples.board import Picture, aside_note, class_html

_THUMBNAIL = 56
_EMPTY = (
    f"No classes yet. Name one and give it at least {MIN_EXAMPLES} pictures; "
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
        parts.append(aside_note())
    return "".join(parts)


def picture_url(file: Path) -> str:
    """Return a small picture as a data URL; empty if there is none.

    Args:
        file: Of an example, whose content never changes.
    """
    try:
        return _thumbnail(file)
    except OSError:
        # Removed on another page of the visitor's. It may come again.
        return ""


def _class_html(project: Project, label: str) -> str:
    own = [example for example in project.examples if example.label == label]
    lacking = MIN_EXAMPLES - len(own)
    count = counted(len(own), "picture")
    lacks = f'<span class="lacks">{lacking} more needed</span>' if lacking > 0 else ""
    name = escape(label, quote=True)
    return class_html(
        label,
        f"<span>{count}</span> {lacks}",
        f'<button type="button" data-choose="{name}">Add pictures</button>'
        f'<button type="button" data-leave="{name}">Remove the class</button>',
        [
            Picture(one.digest, picture_url(project.file_of(one.digest)), bool(one.is_held_out))
            for one in own
        ],
    )


@lru_cache(maxsize=4_000)
def _thumbnail(file: Path) -> str:
    with Image.open(file) as picture:
        small = picture.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL))
    content = io.BytesIO()
    small.save(content, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
