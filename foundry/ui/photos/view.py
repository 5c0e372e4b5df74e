"""Names and shares -> HTML; nothing here touches Gradio."""

from collections.abc import Sequence
from html import escape

from foundry.photos import Guess, PhotoModel

# A name in two languages, of which the page's is shown. Without either, what the model calls it.
NAME_CSS = """
.class-name:lang(zh) > .en, .class-name:not(:lang(zh)) > .zh { display: none; }
"""
ANSWER_CSS = (
    NAME_CSS
    + """
.headline { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.1rem 0.8rem;
  min-height: 2.6rem; margin-bottom: 0.6rem; }
.headline b { font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
.headline span.sure, .hint { color: var(--body-text-color-subdued); }
.hint { overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: minmax(6rem, 42%) minmax(0, 1fr) 3.6em;
  gap: 6px 10px; align-items: center; font-variant-numeric: tabular-nums; }
.bars .name { overflow-wrap: anywhere; line-height: 1.25; font: inherit; text-align: left;
  padding: 0.1rem 0.3rem; margin: 0 0 0 -0.3rem; border: 0; border-radius: 4px; cursor: pointer;
  background: none; color: inherit; }
.bars .name:hover, .bars .name:focus-visible, .bars .name[aria-pressed=true] {
  outline: 2px solid var(--primary-500); }
.bars .name.best { font-weight: 700; }
.track { height: 14px; background: var(--border-color-primary); border-radius: 3px; }
.fill { height: 100%; border-radius: 3px; min-width: 1px; background: var(--foundry-sky); }
.best { font-weight: 700; }
.best.fill { background: var(--foundry-blue); }
.share { text-align: right; }
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
    rows = []
    for guess in guesses:
        mark = " best" if guess is best else ""
        rows.append(
            f'<button type="button" class="name{mark}" data-index="{guess.index}" '
            f'aria-pressed="false">{name_html(model, guess.index)}</button>'
            f'<div class="track"><div class="fill{mark}" style="width:{guess.prob:.2%}"></div>'
            f'</div><span class="share{mark}">{guess.prob:.1%}</span>'
        )
    return (
        f'<div class="headline" role="status"><b>{name_html(model, best.index)}</b>'
        f'<span class="sure">{best.prob:.1%} sure</span></div>'
        f'<div class="bars">{"".join(rows)}</div>'
    )
