"""Names and shares -> HTML; nothing here touches Gradio."""

from collections.abc import Sequence
from html import escape

from foundry.photos import Guess, PhotoModel

# A name in two languages, of which the page's is shown. Without either, what the model calls it.
NAME_CSS = """
.class-name:lang(zh) > .en, .class-name:not(:lang(zh)) > .zh { display: none; }
"""
BARS_CSS = (
    NAME_CSS
    + """
.bars { display: grid; gap: 6px 10px; align-items: center; font-variant-numeric: tabular-nums;
  grid-template-columns: minmax(6rem, 42%) minmax(0, 1fr) 3.6em; }
.bars .name { overflow-wrap: anywhere; line-height: 1.25; }
.best { font-weight: 700; }
.track { height: 14px; background: var(--border-color-primary); border-radius: 3px; }
.fill { height: 100%; border-radius: 3px; min-width: 1px; background: var(--foundry-sky); }
.best.fill { background: var(--foundry-blue); }
.share { text-align: right; }
"""
)
ANSWER_CSS = (
    BARS_CSS
    + """
.headline { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.1rem 0.8rem;
  min-height: 2.6rem; margin-bottom: 0.6rem; }
.headline b { font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
.headline span.sure, .hint { color: var(--body-text-color-subdued); }
.hint { overflow-wrap: anywhere; }
.bars button.name { font: inherit; text-align: left; cursor: pointer; background: none;
  color: inherit; padding: 0.1rem 0.3rem; margin: 0 0 0 -0.3rem; border: 0; border-radius: 4px; }
.bars .name:hover, .bars .name:focus-visible, .bars .name[aria-pressed=true] {
  outline: 2px solid var(--primary-500); }
.bars button.name.best { font-weight: 700; }
"""
)


def name_html(model: PhotoModel, index: int) -> str:
    """Return HTML: what a class is called, in each language of the page.

    Args:
        model: Whose class it is.
        index: Of the class.
    """
    if model.names is None:
        return f'<span translate="no">{escape(model.labels[index])}</span>'
    name = model.names[index]
    return (
        '<span class="class-name" translate="no">'
        f'<span class="en">{escape(name.shown)}</span>'
        f'<span class="zh">{escape(name.chinese)}</span></span>'
    )


def hint(sentence: str) -> str:
    """Return HTML: a sentence in place of an answer."""
    return f'<p class="hint">{escape(sentence)}</p>'


def answer_html(model: PhotoModel, guesses: Sequence[Guess]) -> str:
    """Return HTML: the likeliest name in large, and a bar for each of the names.

    Args:
        model: What has answered.
        guesses: The likeliest first.
    """
    best = guesses[0]
    return (
        f'<div class="headline" role="status"><b>{name_html(model, best.index)}</b>'
        f'<span class="sure">{best.prob:.1%} sure</span></div>'
        + bars_html(model, guesses, is_pressable=True)
    )


def bars_html(model: PhotoModel, guesses: Sequence[Guess], *, is_pressable: bool = False) -> str:
    """Return HTML: a bar for each of the names.

    Args:
        model: What has answered.
        guesses: The likeliest first.
        is_pressable: Whether the names are buttons.
    """
    rows = []
    for guess in guesses:
        mark = " best" if guess is guesses[0] else ""
        shown = name_html(model, guess.index)
        name = (
            f'<button type="button" class="name{mark}" data-index="{guess.index}" '
            f'aria-pressed="false">{shown}</button>'
            if is_pressable
            else f'<span class="name{mark}">{shown}</span>'
        )
        rows.append(
            f"{name}"
            f'<div class="track"><div class="fill{mark}" style="width:{guess.prob:.2%}"></div>'
            f'</div><span class="share{mark}">{guess.prob:.1%}</span>'
        )
    return f'<div class="bars">{"".join(rows)}</div>'
