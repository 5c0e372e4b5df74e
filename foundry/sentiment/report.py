"""Scores of many texts -> rows for a table and a CSV file."""

from collections.abc import Sequence
from pathlib import Path

from foundry.sentiment.scoring import ScoredText
from foundry.sentiment.tables import TextTable, format_csv

Cell = str | float | int


def report_columns(table: TextTable, labels: Sequence[str]) -> list[str]:
    """Name the columns of `report_rows()`: the row's number, the table's own, and the answers.

    Args:
        table: What was scored.
        labels: The model's labels.
    """
    return ["row", *table.columns, "predicted_label", *(f"prob_{x}" for x in labels), "problem"]


def report_rows(
    table: TextTable, labels: Sequence[str], scored: Sequence[ScoredText]
) -> list[list[Cell]]:
    """Put answers beside the rows they belong to, in the order of the table.

    Args:
        table: What was scored.
        labels: The model's labels.
        scored: Any number of its texts, in any order.

    Returns:
        A row for each scored text; probabilities have six decimals, and are empty, as the label
        is, where there is a problem.
    """
    rows: list[list[Cell]] = []
    for text in sorted(scored, key=lambda text: text.index):
        answers: list[Cell] = [""] * (1 + len(labels))
        if text.score:
            probs = (round(text.score.probs[label], 6) for label in labels)
            answers = [text.score.label, *probs]
        rows.append([text.index + 1, *table.rows[text.index], *answers, text.problem])
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
    text = format_csv(report_columns(table, labels), report_rows(table, labels, scored))
    # With the mark, or Excel misreads other alphabets.
    path.write_text(text, encoding="utf-8-sig", newline="")
    return path
