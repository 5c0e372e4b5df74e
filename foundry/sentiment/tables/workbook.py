"""XLSX -> rows of cells."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time
from itertools import islice, zip_longest
from typing import Any

from foundry.errors import InputError
from foundry.sentiment.tables.rows import Row
from foundry.sentiment.tables.table import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    Note,
    check_width,
    unknown_file,
)

# Rows that a worksheet can have; a file may claim any number.
_MAX_SHEET_ROWS = 1_048_576
_MAX_ABOVE = 20
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
# How XML holds control characters, such as those that end a line, and the underscore before what
# would look like one. Source: ISO/IEC 29500-1, 22.9.2.19.
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_SHEET = "further sheet, left out: “{}” was read"
_UNCALCULATED = "formula without a value, left empty"


def read_workbook(data: bytes, file_name: str) -> tuple[list[Row], list[Note]]:
    """Read the first worksheet that has something in it.

    Args:
        data: The file's bytes.
        file_name: Its name, for sentences.

    Returns:
        Its rows, each with the same number of cells, empty ones left out but for their place in
        `line`; and notes on what was left out.

    Raises:
        InputError: If it is not a workbook, or too much comes out of it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # What is read later is cut off at the sizes stated here.
            num_bytes = sum(member.file_size for member in archive.infolist())
            if num_bytes > MAX_FILE_BYTES:
                raise InputError(
                    f"{file_name} unpacks to {num_bytes / 1e6:.0f} MB; at most "
                    f"{MAX_FILE_BYTES / 1e6:.0f} MB are read. Save the sheet as CSV, or split it."
                )
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            has_formulas = any(_FORMULA.search(archive.read(name)) for name in sheets)
        with _open(data, is_calculated=True) as book:
            found = _find_sheet(book, file_name)
        if found is None:
            raise InputError(f"{file_name} is empty.")
        title, rows, num_left_out = found
        notes = [Note(0, _SHEET.format(title), num_left_out)] if num_left_out else []
        if has_formulas:
            with _open(data, is_calculated=False) as book:
                notes += _find_uncalculated(rows, book[title])
    except InputError:
        raise
    except Exception as error:  # A damaged file can fail anywhere in the library.
        raise unknown_file(file_name) from error
    width = max(len(row.cells) for row in rows)
    return [replace(row, cells=_pad(row.cells, width)) for row in rows], notes


@contextmanager
def _open(data: bytes, is_calculated: bool) -> Iterator[Any]:
    """Open a workbook with the values that its program left, or with its formulas."""
    # Half a second, and most visitors bring none.
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=is_calculated)
    try:
        yield book
    finally:
        book.close()


def _find_sheet(book: Any, file_name: str) -> tuple[str, list[Row], int] | None:
    """Return the name and the rows of the sheet to read, and how many more there are with cells."""
    sheets = iter(sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible"))
    for sheet in sheets:
        # With its titles and its header no table has more that is of use.
        rows = []
        for row in islice(_iterate_rows(sheet), MAX_ROWS + _MAX_ABOVE):
            # Before there are more: one cell far to the right makes a row of thousands.
            check_width(len(row.cells), file_name)
            rows.append(row)
        if rows:
            return sheet.title, rows, sum(any(_iterate_rows(more)) for more in sheets)
    return None


def _find_uncalculated(rows: Sequence[Row], sheet: Any) -> list[Note]:
    """Find the formulas of which the program that wrote the file left no value."""
    values = {row.line: row.cells for row in rows}
    notes = []
    for row in islice(_iterate_rows(sheet), MAX_ROWS + _MAX_ABOVE):
        pairs = zip_longest(row.cells, values.get(row.line, ()), fillvalue="")
        if count := sum(bool(formula) and not value for formula, value in pairs):
            notes.append(Note(row.line, _UNCALCULATED, count))
    return notes


def _iterate_rows(sheet: Any) -> Iterator[Row]:
    # Sizes that a file states itself may be wrong, and rows are filled up to them.
    sheet.reset_dimensions()
    for line, values in enumerate(islice(sheet.iter_rows(values_only=True), _MAX_SHEET_ROWS), 1):
        cells = [_write_cell(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield Row(line, tuple(cells))


def _pad(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return cells + ("",) * (width - len(cells))


def _write_cell(value: Any) -> str:
    """Write a cell as a CSV would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), str(value)).replace("\r\n", "\n")
