"""An uploaded file: read, and its first rows shown before anything is scored."""

from pathlib import Path
from typing import Any

import gradio as gr

from foundry.errors import InputError, counted
from foundry.sentiment.tables import TextTable, guess_text_column, read_table
from foundry.ui.page.feedback import shows_errors

# Enough to see whether the first row is a header.
_MAX_ROWS, _MAX_COLUMNS, _MAX_CHARACTERS = 4, 12, 120


def read_upload(path: str | None, header: bool | None = None, wanted: str = "") -> TextTable:
    """Read an uploaded file.

    Args:
        path: Where it is.
        header: Whether the first row names the columns; None finds out.
        wanted: A column that is asked for by its name.

    Raises:
        InputError: If there is none or it is not a table of texts.
    """
    if not path:
        raise InputError("There is no file; send a CSV, TSV, TXT or XLSX file with texts.")
    return read_table(Path(path).read_bytes(), Path(path).name, header, wanted)


@shows_errors
def on_file(path: str | None, header: bool | None = None) -> list[Any]:
    """Look into an uploaded file.

    Args:
        path: Where it is, or None if it was taken away.
        header: Whether its first row names the columns; None finds out.

    Returns:
        The list of columns, a sentence on what was found with one for whatever was left out or
        repaired, whether the first row is a header, and the first rows.
    """
    if path is None:
        hidden = gr.Checkbox(visible=False), gr.Dataframe(visible=False)
        return [gr.Dropdown(visible=False), "", *hidden]
    table = read_upload(path, header)
    found = (
        f"{counted(len(table.rows), 'row')}, read as {table.encoding}. Used in place of the lines."
    )
    # A paragraph for each, so that the page's language knows them one by one.
    told = "\n\n".join([found, *table.summarize_notes()])
    guess = guess_text_column(table)
    rows = [[_shorten(cell) for cell in row[:_MAX_COLUMNS]] for row in table.rows[:_MAX_ROWS]]
    headers = [_shorten(name) for name in table.columns[:_MAX_COLUMNS]]
    return [
        gr.Dropdown(choices=list(table.columns), value=guess, visible=len(table.columns) > 1),
        told,
        gr.Checkbox(value=table.has_header, visible=True),
        gr.Dataframe(rows, headers=headers, visible=True),
    ]


def _shorten(cell: str) -> str:
    return cell if len(cell) <= _MAX_CHARACTERS else f"{cell[:_MAX_CHARACTERS]} …"
