"""Rows of cells -> a table, with a note for whatever was left out or repaired."""

from collections.abc import Iterable, Sequence

from foundry.errors import InputError
from foundry.sentiment.tables.dialect import Layout
from foundry.sentiment.tables.rows import Row
from foundry.sentiment.tables.table import (
    MAX_ROWS,
    REPLACEMENT,
    Note,
    TextTable,
    check_width,
    name_columns,
)

_ABOVE = "row above the table, left out"
_EMPTY = "empty row, left out"
_SHORT = "row with too few cells, filled with empty ones"
_LONG = "row with too many cells, which have columns of their own"
_JOINED = "row with delimiters in its text, put together again"
_DAMAGED = f"sign that cannot be read, shown as {REPLACEMENT}"


def assemble(
    rows: Iterable[Row],
    layout: Layout,
    file_name: str = "",
    encoding: str = "utf-8",
    notes: Sequence[Note] = (),
) -> TextTable:
    """Make a table of rows.

    Args:
        rows: In the order of the file.
        layout: Where the table begins, and how.
        file_name: For sentences.
        encoding: What the file was read as.
        notes: On what was left out before.

    Returns:
        The table, with notes on what was left out and repaired here as well.

    Raises:
        InputError: If no row has text, or there are too many rows or columns.
    """
    told, empty = list(notes), list[Row]()
    header: tuple[str, ...] | None = None
    kept: list[tuple[str, ...]] = []
    lines: list[int] = []
    width = layout.dialect.width
    for row in rows:
        if not any(map(str.strip, row.cells)):
            empty.append(row)
            continue
        # Empty rows at the end of a file are not worth a word.
        told += _note_empty(empty)
        empty = []
        if row.line < layout.first_line:
            told.append(Note(row.line, _ABOVE))
            continue
        check_width(len(row.cells), file_name)
        told += [Note(row.line, row.repair)] if row.repair else []
        num_damaged = sum(cell.count(REPLACEMENT) for cell in row.cells)
        told += [Note(row.line, _DAMAGED, num_damaged)] if num_damaged else []
        if layout.has_header and header is None:
            header, width = row.cells, len(row.cells)
            continue
        cells, repair = _fit(row.cells, width, layout.dialect.delimiter)
        told += [Note(row.line, repair)] if repair else []
        kept.append(cells)
        lines.append(row.line)
        if len(kept) > MAX_ROWS:
            raise InputError(
                f"There are more than {MAX_ROWS:,} rows, the most that are scored at once. Split "
                "the file into several."
            )
    if not kept and header is None and file_name:
        raise InputError(f"{file_name} is empty.")
    if not kept:
        raise InputError("There is no row with text to score.")
    width = max(width, *map(len, kept))
    padded = tuple(cells + ("",) * (width - len(cells)) for cells in kept)
    return TextTable(
        name_columns(header or (), width),
        padded,
        encoding,
        header is not None,
        tuple(lines),
        tuple(sorted(told, key=lambda note: note.line)),
    )


def _note_empty(rows: Sequence[Row]) -> list[Note]:
    """Make one note of neighbouring empty rows."""
    if not rows:
        return []
    count = sum(row.num_lines for row in rows)
    return [Note(rows[0].line, _EMPTY, count, rows[0].line + count - 1)]


def _fit(cells: tuple[str, ...], width: int, delimiter: str) -> tuple[tuple[str, ...], str]:
    """Give a row as many cells as there are columns, if that loses nothing."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) < width:
        return cells, _SHORT
    if len(cells) == width:
        return cells, ""
    # In a text a space follows such a sign, between cells none does.
    joined = [cells[0]]
    for cell in cells[1:]:
        if cell.startswith(" "):
            joined[-1] += delimiter + cell
        else:
            joined.append(cell)
    return (tuple(joined), _JOINED) if len(joined) == width else (cells, _LONG)
