"""What came out of a teaching -> HTML and curves; nothing here touches Gradio."""

from collections.abc import Sequence
from html import escape

from foundry.errors import counted
from foundry.photos.teaching.learning import LearnEvent
from foundry.photos.teaching.lessons import Said
from foundry.photos.teaching.outcome import (
    Outcome,
    count_confusions,
    estimate_interval,
    tell_accuracy,
)
from foundry.photos.teaching.projects import Project
from foundry.ui.components.line_chart import Curve, render_lines
from foundry.ui.page.palette import BLUE, ORANGE
from foundry.ui.photos.teach.board import picture_url

RESULT_CSS = """
.versus { display: grid; gap: 0.3rem 0.8rem; align-items: center;
  grid-template-columns: max-content minmax(0, 1fr); margin-bottom: 0.8rem; }
.versus b { font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.versus .what { font-weight: 600; }
.versus .told { grid-column: 1 / -1; font-size: 0.9rem; margin-bottom: 0.4rem;
  color: var(--body-text-color-subdued); }
.track { position: relative; height: 14px; border-radius: 3px;
  background: var(--border-color-primary); }
.fill { height: 100%; border-radius: 3px; background: var(--foundry-blue); }
.scratch .fill { background: var(--foundry-orange); }
.reach { position: absolute; top: 5px; height: 4px; border-radius: 2px;
  background: var(--body-text-color); opacity: 0.6; }
p { margin: 0 0 0.5rem; }
.matrix { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 2px; }
th { font-weight: 600; font-size: 0.8rem; text-align: right; padding: 0 0.4rem;
  max-width: 9rem; overflow-wrap: anywhere; }
thead th { text-align: center; padding: 0 0.2rem; }
td { padding: 0; min-width: 2.6rem; }
caption { caption-side: bottom; text-align: left; font-size: 0.85rem; padding-top: 0.3rem;
  color: var(--body-text-color-subdued); }
td button { width: 100%; min-height: 30px; border: 0; border-radius: 4px; cursor: pointer;
  font: inherit; font-size: 0.8rem; background: none; color: var(--body-text-color-subdued); }
td button.right { background: var(--foundry-blue); color: white; }
td button.wrong { background: #d55e00; color: white; }
td button[aria-pressed=true] { outline: 3px solid var(--body-text-color); }
"""
RESULT_JS = """
element.addEventListener('click', (event) => {
  const cell = event.target.closest('button[data-row]');
  if (!cell) return;
  for (const one of element.querySelectorAll('button[data-row]'))
    one.setAttribute('aria-pressed', one === cell);
  trigger('select', {row: Number(cell.dataset.row), column: Number(cell.dataset.column)});
});
"""
CELL_CSS = """
p { margin: 0 0 0.4rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 6px; }
.pictures img { width: 84px; height: 84px; border-radius: var(--radius-md); }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; }
"""


def result_html(outcome: Outcome) -> str:
    """Return HTML: both accuracies with their intervals, what was forgotten, what it confuses.

    Args:
        outcome: Of the last teaching.
    """
    num_all = len(outcome.checked)
    pretrained = _bar("With the pretrained network", outcome.num_right, num_all, "")
    scratch = _bar("From scratch", outcome.num_right_from_scratch, num_all, " scratch")
    took = (
        f"Learned from {outcome.num_learned} pictures in {outcome.elapsed_s:.1f} s; from scratch "
        f"in {outcome.scratch_s:.1f} s."
    )
    return (
        f'<div class="versus" role="status">{pretrained}{scratch}</div>'
        f"<p>{took}</p>{_remembered(outcome)}{_matrix(outcome)}"
    )


def _bar(what: str, num_right: int, num_all: int, style: str) -> str:
    low, high = estimate_interval(num_right, num_all)
    share = num_right / num_all
    return (
        f'<span class="what">{what}</span><b>{share:.0%}</b>'
        f'<div class="told{style}"><div class="track">'
        f'<div class="fill" style="width:{share:.1%}"></div>'
        f'<div class="reach" style="left:{low:.1%};width:{high - low:.1%}"></div></div>'
        f"<span>{tell_accuracy(num_right, num_all)}</span></div>"
    )


def _remembered(outcome: Outcome) -> str:
    kept = outcome.remembered
    if kept is None:
        return ""
    how = (
        "The old examples were learned again."
        if outcome.has_replayed
        else "Only the new examples were learned."
    )
    lost = kept.num_before - kept.num_after
    if lost > 0:
        what = (
            f"Of the earlier classes {kept.num_before} of {counted(kept.num_pictures, 'picture')} "
            f"had been right; now {kept.num_after}: {lost} forgotten."
        )
    else:
        what = (
            f"Of the earlier classes {kept.num_before} of {counted(kept.num_pictures, 'picture')} "
            f"had been right; now {kept.num_after}: nothing was forgotten."
        )
    return f"<p><span>{how}</span> <span>{what}</span></p>"


def _matrix(outcome: Outcome) -> str:
    counts = count_confusions(outcome)
    names = [escape(label) for label in outcome.labels]
    head = "".join(f'<th scope="col" translate="no">{name}</th>' for name in names)
    rows = []
    for row, name in enumerate(names):
        cells = []
        for column, answer in enumerate(names):
            count = counts[row][column]
            style = "" if not count else " class=right" if row == column else " class=wrong"
            cells.append(
                f'<td><button type="button"{style} data-row="{row}" data-column="{column}" '
                f'aria-pressed="false" title="{name} → {answer}">{count}</button></td>'
            )
        rows.append(f'<tr><th scope="row" translate="no">{name}</th>{"".join(cells)}</tr>')
    return (
        '<div class="matrix"><table><caption>Rows: what it is. Columns: what was said. Pictures '
        "set aside; press a number to see them.</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def cell_html(project: Project, row: int, column: int) -> str:
    """Return HTML: the pictures behind a cell of the matrix.

    Args:
        project: With an outcome.
        row: Of the class that they are of.
        column: Of the class that they were taken for.
    """
    outcome = project.outcome
    if outcome is None or not (0 <= row < len(outcome.labels) > column >= 0):
        return ""
    label, answer = outcome.labels[row], outcome.labels[column]
    there = {example.digest for example in project.examples}
    found = [one for one in outcome.checked if (one.label, one.answer) == (label, answer)]
    shown = [picture_url(project.file_of(one.digest)) for one in found if one.digest in there]
    pictures = "".join(f'<img src="{url}" alt="">' for url in shown)
    removed = len(found) - len(shown)
    note = f'<p class="hint">{removed} of them were removed since.</p>' if removed else ""
    return (
        f'<p translate="no"><b>{escape(label)} → {escape(answer)}</b></p>'
        f'<div class="pictures">{pictures}</div>{note}'
    )


def said_html(said: Said) -> str:
    """Return HTML: the class in large, a bar for each, and how close the examples come.

    Args:
        said: Of one picture.
    """
    best = next(iter(said.probs))
    fits = said.label == best
    headline = (
        f'<b translate="no">{escape(best)}</b><span class="sure">{said.probs[best]:.1%} sure</span>'
        if fits
        else "<b>none of these</b>"
    )
    rows = []
    for label, prob in said.probs.items():
        mark = " best" if fits and label == best else ""
        rows.append(
            f'<span class="name{mark}" translate="no">{escape(label)}</span>'
            f'<div class="track"><div class="fill{mark}" style="width:{prob:.2%}"></div></div>'
            f'<span class="share{mark}">{prob:.1%}</span>'
        )
    close = (
        f"Likeness to the closest examples: {said.closeness:.2f}; "
        f"from {said.threshold:.2f} on a class fits."
    )
    return (
        f'<div class="headline" role="status">{headline}</div>'
        f'<div class="bars">{"".join(rows)}</div><p class="hint">{close}</p>'
    )


def chart_json(events: Sequence[LearnEvent]) -> str:
    """Return the chart of a teaching: accuracy on the pictures set aside, over what is done.

    Args:
        events: So far.
    """
    points = {
        stage: [
            (100 * event.share, None if event.val_accuracy is None else 100 * event.val_accuracy)
            for event in events
            if event.stage == stage
        ]
        for stage in ("head", "scratch")
    }
    return render_lines(
        [
            Curve("with the pretrained network", BLUE, points["head"]),
            Curve("from scratch", ORANGE, points["scratch"]),
        ],
        [0, 100],
        [0, 100],
        "%",
        "Percent of the training done",
    )
