"""Scores of many texts -> rows for a table and a CSV file."""

from collections.abc import Sequence
from pathlib import Path

from foundry.data.spreadsheets import write_csv
from foundry.sentiment.scoring import ScoredText
from foundry.sentiment.tables import TextTable

Cell = str | float | int


def report_columns(table: TextTable, labels: Sequence[str]) -> list[str]:
    """Name the columns of `report_rows()`: the row's number, the table's own, and the answers.

    Args:
        table: What was scored.
        labels: The model's labels.
    """
    probs = [f"prob_{label}" for label in labels]
    details = ["problem", "num_unknown", "num_pieces", "note"]
    return ["row", *table.columns, "predicted_label", *probs, *details]


def report_rows(
    table: TextTable, labels: Sequence[str], scored: Sequence[ScoredText]
) -> list[list[Cell]]:
    """Put answers beside the rows they belong to, in the order of the table.

    Args:
        table: What was scored.
        labels: The model's labels.
        scored: Any number of its texts, in any order.

    Returns:
        A row for each scored text; probabilities have six decimals. Where there is a problem, they
        and the label are empty. The note is what was repaired in the row or left out before it.
    """
    rows: list[list[Cell]] = []
    notes = table.row_notes()
    for text in sorted(scored, key=lambda text: text.index):
        answers: list[Cell] = [""] * (1 + len(labels))
        counts: list[Cell] = ["", ""]
        if text.score:
            counts = [text.score.num_unknown, text.score.num_pieces]
        if text.score and not text.problem:
            probs = (round(text.score.probs[label], 6) for label in labels)
            answers = [text.score.label, *probs]
        cells = [text.index + 1, *table.rows[text.index], *answers, text.problem]
        rows.append([*cells, *counts, notes[text.index]])
    return rows


def write_report(
    table: TextTable, labels: Sequence[str], scored: Sequence[ScoredText], path: Path
) -> Path:
    """Write the answers as CSV that a spreadsheet opens safely.

    Args:
        table: What was scored.
        labels: The model's labels.
        scored: Any number of its texts, in any order.
        path: Where to.

    Returns:
        The path.
    """
    return write_csv(path, report_columns(table, labels), report_rows(table, labels, scored))
