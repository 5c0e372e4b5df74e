"""Tables of texts as visitors bring them.

Begin in `reading.py`. `decoding` turns bytes into text, `dialect` finds out how the text is a
table and `header` where it begins, `rows` cuts it into cells, `workbook` does the same for XLSX.
What is left out or repaired is a `Note` with its line.
"""

from foundry.sentiment.tables.reading import read_lines, read_table
from foundry.sentiment.tables.table import (
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_ROWS,
    SUFFIXES,
    Note,
    TextTable,
    guess_text_column,
)

__all__ = [
    "MAX_COLUMNS",
    "MAX_FILE_BYTES",
    "MAX_ROWS",
    "SUFFIXES",
    "Note",
    "TextTable",
    "guess_text_column",
    "read_lines",
    "read_table",
]
