"""What if a word were another: a changed text beside the one above, or slots as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.sentiment import SentimentModel, score_text, score_texts
from foundry.sentiment.scoring import UNREAD, ScoredText
from foundry.sentiment.what_if import Change, FilledText, fill_template, find_change
from foundry.ui.page.feedback import LATEST, QUIET
from foundry.ui.sentiment import plots
from foundry.ui.sentiment.choice import load_sentiment_model
from foundry.ui.server.queues import EXPLANATIONS, OWN_QUEUE

_HINT = "Type over a word to see both answers, or give it others in braces to see a table."
_SAME = "This is the text as written: type over a word of it."
# It begins as the text above; what was changed in it before stays.
_BEGIN_JS = """(text, changed) =>
  changed && changed !== window.foundryAsWritten ? changed : (window.foundryAsWritten = text)"""
# What nobody has changed follows the text; before the part is opened there is nothing to follow.
FOLLOW_JS = """(text, changed) =>
  changed && changed === window.foundryAsWritten ? (window.foundryAsWritten = text) : changed"""
# A column for each; of more labels the answer alone.
_MAX_LABELS_SHOWN = 5
_MAX_SHOWN = 60

_WHAT_IF_CSS = (
    plots.ANSWER_CSS
    + """
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr));
  gap: 0 2rem; }
.filled { overflow-x: auto; }
.filled table { border: 0; border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums; }
.filled th { font-weight: 400; text-align: start; color: var(--body-text-color-subdued); }
.filled td, .filled th { padding: 0.25rem 0.6rem; border: solid var(--border-color-primary);
  border-width: 0 0 1px; }
.filled .share { text-align: end; }
@media (max-width: 640px) {
  .filled table { font-size: 0.85rem; }
  .filled td, .filled th { padding: 0.25rem 0.3rem; }
}
"""
)


@dataclass(frozen=True)
class WhatIf:
    """The components of this part.

    Attributes:
        changed: The text with other words.
        answers: What the model says of it.
    """

    changed: gr.Textbox
    answers: gr.HTML


def on_what_if(text: str, changed: str, name: str, variant: str = DENSE.name) -> str:
    """Answer a text with other words.

    Args:
        text: The text as written.
        changed: The same with words changed, or with slots.
        name: The model in use.
        variant: The name of the variant.

    Returns:
        HTML: both answers, or a row for every way to fill the slots.
    """
    if not changed or not changed.strip():
        return plots.hint(_HINT)
    try:
        filled = fill_template(changed)
        model = load_sentiment_model(name, variant)[1]
        with EXPLANATIONS.turn():
            if filled[0].words:
                return _answer_all(model, filled)
            return _answer_both(model, text or "", changed)
    except (InputError, ArtifactError) as error:
        return plots.hint(str(error))


def _answer_both(model: SentimentModel, text: str, changed: str) -> str:
    change = find_change(text, changed)
    if change == Change("", ""):
        return plots.hint(_SAME)
    after = score_text(model, changed)
    if not after.is_read:
        return plots.hint(UNREAD)
    if not text.strip():
        return plots.answer_html(after.probs, "As changed")
    before = score_text(model, text)
    if before.is_read:
        written = plots.answer_html(before.probs, "As written")
        changed_html = plots.answer_html(after.probs, _tell(change), before=before.probs)
    else:
        written = plots.hint(UNREAD)
        changed_html = plots.answer_html(after.probs, _tell(change))
    return f'<div class="pair"><div>{written}</div><div>{changed_html}</div></div>'


def _tell(change: Change) -> str:
    before, after = _shorten(change.before), _shorten(change.after)
    if not change.after:
        return f"Without “{before}”"
    return f"With “{after}” in place of “{before}”" if change.before else f"With “{after}”"


def _shorten(words: str) -> str:
    return words if len(words) <= _MAX_SHOWN else f"{words[:_MAX_SHOWN]}…"


def _answer_all(model: SentimentModel, filled: Sequence[FilledText]) -> str:
    events = score_texts(model, [one.text for one in filled])
    scored = sorted((one for event in events for one in event.finished), key=lambda one: one.index)
    shown = model.labels if len(model.labels) <= _MAX_LABELS_SHOWN else ()
    num_slots = len(filled[0].words)
    head = "".join(
        [
            f'<th colspan="{num_slots}">in the slot</th><th>answer</th>',
            *(f'<th class="share" translate="no">{escape(label)}</th>' for label in shown),
        ]
    )
    rows = "".join(
        f"<tr>{''.join(map(_word, one.words))}{_cells(answer, model.labels, shown)}</tr>"
        for one, answer in zip(filled, scored, strict=True)
    )
    return f'<div class="filled"><table><tr>{head}</tr>{rows}</table></div>{_spread(scored, model)}'


def _word(word: str) -> str:
    # A choice may be empty.
    return f'<td dir="auto" translate="no">{escape(word.strip()) or "–"}</td>'


def _cells(scored: ScoredText, labels: Sequence[str], shown: Sequence[str]) -> str:
    if scored.problem or not scored.score:
        return f'<td colspan="{1 + len(shown)}">{escape(scored.problem)}</td>'
    best, probs = scored.score.label, scored.score.probs
    sure = "" if shown else f" {probs[best]:.1%}"
    cells = [f'<td><b dir="auto" translate="no">{escape(best)}</b>{sure}</td>']
    for label in shown:
        # Half of the colour, so that figures on it can be read in either theme.
        cells.append(
            '<td class="share" style="background:color-mix(in srgb, '
            f'{plots.label_colour(label, labels)} {probs[label] / 2:.0%}, transparent)">'
            f"{probs[label]:.1%}</td>"
        )
    return "".join(cells)


def _spread(scored: Sequence[ScoredText], model: SentimentModel) -> str:
    answered = [one.score.probs for one in scored if one.score and not one.problem]
    if len(answered) < 2:
        return ""
    ranges = {
        label: (min(probs[label] for probs in answered), max(probs[label] for probs in answered))
        for label in model.labels
    }
    label = max(ranges, key=lambda label: ranges[label][1] - ranges[label][0])
    low, high = ranges[label]
    return plots.hint(f"These words move “{label}” most: from {low:.1%} to {high:.1%}.")


def build_what_if(text: gr.Textbox, active: gr.State, variant: gr.State) -> WhatIf:
    """Build the part, closed.

    Args:
        text: What is typed.
        active: The model in use.
        variant: The name of its variant.
    """
    with gr.Accordion("What if", open=False, elem_id="sentiment-what-if") as row:
        changed = gr.Textbox(
            label="The text with other words",
            info="Braces make a table: The {waiter|waitress|chef} was kind.",
            lines=2,
            max_lines=6,
            elem_id="sentiment-changed",
        )
        answers = gr.HTML(
            plots.hint(_HINT),
            elem_classes="flush",
            css_template=_WHAT_IF_CSS,
            elem_id="sentiment-what-if-answers",
        )
    row.expand(None, [text, changed], changed, js=_BEGIN_JS, **QUIET)
    changed.change(
        on_what_if,
        [text, changed, active, variant],
        answers,
        **OWN_QUEUE,
        **LATEST,
    )
    return WhatIf(changed, answers)
