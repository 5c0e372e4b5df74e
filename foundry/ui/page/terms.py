"""The glossary on the page: a term behind every knob, and all of them in a list."""

import re
from collections.abc import Iterator
from html import escape

import gradio as gr
from gradio.blocks import Block

from foundry.ui.page.glossary import GLOSSARY, find_term

KNOBS = (gr.Slider, gr.Dropdown, gr.Radio, gr.Checkbox, gr.CheckboxGroup, gr.Number)
_EXPLAINED = "explained"

# Put beside the label and not into it: a label's text is what screen readers call the knob. Again
# after every change of the page, because tabs and folded parts are built when they are opened.
_JS = f"""
function explain() {{
  for (const knob of document.querySelectorAll('.{_EXPLAINED}:not(:has(> details.term))')) {{
    const name = [...knob.classList].find((one) => one.startsWith('term-'));
    const [term, text] = props.terms[name];
    const details = document.createElement('details');
    details.className = 'term';
    details.innerHTML = '<summary><span aria-hidden="true">?</span>' +
      '<span class="sr-only">Explain</span> <span class="sr-only"></span></summary>' +
      '<div class="meaning"><b></b><p></p></div>';
    details.querySelectorAll('.sr-only')[1].textContent = term;
    details.querySelector('b').textContent = term;
    details.querySelector('p').textContent = text;
    knob.append(details);
  }}
}}
let waiting = false;
new MutationObserver(() => {{
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {{ waiting = false; explain(); }});
}}).observe(document.body, {{childList: true, subtree: true}});
explain();
document.addEventListener('keydown', (event) => {{
  const details = event.key === 'Escape' && event.target.closest('details.term');
  if (details) details.open = false;
}});
"""

CSS = """
#terms { display: none; }
.explained { position: relative; }
details.term > summary { position: absolute; top: 0.5rem; right: 0.5rem; z-index: 2; width: 24px;
  height: 24px; display: grid; place-items: center; cursor: pointer; list-style: none;
  border-radius: 50%; border: 1px solid var(--border-color-primary); font-size: 0.8rem;
  font-weight: 600; color: var(--body-text-color-subdued);
  background: var(--block-background-fill); }
details.term > summary::-webkit-details-marker { display: none; }
details.term > summary:hover, details.term[open] > summary { color: white;
  background: var(--primary-600); border-color: var(--primary-600); }
details.term > summary:focus-visible { outline: 2px solid var(--primary-500); outline-offset: 2px; }
details.term .meaning { margin-top: 0.6rem; padding: 0.1rem 0 0.1rem 0.7rem; font-size: 0.875rem;
  border-left: 3px solid var(--foundry-blue); color: var(--body-text-color); line-height: 1.4; }
.explained > .wrap > .head, .explained > .head { padding-right: 28px; }
.explained [data-testid="block-info"], .explained .info-text { max-width: calc(100% - 28px); }
.explained > .wrap > .head [data-testid="block-info"], .explained > .wrap > .head .info-text {
  max-width: none; }
.explained .foundry-note { padding-right: 36px; }
.glossary { display: grid; gap: 0.2rem 1.6rem; margin: 0;
  grid-template-columns: minmax(8rem, auto) minmax(0, 1fr); }
.glossary dt { font-weight: 600; }
.glossary dd { margin: 0 0 0.5rem; max-width: 46rem; }
@media (max-width: 760px) { .glossary { grid-template-columns: minmax(0, 1fr); } }
"""


def list_knobs(app: gr.Blocks) -> Iterator[Block]:
    """Yield every knob of a page: what a visitor slides, chooses, ticks or sets."""
    return (block for block in app.blocks.values() if isinstance(block, KNOBS))


def explain_knobs(app: gr.Blocks) -> None:
    """Put the glossary's term behind every knob of a page that is otherwise built.

    Args:
        app: The page, still open.
    """
    for knob in list_knobs(app):
        term = find_term(knob.label)
        if term:
            knob.elem_classes += explain(term)
    terms = {_class_of(term): [term, text] for term, text in GLOSSARY.items()}
    gr.HTML("", js_on_load=_JS, terms=terms, elem_id="terms")


def explain(term: str) -> list[str]:
    """Return the classes that put a term behind a component that is built when it is opened.

    Args:
        term: A key of `GLOSSARY`.
    """
    assert term in GLOSSARY
    return [_EXPLAINED, _class_of(term)]


def glossary_html() -> str:
    """Return HTML: all terms and what they mean."""
    rows = (
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in sorted(GLOSSARY.items())
    )
    return f'<dl class="glossary">{"".join(rows)}</dl>'


def _class_of(term: str) -> str:
    return "term-" + re.sub(r"\W+", "-", term.lower())
