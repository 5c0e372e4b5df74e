"""Finding out how a text is a table: every dialect is tried, the most consistent one is kept."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from foundry.sentiment.tables.header import (
    USUAL_NAMES,
    has_measures,
    judge_header,
    looks_like_names,
)
from foundry.sentiment.tables.rows import Dialect, Row, iterate_rows

# In the order in which they are believed: texts have commas in them, and hardly ever tabs.
_DELIMITERS = "\t;|,"
# Enough to see what is usual.
_SAMPLE_CHARACTERS, _SAMPLE_ROWS = 64_000, 500
# Above a table there may be so many lines with its title.
_MAX_TITLE_ROWS = 10
_MIN_CONSISTENCY = 0.75
# Of delimiters with a space after them.
_PROSE_SHARE = 0.9
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a text is a table, and where it begins.

    Attributes:
        dialect: How lines become rows.
        first_line: Where the table begins, below titles.
        has_header: Whether the first row names the columns.
        is_certain: Whether more speaks for a table than a delimiter here and there.
    """

    dialect: Dialect
    first_line: int
    has_header: bool
    is_certain: bool


def find_separator_line(text: str) -> re.Match[str] | None:
    """Find the line that tells Excel the delimiter, which is its group 1.

    Args:
        text: The whole text.
    """
    return _SEPARATOR_LINE.match(text)


def guess_layout(text: str, delimiter: str = "", wanted: str = "", line: int = 1) -> Layout:
    """Find out how a text is a table.

    Args:
        text: The text.
        delimiter: Stands between cells; "" if that is to be found out.
        wanted: A column that somebody asks for by its name.
        line: The number of its first line.

    Returns:
        The most consistent layout; that of one column if none with several is.

    Source:
        DuckDB's CSV sniffer: parse a sample in every dialect, keep the one in which most rows have
        the same number of columns, and see whether the first row differs from the others.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    tried = [
        _measure(
            _read_sample(sample, len(text), dialect, line), dialect, wanted, is_told=bool(delimiter)
        )
        for between in ["", *(delimiter or _DELIMITERS)]
        for dialect in (Dialect(between), Dialect(between, escapes=True))
        if not dialect.escapes or "\\" in sample
    ]
    # Of equals the first.
    return max(tried, key=lambda one: one[0])[1]


def find_layout(rows: Iterable[Row], wanted: str = "") -> Layout:
    """Find out where the table begins among rows that are cut already.

    Args:
        rows: In order.
        wanted: A column that somebody asks for by its name.
    """
    some = [row for row in islice(rows, _SAMPLE_ROWS) if row.cells]
    return _measure(some, Dialect(""), wanted, is_told=True)[1]


def _read_sample(sample: str, num_characters: int, dialect: Dialect, line: int) -> list[Row]:
    rows = [row for row in islice(iterate_rows(sample, dialect, line), _SAMPLE_ROWS) if row.cells]
    # The last may be half a row.
    return rows[:-1] if len(sample) < num_characters and len(rows) > 1 else rows


def _measure(
    rows: Sequence[Row], dialect: Dialect, wanted: str, is_told: bool
) -> tuple[tuple[bool, bool, float, int], Layout]:
    """Return how good a dialect is, the better the greater, and its layout."""
    num_titles, verdict = _find_header([row.cells for row in rows], wanted)
    table = rows[num_titles:]
    cells = [row.cells for row in table]
    num_repairs = sum(bool(row.repair) for row in table)
    width = len(cells[0]) if cells else 0
    columns = [[row[place] for row in cells[1:] if len(row) > place] for place in range(width)]
    measures = tuple(place for place, column in enumerate(columns) if has_measures(column))
    has_header = verdict > 0 or (
        verdict == 0 and len(cells) > 1 and looks_like_names(cells[0], cells[1:])
    )
    consistency = sum(len(row) == width for row in cells) / max(1, len(cells))
    is_named = width > 1 and verdict > 0
    is_table = width > 1 and (
        is_named
        or is_told
        or (_is_deliberate(table, measures) and (consistency >= _MIN_CONSISTENCY or width > 2))
    )
    layout = Layout(
        replace(dialect, width=width, measures=measures),
        first_line=table[0].line if table else 1,
        has_header=has_header,
        is_certain=is_named if width > 1 else verdict > 0,
    )
    if is_table and consistency == 1 and len(cells) > 1:
        layout = replace(layout, is_certain=True)
    return (is_table, is_named, consistency, -num_repairs), layout


def _is_deliberate(table: Sequence[Row], measures: Sequence[int]) -> bool:
    """Tell whether delimiters are more than the punctuation of texts, which a space follows."""
    if measures or any(row.num_quoted for row in table):
        return True
    later = [cell for row in table for cell in row.cells[1:]]
    return sum(cell.startswith(" ") for cell in later) <= _PROSE_SHARE * len(later)


def _find_header(rows: Sequence[Sequence[str]], wanted: str) -> tuple[int, int]:
    """Return how many titles are above the first row of a table, and whether that is a header."""
    num_filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:_MAX_TITLE_ROWS]]
    first = next((place for place, count in enumerate(num_filled) if count > 1), 0)
    titles = {cell.strip().lower() for row in rows[:first] for cell in row}
    # What is above a row that is a header for certain.
    if first and not titles & USUAL_NAMES and judge_header(rows[first], rows[first + 1 :]) > 0:
        return first, 1
    return 0, judge_header(rows[0], rows[1:], wanted) if rows else 0
