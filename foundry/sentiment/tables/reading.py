"""Files and pasted lines of texts to score."""

import re
from collections.abc import Iterator
from dataclasses import replace

from foundry.errors import InputError
from foundry.sentiment.tables.assembly import assemble
from foundry.sentiment.tables.decoding import decode
from foundry.sentiment.tables.dialect import Layout, find_layout, find_separator_line, guess_layout
from foundry.sentiment.tables.rows import Dialect, Row, iterate_rows
from foundry.sentiment.tables.table import (
    MAX_FILE_BYTES,
    SUFFIXES,
    Note,
    TextTable,
    unknown_file,
)
from foundry.sentiment.tables.workbook import read_workbook

# Between what `str.splitlines` takes for line ends.
_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NOTHING = re.compile(r"[\s,;|]*+")
_ZIP = b"PK\x03\x04"
# Of Microsoft's compound files, in which encrypted workbooks of the new kind are, too.
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SEPARATOR = "line that names the delimiter, left out"
_AS_LINES = Layout(Dialect("", width=1), first_line=1, has_header=False, is_certain=True)


def read_lines(text: str) -> TextTable:
    """Take pasted text as one text a line.

    Args:
        text: What a visitor pasted.

    Returns:
        A table with the one column `text`; empty lines are left out.

    Raises:
        InputError: If there is no line with text, or there are too many.
    """
    return assemble(_iterate_lines(text), _AS_LINES)


def read_table(
    data: bytes, file_name: str, header: bool | None = None, wanted: str = ""
) -> TextTable:
    """Read an uploaded CSV, TSV, TXT or XLSX file.

    What the suffix says is only a hint: commas, semicolons, tabs and bars are tried in all of them,
    and a workbook is known by its first bytes. A TXT file that is certainly no table is one text a
    line.

    Args:
        data: The file's bytes.
        file_name: Its name; the suffix says what it is.
        header: Whether the first row names the columns; None finds out.
        wanted: A column that is asked for by its name, which speaks for a header.

    Returns:
        The table. Short rows are filled with empty cells, and rows of empty cells left out; its
        notes tell which.

    Raises:
        InputError: If it is not such a file, is empty, damaged or too large; says which.
    """
    if data.startswith(_OLD_WORKBOOK):
        raise InputError(
            f"{file_name} is a workbook of the old kind (XLS) or has a password. Save it as XLSX "
            "or CSV without one."
        )
    suffix = next((end for end in SUFFIXES if file_name.lower().endswith(end)), None)
    if suffix is None:
        raise unknown_file(file_name)
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"{file_name} has {len(data) / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are "
            "read. Split it into several files."
        )
    if not data.strip():
        raise InputError(f"{file_name} is empty.")
    if data.startswith(_ZIP):
        sheet, notes = read_workbook(data, file_name)
        layout = _as_told(find_layout(sheet, wanted), header)
        return assemble(sheet, layout, file_name, "XLSX", notes)

    text, encoding = decode(data, file_name)
    # Byte-order marks and the wide spaces of other alphabets are not empty as bytes.
    if _NOTHING.fullmatch(text):
        raise InputError(f"{file_name} is empty.")
    notes, delimiter = [], ""
    if separator := find_separator_line(text):
        text, delimiter = text[separator.end() :], separator[1]
        notes.append(Note(1, _SEPARATOR))
    first_line = 1 + len(notes)
    layout = guess_layout(text, delimiter, wanted, first_line)
    if suffix == ".txt" and not (layout.is_certain or separator):
        return assemble(_iterate_lines(text), _as_told(_AS_LINES, header), file_name, encoding)
    rows = iterate_rows(text, layout.dialect, first_line)
    return assemble(rows, _as_told(layout, header), file_name, encoding, notes)


def _as_told(layout: Layout, header: bool | None) -> Layout:
    """Put a visitor's word on the header before what was found out."""
    if header is None or header == layout.has_header:
        return layout
    # Without a header nothing is above the table.
    return replace(layout, has_header=header, first_line=1)


def _iterate_lines(text: str) -> Iterator[Row]:
    """Yield what stands on lines that are not empty, without a list of all of them."""
    line, position = 1, 0
    for found in _LINE.finditer(text):
        gap = text[position : found.start()]
        line += max(gap.count("\n"), min(1, len(gap)))
        position = found.end()
        if content := found[0].strip():
            yield Row(line, (content,))
