"""A visitor's drawings and what came out of learning them -> HTML; nothing here touches Gradio."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from PIL import Image

from foundry.data import DIGITS
from foundry.errors import counted
from foundry.runs.drawings import Collection
from foundry.training.hand.learning import HandEvent, Scores
from foundry.ui.components.examples.board import Picture, aside_note, class_html
from foundry.ui.components.line_chart import Curve, render_lines
from foundry.ui.components.plots import png_url
from foundry.ui.page.palette import BLUE, VERMILION

# Of MNIST's test digits: less is within what another seed changes.
_NOTICEABLE = 0.002
TITLES = {True: "With replay of MNIST", False: "Without replay"}
_EMPTY = (
    "None yet. Draw on the pad, then say under the answer what it was: those drawings are kept "
    "here."
)
RESULT_CSS = """
table { border-collapse: collapse; width: 100%; max-width: 46rem; margin: 0; border: 0;
  font-variant-numeric: tabular-nums; }
th, td { border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important;
  text-align: right; padding: 0.4rem 0.5rem !important; background: none !important;
  font-weight: 400; }
thead th { font-size: 0.8rem; color: var(--body-text-color-subdued); vertical-align: bottom; }
tr > :first-child { text-align: left; padding-left: 0 !important; }
td b { font-weight: 650; }
td small { display: block; font-size: 0.8rem; color: var(--body-text-color-subdued); }
/* Small, so that vermilion alone would be too pale. */
.lost { color: color-mix(in srgb, var(--foundry-wrong) 75%, var(--body-text-color)) !important; }
.won { color: var(--foundry-right) !important; }
p { margin: 0.6rem 0 0; }
button { margin: 0; min-height: 32px; padding: 0 0.6rem; font: inherit; font-size: 0.8125rem;
  font-weight: 500; cursor: pointer; border: 1px solid var(--border-color-primary);
  border-radius: var(--button-small-radius); color: var(--button-secondary-text-color);
  background: var(--button-secondary-background-fill); }
button:hover { background: var(--button-secondary-background-fill-hover); }
@media (max-width: 480px) { th, td { padding: 0.35rem 0.25rem !important; font-size: 0.85rem; } }
"""
RESULT_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-run]');
  if (button) trigger('select', {run: button.dataset.run});
});
"""


class Outcome(NamedTuple):
    """One network that has learned.

    Attributes:
        run_id: Of the run that it is kept as.
        scores: How it does.
    """

    run_id: str
    scores: Scores


def board_html(collection: Collection) -> str:
    """Return HTML: each class with its drawings, and a button to remove each.

    Args:
        collection: The visitor's.
    """
    if not collection.drawings:
        return f'<p class="hint">{_EMPTY}</p>'
    parts = []
    for label in (*DIGITS, *collection.own_classes):
        own = [drawing for drawing in collection.drawings if drawing.label == label]
        if not own:
            continue
        count = counted(len(own), "drawing")
        pictures = [
            Picture(
                one.digest,
                png_url(Image.fromarray(255 - collection.read_image(one.digest))),
                bool(one.is_held_out),
            )
            for one in own
        ]
        parts.append(class_html(label, f"<span>{count}</span>", "", pictures))
    if any(drawing.is_held_out for drawing in collection.drawings):
        parts.append(aside_note())
    return "".join(parts)


def chart_json(events: Mapping[bool, Sequence[HandEvent]], before: float) -> str:
    """Return what the chart shows: MNIST's digits read right while each network learns.

    Args:
        events: By whether MNIST was replayed.
        before: Share read right at the start, in [0, 1].
    """
    curves = [
        Curve(
            TITLES[has_replay],
            BLUE if has_replay else VERMILION,
            [(0, 100 * before), *((100 * one.share, 100 * one.sample_accuracy) for one in own)],
        )
        for has_replay, own in events.items()
    ]
    lowest = min(y for curve in curves for _, y in curve.points if y is not None)
    axis = [max(0.0, min(90.0, 10 * (lowest // 10))), 100]
    return render_lines(curves, [0, 100], axis, "%", x_title="Done (%)")


def result_html(before: Scores, outcomes: Mapping[bool, Outcome]) -> str:
    """Return HTML: how the network did before, and how it does with replay and without.

    Args:
        before: How it did.
        outcomes: By whether MNIST was replayed; those that are there yet.
    """
    rows = [_row("As it was", before, before, "")]
    for has_replay, outcome in outcomes.items():
        button = f'<button type="button" data-run="{escape(outcome.run_id)}">Draw with it</button>'
        rows.append(_row(TITLES[has_replay], outcome.scores, before, button))
    return (
        '<table><thead><tr><th scope="col"></th><th scope="col">MNIST’s test digits read right'
        '</th><th scope="col">Your drawings set aside read right</th><th scope="col"></th></tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table>{_conclude(before, outcomes)}"
    )


def _row(title: str, scores: Scores, before: Scores, button: str) -> str:
    lost = 100 * (scores.mnist - before.mnist)
    change = own_change = ""
    if scores is not before:
        style = ' class="lost"' if lost < -100 * _NOTICEABLE else ""
        change = f"<small{style}>{lost:+.2f} points</small>"
        won = scores.own - before.own
        style = ' class="won"' if won > 0 else ' class="lost"' if won < 0 else ""
        own_change = f"<small{style}>{won:+d}</small>"
    return (
        f'<tr><th scope="row">{title}</th><td><b>{scores.mnist:.2%}</b>{change}</td>'
        f"<td><b>{scores.own} of {scores.num_own}</b>{own_change}</td><td>{button}</td></tr>"
    )


def _conclude(before: Scores, outcomes: Mapping[bool, Outcome]) -> str:
    if len(outcomes) < 2:
        return ""
    lost = {
        has_replay: 100 * (before.mnist - one.scores.mnist) for has_replay, one in outcomes.items()
    }
    if lost[False] > 100 * _NOTICEABLE:
        said = (
            f"Without replay it forgets: {lost[False]:.2f} points of MNIST are lost, for "
            f"{max(0.0, lost[True]):.2f} with replay. It saw as many images, but only yours."
        )
    else:
        said = (
            "This time it forgot next to nothing without replay, either: your drawings are close "
            "to MNIST's."
        )
    few = ""
    if before.num_own < 20:
        few = (
            f"<p>With {counted(before.num_own, 'drawing')} set aside, chance plays a large part: "
            "more drawings make the last figure worth more.</p>"
        )
    return f'<p role="status">{said}</p>{few}'
