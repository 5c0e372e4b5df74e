"""The page in English and Chinese: the switch, and what translates words where they are shown."""

import json
from pathlib import Path

import gradio as gr

DICTIONARIES = Path(__file__).parent / "languages"
# The class of a drop-down whose choices are in the dictionary, and are translated.
OUR_CHOICES = "our-choices"
# As browsers name them, and as they name themselves.
_LANGUAGES = {"en": "English", "zh-CN": "中文"}

CSS = """
#language { width: auto; min-width: 0 !important; flex: 0 0 auto; }
.language-switch { display: inline-flex; padding: 2px; gap: 2px;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  background: var(--background-fill-secondary); }
.language-switch button { margin: 0; padding: 0.2rem 0.6rem; border: 0; cursor: pointer;
  border-radius: calc(var(--radius-lg) - 3px); background: none; font-size: 0.8125rem;
  font-weight: 400; line-height: 1.4; color: var(--body-text-color-subdued); }
.language-switch button:hover { color: var(--body-text-color); }
.language-switch button[aria-pressed=true] { background: var(--block-background-fill);
  color: var(--body-text-color); font-weight: 600; box-shadow: 0 0 0 1px
  var(--border-color-primary); }
@media (max-width: 760px) { .language-switch button { padding: 0.2rem 0.4rem; } }
.language-switch button:focus-visible { outline: 2px solid var(--foundry-blue); }
"""


def read_catalogue(name: str) -> dict[str, dict[str, str]]:
    """Return a language's dictionary: by where a text comes from, English template -> its own.

    Args:
        name: Of the file, such as `zh`.
    """
    return json.loads((DICTIONARIES / f"{name}.json").read_text("utf-8"))


def read_scripts() -> str:
    """Return the functions that translate."""
    return "\n".join(
        (DICTIONARIES / f"{name}.js").read_text("utf-8") for name in ("translate", "page")
    )


def build_head() -> str:
    """Return the script that shows the page in the visitor's language, for the page's head."""
    # Only those who read another language than English fetch its dictionary, which is a third of
    # what the first page would weigh. The folder is one that the server may give away.
    address = json.dumps(f"gradio_api/file={DICTIONARIES / 'zh.json'}")
    # In a script nothing may look like its end.
    address = address.replace("<", "\\u003c")
    return (
        f"<script>{read_scripts()}\nfoundryLanguages({{'zh-CN': new URL({address}, "
        "location.origin + location.pathname.replace(/\\/?$/, '/')).href});</script>"
    )


def build_language_switch() -> None:
    """Build the switch; the script in the page's head makes it work."""
    buttons = "".join(
        f'<button type="button" data-language="{code}" lang="{code}">{name}</button>'
        for code, name in _LANGUAGES.items()
    )
    gr.HTML(
        f'<div class="language-switch" role="group" aria-label="Language">{buttons}</div>',
        elem_id="language",
        elem_classes="flush",
        padding=False,
    )
