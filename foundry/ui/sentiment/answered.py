"""The table of many answered texts: by answer and by confidence, the least certain ones first."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from foundry.sentiment.review import AnsweredTexts, Choice, choose_rows
from foundry.ui.page.feedback import LATEST

_MAX_ROWS_SHOWN = 200
# A column for each; with more labels the table has the answer alone.
_MAX_LABELS_SHOWN = 10


@dataclass(frozen=True)
class AnsweredView:
    """The components of this part.

    Attributes:
        answered: What was scored; None before anything was.
        part: All that is seen of it.
        labels: Only these answers.
        least: Lowest confidence, in percent.
        most: Highest confidence, in percent.
        doubt: Whether the least certain come first.
        table: The rows chosen.
        note: How many they are.
    """

    answered: gr.State
    part: gr.Column
    labels: gr.Dropdown
    least: gr.Slider
    most: gr.Slider
    doubt: gr.Checkbox
    table: gr.Dataframe
    note: gr.Markdown

    def knobs(self) -> list[Any]:
        """Return what `on_pick()` takes, in its order."""
        return [self.answered, self.labels, self.least, self.most, self.doubt]

    def outputs(self) -> list[Any]:
        """Return what `on_answered()` fills, in its order."""
        return [self.labels, self.least, self.most, self.table, self.note]


def on_answered(answered: AnsweredTexts | None, is_doubt_first: bool = True) -> list[Any]:
    """Show what was just scored, whatever was chosen of the table before.

    Args:
        answered: The texts with their answers; None if there are none.
        is_doubt_first: Whether the least certain come first.

    Returns:
        The three filters as they are at first, the table, and a note on it.
    """
    if answered is None:
        return [gr.skip()] * 5
    filters = [gr.Dropdown(choices=list(answered.labels), value=[]), 0, 100]
    return [*filters, *on_pick(answered, [], 0, 100, is_doubt_first)]


def on_pick(
    answered: AnsweredTexts | None,
    labels: list[str] | None,
    least: float | None,
    most: float | None,
    is_doubt_first: bool,
) -> list[Any]:
    """Show some of the rows.

    Args:
        answered: The texts with their answers; None if there are none.
        labels: Only these answers; none for all.
        least: Lowest confidence, in percent.
        most: Highest confidence, in percent.
        is_doubt_first: Whether the least certain come first.

    Returns:
        The table and a note on it.
    """
    if answered is None:
        return [gr.skip()] * 2
    # A number that was cleared sets no limit.
    lowest, highest = (least or 0) / 100, (100 if most is None else most) / 100
    choice = Choice(labels or (), lowest, highest, is_doubt_first)
    chosen, num_found = choose_rows(answered, choice, _MAX_ROWS_SHOWN)
    shown = answered.labels if len(answered.labels) <= _MAX_LABELS_SHOWN else ()
    rows = []
    for row in chosen:
        index, probs = int(answered.indices[row]), answered.probs[row]
        problem, answers = answered.problems.get(index, ""), [""] * (1 + len(shown))
        if not problem:
            best = answered.labels[probs.argmax()]
            answers = [best, *(f"{prob:.1%}" for prob in probs[: len(shown)])]
        rows.append([str(index + 1), answered.texts[index], *answers, problem])
    headers = ["row", "text", "answer", *shown, "problem"]
    widths = [70, 360, 120, *[100] * len(shown), 280]
    if not any(row[-1] for row in rows):
        headers, rows, widths = headers[:-1], [row[:-1] for row in rows], widths[:-1]
    return [
        gr.Dataframe(rows, headers=headers, column_widths=widths, visible=bool(rows)),
        _table_note(len(rows), num_found, len(answered.indices)),
    ]


def _table_note(num_shown: int, num_found: int, num_rows: int) -> str:
    if not num_found:
        return f"No row fits; the CSV has all {num_rows:,}."
    if num_shown < num_found:
        return f"The first {num_shown} of {num_found:,} rows; the CSV has all {num_rows:,}."
    if num_found < num_rows:
        return f"{num_found:,} of {num_rows:,} rows; the CSV has them all."
    return ""


def build_answered_view() -> AnsweredView:
    """Build the part, hidden until there is something to show."""
    with gr.Column(visible=False) as part:
        with gr.Row(elem_classes="knobs"):
            labels = gr.Dropdown(
                [], multiselect=True, label="Only these answers", elem_id="sentiment-only"
            )
            # On a phone one below the other: two would have no room for their labels.
            least = gr.Slider(0, 100, 0, step=1, label="At least this sure (%)", min_width=200)
            most = gr.Slider(0, 100, 100, step=1, label="At most this sure (%)", min_width=200)
            doubt = gr.Checkbox(
                True, label="Least certain rows first", min_width=200, elem_id="sentiment-doubt"
            )
        table = gr.Dataframe(
            interactive=False,
            show_label=False,
            wrap=True,
            visible=False,
            max_height=420,
            elem_classes="notranslate",
            elem_id="sentiment-table",
        )
        note = gr.Markdown(elem_classes="foundry-note")
    view = AnsweredView(gr.State(None), part, labels, least, most, doubt, table, note)
    gr.on(
        [labels.input, least.release, most.release, doubt.input],
        on_pick,
        view.knobs(),
        [table, note],
        **LATEST,
    )
    return view
