"""A table -> CSV that a spreadsheet opens safely."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

# What a spreadsheet takes for the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


# No formula, whatever it begins with.
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?", re.ASCII)


def format_csv(columns: Sequence[str], rows: Iterable[Sequence[str | float | int]]) -> str:
    """Write a table that is safe to open in a spreadsheet.

    Args:
        columns: Names of the columns.
        rows: The cells. Numbers are written as they are; a string that a spreadsheet would run as
            a formula gets an apostrophe in front, which shows it as text.

    Returns:
        The CSV, with commas and CRLF.

    Source:
        OWASP, CSV Injection.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([_neutralize(name) for name in columns])
    writer.writerows([_neutralize(cell) for cell in row] for row in rows)
    return file.getvalue()


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | float | int]]
) -> Path:
    """Write a table into a file that a spreadsheet opens safely.

    Args:
        path: Where to.
        columns: As `format_csv()` takes them.
        rows: As `format_csv()` takes them.

    Returns:
        The path.
    """
    # With the mark, or Excel misreads other alphabets.
    path.write_text(format_csv(columns, rows), encoding="utf-8-sig", newline="")
    return path


def _neutralize(cell: str | float | int) -> str | float | int:
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell.strip(" ")):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell
