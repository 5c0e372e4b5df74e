"""A longer text sentence by sentence: each coloured by its own answer, explained by a click."""

from collections.abc import Sequence
from html import escape

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.sentiment import SentimentScore, score_text, score_texts
from foundry.sentiment.pieces import clean_text, split_sentences
from foundry.ui.sentiment import plots
from foundry.ui.sentiment.choice import load_sentiment_model

# More would keep visitors waiting, and fill the screen.
_MAX_SENTENCES = 100

SENTENCES_CSS = """
.sentences { line-height: 1.9; overflow-wrap: anywhere; max-height: 16rem; overflow-y: auto; }
.sentences button { font: inherit; border: 0; margin: 0; padding: 0.1rem 0.35rem; color: inherit;
  border-radius: 4px; cursor: pointer; text-align: start; }
.sentences button:hover, .sentences button:focus-visible {
  outline: 2px solid var(--foundry-orange); }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin-top: 0.3rem; }
"""
SENTENCES_JS = """
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-sentence]');
  if (pressed) trigger('select', {sentence: Number(pressed.dataset.sentence)});
});
"""


def on_sentences(text: str, name: str, variant: str = DENSE.name) -> str:
    """Answer each sentence of a text for itself.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the variant.

    Returns:
        HTML; empty for one sentence, or where the answer to the whole says what is wrong.
    """
    if not text or not text.strip():
        return ""
    try:
        sentences = split_sentences(clean_text(text))
        if len(sentences) < 2:
            return ""
        if len(sentences) > _MAX_SENTENCES:
            return plots.hint(
                f"{len(sentences):,} sentences, and at most {_MAX_SENTENCES} are coloured: "
                "score them as lines, under Many texts."
            )
        model = load_sentiment_model(name, variant)[1]
        whole = score_text(model, text)
        scored = [text for event in score_texts(model, sentences) for text in event.finished]
    except (InputError, ArtifactError):
        return ""
    scores = {text.index: text.score for text in scored if not text.problem}
    return _strip_html([(s, scores.get(n)) for n, s in enumerate(sentences)], whole)


def find_sentence(text: str, number: object) -> str | None:
    """Return a sentence that was pressed; None if there is no such one.

    Args:
        text: What was typed.
        number: What the browser says.
    """
    if not isinstance(number, int) or not text or not text.strip():
        return None
    sentences = split_sentences(clean_text(text))
    return sentences[number] if 0 <= number < len(sentences) else None


def _strip_html(
    answered: Sequence[tuple[str, SentimentScore | None]], whole: SentimentScore
) -> str:
    parts = []
    for number, (sentence, score) in enumerate(answered):
        # What no word is known of has no answer, and no colour.
        told, colour, share = "", "transparent", 0.0
        if score:
            best = score.probs[score.label]
            told = f"{score.label}: {best:.1%}"
            colour = plots.label_colour(score.label, list(whole.probs))
            share = _strength(best, len(whole.probs))
        parts.append(
            f'<button type="button" data-sentence="{number}" title="{escape(told)}" '
            f'style="background:color-mix(in srgb, {colour} {share:.0%}, transparent)">'
            f"{escape(sentence)}</button>"
        )
    together = (
        "The answer above is of the whole text, read at once."
        if whole.num_pieces == 1
        else f"The answer above is the mean of {whole.num_pieces} overlapping pieces, "
        "weighted by their tokens."
    )
    return (
        f'<div class="sentences" dir="auto" translate="no">{" ".join(parts)}</div>'
        + plots.hint("Each sentence for itself: press one to see which of its words pull.")
        + plots.hint(together)
    )


def _strength(share: float, num_labels: int) -> float:
    """Return how much colour a probability has: none if all labels are alike, half if it is sure.

    Half, so that text on it can be read in either theme.
    """
    return (share - 1 / num_labels) / (1 - 1 / num_labels) / 2
