"""Scores and attributions -> HTML; nothing here touches Gradio, and every text is escaped."""

from html import escape

from foundry.attribution import Explanation
from foundry.sentiment import SentimentScore


def label_bars(score: SentimentScore | None) -> str:
    """Return HTML: the likeliest label in large and one bar a label, in the model's order."""
    if score is None:
        return (
            '<div class="answer"><span>Type or paste a text: '
            "the answer appears here as you type.</span></div>"
        )
    rows = []
    for label, prob in score.probs.items():
        mark = " best" if label == score.label else ""
        rows.append(
            f'<span class="digit{mark}">{escape(label)}</span>'
            f'<div class="track"><div class="fill{mark}" style="width:{prob:.2%}"></div></div>'
            f'<span class="share{mark}">{prob:.1%}</span>'
        )
    return (
        f'<div class="answer"><b>{escape(score.label)}</b>'
        f"<span>{score.probs[score.label]:.1%} sure</span></div>"
        f'<div class="digit-bars">{"".join(rows)}</div>'
    )


def reading_note(score: SentimentScore, elapsed_ms: float) -> str:
    """Return the sentence below the bars: how the text was read, and how long that took."""
    parts = [f"{score.num_tokens:,} tokens in {elapsed_ms:.0f} ms"]
    if score.num_pieces > 1:
        parts.append(
            f"read in {score.num_pieces} overlapping pieces and combined, weighted by length"
        )
    if score.num_unknown:
        parts.append(f"{score.num_unknown:,} unknown to the model")
    return "; ".join(parts) + "."


def word_pulls(explanation: Explanation | None) -> str:
    """Return HTML: the text with every word coloured by its pull, a legend, and the error."""
    if explanation is None:
        return (
            '<div class="word-pulls"><p class="hint">Press the button to see the words.</p></div>'
        )
    largest = max((abs(word.score) for word in explanation.words), default=0.0) or 1.0
    label = escape(explanation.label)
    parts, end = [], 0
    for word in explanation.words:
        colour = "--foundry-blue" if word.score >= 0 else "--foundry-vermilion"
        share = 65 * abs(word.score) / largest
        parts.append(escape(explanation.text[end : word.start]))
        parts.append(
            f'<mark title="{word.score:+.2f}" style="background:color-mix(in srgb, '
            f'var({colour}) {share:.0f}%, transparent)">{escape(word.text)}</mark>'
        )
        end = word.end
    parts.append(escape(explanation.text[end:]))
    difference = explanation.margin - explanation.baseline_margin
    return (
        f'<div class="word-pulls"><p class="words">{"".join(parts)}</p>'
        f'<p class="hint"><i class="towards"></i> pulls towards “{label}” '
        f'<i class="away"></i> pulls away from it</p>'
        f'<p class="hint">Integrated Gradients, {explanation.num_steps} steps. The pulls sum to '
        f"{difference:+.2f} logits, the answer’s margin over an empty text, within "
        f"{explanation.completeness_error:.3f}.</p></div>"
    )
