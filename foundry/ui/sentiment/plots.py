"""Scores, attributions and progress -> HTML; nothing here touches Gradio."""

from collections import Counter
from collections.abc import Collection, Sequence
from html import escape

import numpy as np

from foundry.errors import counted
from foundry.sentiment.attribution import Explanation
from foundry.sentiment.sides import Sides, find_sides

# More labels than these are drawn as the likeliest ones and a line for the rest.
_MAX_BARS = 10
_NUM_BINS = 20
# Below this a label is in front and no more.
_SURE = 0.8
# Darker than this and the word on it is white.
_DARK_SHARE = 0.6
_GREY_SHARE = 0.4

_COLOURS = {
    **{name: f"var(--foundry-{name})" for name in ("blue", "vermilion", "green", "sky")},
    "grey": "var(--body-text-color-subdued)",
}

HINT_CSS = ".hint { color: var(--body-text-color-subdued); font-size: 0.9rem; }"
ANSWER_CSS = """
.title { margin-top: 0.6rem; }
.headline { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.1rem 0.7rem;
  min-height: 2.6rem; margin-bottom: 0.3rem; }
.headline b { font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
.headline b small { font-weight: 400; }
.headline span, .hint { color: var(--body-text-color-subdued); }
.hint { overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: fit-content(38%) minmax(0, 1fr) auto;
  gap: 6px 10px; align-items: center; font-variant-numeric: tabular-nums; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.track { position: relative; height: 14px; background: var(--border-color-primary);
  border-radius: 3px; }
.fill { height: 100%; border-radius: 3px; min-width: 1px; }
.best { font-weight: 700; }
.sky { background: var(--foundry-sky); }
.blue { background: var(--foundry-blue); }
.vermilion { background: var(--foundry-vermilion); }
.green { background: var(--foundry-green); }
.before { position: absolute; top: -3px; bottom: -3px; width: 3px; margin-left: -1px;
  background: var(--body-text-color); }
.share { text-align: right; }
.share small { color: var(--body-text-color-subdued); font-weight: 400; }
"""
WORDS_CSS = """
.words { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2; font-size: 1.05rem;
  max-height: 24rem; overflow-y: auto; }
.words button { font: inherit; border: 0; margin: 0; padding: 0.1rem 0.2rem; border-radius: 4px;
  cursor: pointer; color: inherit; }
.words button.dark { color: white; }
.words button:hover, .words button:focus-visible { outline: 2px solid var(--foundry-orange); }
.words button[aria-pressed=true] { text-decoration: line-through 2px; opacity: 0.55; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-top: 0.7rem;
  font-size: 0.9rem; }
.legend i { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin-right: 0.4em; vertical-align: -0.1em; }
.blue { background: var(--foundry-blue); }
.vermilion { background: var(--foundry-vermilion); }
.green { background: var(--foundry-green); }
.grey { background: var(--body-text-color-subdued); }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin-top: 0.4rem; }
"""
WORDS_JS = """
element.addEventListener('click', (event) => {
  const word = event.target.closest('button[data-word]');
  if (word) trigger('select', {word: Number(word.dataset.word)});
});
"""
HISTOGRAM_CSS = """
h4 { margin: 0 0 0.5rem; font-size: 0.95rem; font-weight: 600; }
.columns { display: flex; align-items: flex-end; gap: 2px; height: 130px;
  border-bottom: 1px solid var(--border-color-primary); }
.columns div { flex: 1; border-radius: 2px 2px 0 0; }
.columns .stack { height: 100%; display: flex; flex-direction: column-reverse; }
.columns .stack i { border-radius: 2px; }
.low, .vermilion { background: var(--foundry-vermilion); }
.high, .blue { background: var(--foundry-blue); }
.green { background: var(--foundry-green); }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-top: 0.5rem; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
.key i { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin-right: 0.4em; vertical-align: -0.1em; }
.axis { display: flex; justify-content: space-between; font-size: 0.8rem;
  color: var(--body-text-color-subdued); }
.counts { display: grid; grid-template-columns: fit-content(45%) minmax(0, 1fr) auto;
  gap: 6px 10px; align-items: center; font-variant-numeric: tabular-nums; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar { height: 14px; border-radius: 3px; background: var(--foundry-blue); min-width: 1px; }
"""


def hint(sentence: str) -> str:
    """Return HTML: a sentence in the place of an answer."""
    return f'<div class="hint" dir="auto">{escape(sentence)}</div>'


def answer_html(
    probs: dict[str, float], title: str = "", before: dict[str, float] | None = None
) -> str:
    """Return HTML: the likeliest label in large, and a bar for every label.

    With a neutral label, what is in front without being sure is said to be mostly so.

    Args:
        probs: Probability by label.
        title: What was answered, if not the text as it is.
        before: The probabilities to compare with; each bar gets a mark there.
    """
    best = max(probs, key=probs.__getitem__)
    told = f"{probs[best]:.1%} sure"
    if before:
        was = max(before, key=before.__getitem__)
        told += f"; as written: {was}, {before[was]:.1%}"
    mostly = "<small>mostly</small> " if find_sides(list(probs)) and probs[best] < _SURE else ""
    shown = sorted(probs, key=probs.__getitem__, reverse=True)[:_MAX_BARS]
    rows = []
    for label in (label for label in probs if label in shown):
        mark = " best" if label == best else ""
        colour = _bar_colour(label, list(probs), best)
        tick = f'<div class="before" style="left:{before[label]:.2%}"></div>' if before else ""
        was_share = f" <small>was {before[label]:.1%}</small>" if before else ""
        rows.append(
            f'<span class="name{mark}" dir="auto" translate="no" title="{escape(label)}">'
            f"{escape(label)}</span>"
            f'<div class="track"><div class="fill {colour}" style="width:{probs[label]:.2%}"></div>'
            f'{tick}</div><span class="share{mark}">{probs[label]:.1%}{was_share}</span>'
        )
    rest = len(probs) - len(shown)
    left_over = 1 - sum(probs[label] for label in shown)
    return (
        (f'<div class="title" dir="auto">{escape(title)}</div>' if title else "")
        + f'<div class="headline"><b dir="auto">{mostly}'
        f'<bdi translate="no">{escape(best)}</bdi></b>'
        f"<span>{escape(told)}</span></div>"
        f'<div class="bars">{"".join(rows)}</div>'
        + (
            hint(f"Not shown: {counted(rest, 'label')} with {max(0.0, left_over):.1%} in all.")
            if rest > 0
            else ""
        )
    )


def label_colour(label: str, labels: Sequence[str]) -> str:
    """Return the CSS colour of what is answered with a label.

    Args:
        label: The answer.
        labels: The model's.
    """
    return _COLOURS[_bar_colour(label, labels, label)]


def _bar_colour(label: str, labels: Sequence[str], best: str) -> str:
    # Opposite labels have the colours of the words that pull towards them.
    if len(labels) == 2:
        return "vermilion" if label == labels[0] else "blue"
    if sides := find_sides(labels):
        return _side_colour(label, sides)
    return "blue" if label == best else "sky"


def _side_colour(label: str, sides: Sides) -> str:
    return {sides.negative: "vermilion", sides.neutral: "green", sides.positive: "blue"}[label]


def _pull_colours(explained: str, labels: Sequence[str]) -> tuple[str, str]:
    """Return the colours of words that pull towards the label explained, and away from it."""
    sides = find_sides(labels)
    if sides is None:
        return "blue", "vermilion"
    # Away from one of three is not towards any other.
    return _side_colour(explained, sides), "grey"


def words_html(
    explanation: Explanation, labels: Sequence[str], removed: Collection[int] = ()
) -> str:
    """Return HTML: the text with every word a button in the colour of its pull, and a legend.

    Args:
        explanation: Of the text.
        labels: The model's labels.
        removed: Words struck out, by position.
    """
    largest = max((abs(word.score) for word in explanation.words), default=0.0) or 1.0
    towards, against = _pull_colours(explanation.label, labels)
    parts, position = [], 0
    for index, word in enumerate(explanation.words):
        share = abs(word.score) / largest
        name = towards if word.score > 0 else against
        # Grey is dark in one theme and light in the other: words on it keep their own colour.
        share *= _GREY_SHARE if name == "grey" else 1
        dark = ' class="dark"' if share > _DARK_SHARE else ""
        parts.append(
            f"{escape(explanation.text[position : word.start])}"
            f'<button type="button" data-word="{index}"{dark} '
            f'aria-pressed="{"true" if index in removed else "false"}" '
            f'title="{word.score:+.2f}" style="background:color-mix(in srgb, '
            f'{_COLOURS[name]} {share:.0%}, transparent)">{escape(word.text)}</button>'
        )
        position = word.end
    parts.append(escape(explanation.text[position:]))
    others = [label for label in labels if label != explanation.label]
    opposite = f"towards {others[0]}" if len(others) == 1 else f"away from {explanation.label}"
    return (
        f'<div class="words" dir="auto" translate="no">{"".join(parts)}</div><div class="legend">'
        f'<span><i class="{towards}"></i>pulls towards {escape(explanation.label)}</span>'
        f'<span><i class="{against}"></i>pulls {escape(opposite)}</span></div>'
        f"{hint(_completeness(explanation))}"
    )


def _completeness(explanation: Explanation) -> str:
    total = sum(word.score for word in explanation.words)
    difference = explanation.margin - explanation.baseline_margin
    return (
        f"Integrated Gradients: the words' scores add up to {total:+.2f}; from a blank text to "
        f"this one the model's answer moves by {difference:+.2f} (logits). Completeness error "
        f"{explanation.completeness_error:.3f}."
    )


def histogram_html(probs: Sequence[float], label: str) -> str:
    """Return HTML: how many texts have which probability of a label, in 20 columns."""
    counts, edges = np.histogram(probs, bins=_NUM_BINS, range=(0, 1))
    tallest = max(1, int(counts.max()))
    columns = "".join(
        f'<div class="{"high" if low >= 0.5 else "low"}" style="height:{count / tallest:.1%}" '
        f'title="{counted(count, "text")} from {low:.0%} to {high:.0%}"></div>'
        for count, low, high in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    )
    return (
        f"<h4>Texts by probability of “{escape(label)}”</h4>"
        f'<div class="columns" role="img" aria-label="Histogram">{columns}</div>'
        '<div class="axis"><span>0%</span><span>50%</span><span>100%</span></div>'
    )


def sides_html(scores: Sequence[dict[str, float]], sides: Sides) -> str:
    """Return HTML: how many texts lie where between the two sides, in 20 columns by answer.

    Args:
        scores: The probabilities of each text, by label.
        sides: What the labels mean.
    """
    places: dict[str, list[float]] = {label: [] for label in vars(sides).values()}
    for probs in scores:
        best = max(probs, key=probs.__getitem__)
        places[best].append(probs[sides.positive] - probs[sides.negative])
    bins = np.linspace(-1, 1, _NUM_BINS + 1)
    counts = {label: np.histogram(some, bins)[0] for label, some in places.items()}
    tallest = max(1, int(np.sum(list(counts.values()), axis=0).max()))
    columns = "".join(
        '<div class="stack">'
        + "".join(
            f'<i class="{_side_colour(label, sides)}" style="height:{of_label[n] / tallest:.1%}" '
            f'title="{counted(int(of_label[n]), "text")}: {escape(label)}"></i>'
            for label, of_label in counts.items()
        )
        + "</div>"
        for n in range(_NUM_BINS)
    )
    key = "".join(
        f'<span><i class="{_side_colour(label, sides)}"></i>'
        f'<bdi translate="no">{escape(label)}</bdi> <b>{len(some):,}</b></span>'
        for label, some in places.items()
    )
    return (
        "<h4>Texts from one side to the other, by likeliest label</h4>"
        f'<div class="columns" role="img" aria-label="Histogram">{columns}</div>'
        f'<div class="axis"><span translate="no">{escape(sides.negative)}</span>'
        f'<span translate="no">{escape(sides.neutral)}</span>'
        f'<span translate="no">{escape(sides.positive)}</span></div>'
        f'<div class="key">{key}</div>'
    )


def label_counts_html(answers: Sequence[str], labels: Sequence[str]) -> str:
    """Return HTML: a bar for every label with the number of texts that got it."""
    counts = Counter(answers)
    tallest = max(1, *counts.values()) if counts else 1
    rows = "".join(
        f'<span class="name" dir="auto" translate="no" title="{escape(label)}">'
        f"{escape(label)}</span>"
        f'<div><div class="bar" style="width:{counts[label] / tallest:.1%}"></div></div>'
        f"<span>{counts[label]:,}</span>"
        for label in sorted(labels, key=lambda label: -counts[label])[:_MAX_BARS]
    )
    return f'<h4>Texts by likeliest label</h4><div class="counts">{rows}</div>'
