"""What every file becomes: rows of strings under named columns, and notes on how they were read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from foundry.errors import InputError

MAX_FILE_BYTES = 32_000_000
MAX_ROWS = 100_000
# Short rows are filled up, so a wide one costs as much as all the rows below it.
MAX_COLUMNS = 256
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
LINES_COLUMN = "text"

# Column names that say which column holds the texts.
TEXT_COLUMNS = ("text", "sentence", "review", "comment", "message", "content", "body", "tweet")
# A link, or one word with a figure in it, such as a number, a date or an identifier.
_NO_TEXT = re.compile(r"\s*(?:\w+://\S+|(?=\S*\d)[\w.:/@+-]+)\s*", re.ASCII)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Lines named in a sentence; the CSV has them all.
_MAX_LINES_NAMED = 6


@dataclass(frozen=True)
class Note:
    """Something that was left out or repaired.

    Attributes:
        line: Where in the file, from 1; the row in a workbook. 0 for the whole file.
        what: What it was and what became of it.
        count: How many of them.
        last_line: Where they end.
    """

    line: int
    what: str
    count: int = 1
    last_line: int = 0

    @property
    def lines(self) -> str:
        """The line, or the first and the last of several."""
        return f"{self.line}–{self.last_line}" if self.last_line > self.line else f"{self.line}"


@dataclass(frozen=True)
class TextTable:
    """Rows of strings under named columns.

    Attributes:
        columns: The names, each once, never empty.
        rows: One tuple for each row, as long as `columns`.
        encoding: What the bytes were read as.
        has_header: Whether the names are the file's own.
        lines: The line of the file on which each row begins.
        notes: What was left out or repaired, in the order of the file.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = "utf-8"
    has_header: bool = True
    lines: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()

    def column(self, name: str) -> list[str]:
        """Give the cells of one column.

        Args:
            name: The column; "" takes the one that most likely holds the texts.

        Returns:
            One string for each row.

        Raises:
            InputError: If there is no such column; names those there are.
        """
        chosen = name or guess_text_column(self)
        if chosen not in self.columns:
            raise InputError(
                f"The file has no column named {chosen!r}. Its columns are: "
                f"{', '.join(self.columns)}."
            )
        position = self.columns.index(chosen)
        return [row[position] for row in self.rows]

    def row_notes(self) -> list[str]:
        """Say for each row what was repaired in it or left out before it.

        Returns:
            A string for each row, "" for most. What was left out after the last row is with it.
        """
        told: list[list[Note]] = [[] for _ in self.rows]
        index = 0
        for note in self.notes:
            while index < len(self.rows) - 1 and self.lines[index] < note.line:
                index += 1
            told[index].append(note)
        return [" ".join(_tell([note]) for note in notes) for notes in told]

    def summarize_notes(self) -> list[str]:
        """Say what was left out or repaired, a sentence for each kind, with the first lines."""
        ordered = sorted(self.notes, key=lambda note: note.what)
        return [_tell(list(notes)) for _, notes in groupby(ordered, key=lambda note: note.what)]


def _tell(notes: Sequence[Note]) -> str:
    lines = [note.lines for note in notes[:_MAX_LINES_NAMED] if note.line]
    lines += ["…"] * (len(notes) > _MAX_LINES_NAMED)
    where = f" (line {', '.join(lines)})" if lines else ""
    return f"{sum(note.count for note in notes):,} × {notes[0].what}{where}."


def unknown_file(file_name: str) -> InputError:
    """Make the error for a file of another kind than its name says or than is read.

    Args:
        file_name: For the sentence.
    """
    return InputError(
        f"{file_name} is not a CSV, TSV or TXT file, nor an XLSX workbook that can be read."
    )


def check_width(num_columns: int, file_name: str) -> None:
    """Refuse a row that is too wide.

    Args:
        num_columns: Its cells.
        file_name: For the sentence.

    Raises:
        InputError: If there are more than `MAX_COLUMNS`.
    """
    if num_columns > MAX_COLUMNS:
        raise InputError(
            f"{file_name} has {num_columns:,} columns and at most {MAX_COLUMNS} are read. Keep the "
            "one with the texts."
        )


def guess_text_column(table: TextTable) -> str:
    """Pick the column that most likely holds the texts.

    Args:
        table: The table.

    Returns:
        A column with a telling name if there is one, otherwise that with the longest cells, links
        and identifiers not counted.
    """
    for wanted in TEXT_COLUMNS:
        for name in table.columns:
            if name.strip().lower() == wanted:
                return name
    lengths = [
        (sum(len(cell) for cell in cells if not _NO_TEXT.fullmatch(cell)), sum(map(len, cells)))
        for cells in zip(*table.rows, strict=True)
    ]
    return table.columns[lengths.index(max(lengths))] if lengths else table.columns[0]


def name_columns(header: Sequence[str], width: int) -> tuple[str, ...]:
    """Give every column a name of its own.

    Args:
        header: The names in the file; empty and missing ones are made up.
        width: How many columns there are.
    """
    if not header and width == 1:
        return (LINES_COLUMN,)
    names: list[str] = []
    for position in range(width):
        name = header[position].strip() if position < len(header) else ""
        name = name or f"column {position + 1}"
        while name in names:
            name += " (again)"
        names.append(name)
    return tuple(names)
