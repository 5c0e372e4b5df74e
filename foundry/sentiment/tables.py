"""Files and pasted lines of texts to score, and the CSV that goes back."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from charset_normalizer import from_bytes

from foundry.errors import InputError

MAX_FILE_BYTES = 32_000_000
MAX_ROWS = 100_000
# Short rows are filled up, so a wide one costs as much as all the rows below it.
MAX_COLUMNS = 256
# Enough of a file to tell its encoding and delimiter; detection is slow on the whole of it.
_SAMPLE_BYTES = 64_000
SUFFIXES = (".csv", ".tsv", ".txt")
LINES_COLUMN = "text"
# Between what `str.splitlines` takes for line ends.
_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NO_DELIMITER = "\x1f"

# Column names that say which column holds the texts.
_TEXT_COLUMNS = ("text", "sentence", "review", "comment", "message", "content", "body", "tweet")
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_WESTERN = "cp1252"
_MOSTLY_ASCII_SHARE = 0.08
# What spreadsheets outside UTF-8 write; detection over every encoding there is picks odd ones.
_LEGACY_ENCODINGS = (
    _WESTERN,
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "koi8_r",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
)
# What a spreadsheet takes for the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class TextTable:
    """Rows of strings under named columns.

    Attributes:
        columns: The names, each once, never empty.
        rows: One tuple for each row, as long as `columns`.
        encoding: What the bytes were read as.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = "utf-8"

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


def read_lines(text: str) -> TextTable:
    """Take pasted text as one text a line.

    Args:
        text: What a visitor pasted.

    Returns:
        A table with the one column `text`; empty lines are left out.

    Raises:
        InputError: If there is no line with text, or there are too many.
    """
    rows = [(line.strip(),) for line in islice(_iterate_lines(text), MAX_ROWS + 1)]
    return _checked_table((LINES_COLUMN,), rows, "utf-8")


def read_table(data: bytes, file_name: str) -> TextTable:
    """Read an uploaded CSV, TSV or TXT file.

    The first row of a CSV or TSV names the columns. The delimiter of a CSV may be a comma, a
    semicolon, a tab or a bar. A TXT file is one text a line.

    Args:
        data: The file's bytes.
        file_name: Its name; the suffix says what it is.

    Returns:
        The table. Short rows are filled with empty cells, and rows of empty cells left out.

    Raises:
        InputError: If it is not such a file, is empty, damaged or too large; says which.
    """
    suffix = next((end for end in SUFFIXES if file_name.lower().endswith(end)), None)
    if suffix is None:
        raise InputError(f"{file_name} is not a CSV, TSV or TXT file.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"{file_name} has {len(data) / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are "
            "read. Split it into several files."
        )
    text, encoding = _decode(data, file_name)
    # Byte-order marks and the wide spaces of other alphabets are not empty as bytes.
    if not text.strip():
        raise InputError(f"{file_name} is empty.")
    if suffix == ".txt":
        return _checked_table((LINES_COLUMN,), list(read_lines(text).rows), encoding)
    delimiter = "\t" if suffix == ".tsv" else _guess_delimiter(text)
    # A cell may be as long as the file; the limit is the file's.
    csv.field_size_limit(MAX_FILE_BYTES)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        kept = (row for row in reader if any(cell.strip() for cell in row))
        # The header, all that may be scored, and one that tells that there is more.
        rows = list(islice(kept, MAX_ROWS + 2))
    except csv.Error as error:
        raise InputError(f"{file_name} cannot be read as a table: {error}.") from error
    if not rows:
        raise InputError(f"{file_name} is empty.")
    width = max(map(len, rows))
    if width > MAX_COLUMNS:
        raise InputError(
            f"{file_name} has {width:,} columns and at most {MAX_COLUMNS} are read. Keep the one "
            "with the texts."
        )
    columns = _name_columns(rows[0], width)
    padded = [tuple(row) + ("",) * (width - len(row)) for row in rows[1:]]
    return _checked_table(columns, padded, encoding)


def guess_text_column(table: TextTable) -> str:
    """Pick the column that most likely holds the texts.

    Args:
        table: The table.

    Returns:
        A column with a telling name if there is one, otherwise that with the longest cells.
    """
    for wanted in _TEXT_COLUMNS:
        for name in table.columns:
            if name.strip().lower() == wanted:
                return name
    lengths = [
        sum(len(row[position]) for row in table.rows) for position in range(len(table.columns))
    ]
    return table.columns[lengths.index(max(lengths))]


def format_csv(columns: Sequence[str], rows: Iterable[Sequence[str | float | int]]) -> str:
    """Write a table that is safe to open in a spreadsheet.

    Args:
        columns: Names of the columns.
        rows: The cells. Numbers are written as they are; a string that a spreadsheet would run as
            a formula gets an apostrophe in front, which shows it as text.

    Returns:
        The CSV, with commas and CRLF. Write it as `utf-8-sig`, or Excel misreads other alphabets.

    Source:
        OWASP, CSV Injection.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([_neutralize(name) for name in columns])
    writer.writerows([_neutralize(cell) for cell in row] for row in rows)
    return file.getvalue()


def _neutralize(cell: str | float | int) -> str | float | int:
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _decode(data: bytes, file_name: str) -> tuple[str, str]:
    if not data.strip():
        raise InputError(f"{file_name} is empty.")
    not_text = InputError(
        f"{file_name} is not a text file, whatever its name says. Save it as CSV with UTF-8."
    )
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise not_text from error
    if b"\x00" in data:
        raise not_text
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    guess = _guess_encoding(data)
    if guess is None:
        raise not_text
    try:
        return data.decode(guess), guess
    except UnicodeDecodeError as error:
        raise not_text from error


def _guess_encoding(data: bytes) -> str | None:
    # Whole lines only: half a character at the end would rule its encoding out.
    sample = data[:_SAMPLE_BYTES]
    if len(data) > _SAMPLE_BYTES and b"\n" in sample:
        sample = sample.rpartition(b"\n")[0]
    num_high = sum(byte > 127 for byte in sample)
    if num_high < _MOSTLY_ASCII_SHARE * len(sample):
        # A few signs among English, such as curly quotes, are too few to detect anything from.
        return _WESTERN
    matches = from_bytes(sample, cp_isolation=list(_LEGACY_ENCODINGS))
    best = matches.best()
    if best is None:
        return None
    as_good = {
        match.encoding
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
    }
    return _WESTERN if _WESTERN in as_good else best.encoding


def _iterate_lines(text: str) -> Iterator[str]:
    """Yield what stands on lines that are not empty, without a list of all of them."""
    lines = (found[0] for found in _LINE.finditer(text))
    return (line for line in lines if line.strip())


def _guess_delimiter(text: str) -> str:
    # The header is the one row that holds no free text, so its delimiters are real ones.
    header = next(_iterate_lines(text))
    counts = {delimiter: header.count(delimiter) for delimiter in ",;\t|"}
    best = max(counts, key=counts.__getitem__)
    # One column: the commas below the header are the texts' own.
    return best if counts[best] else _NO_DELIMITER


def _name_columns(header: Sequence[str], width: int) -> tuple[str, ...]:
    names: list[str] = []
    for position in range(width):
        name = header[position].strip() if position < len(header) else ""
        name = name or f"column {position + 1}"
        while name in names:
            name += " (again)"
        names.append(name)
    return tuple(names)


def _checked_table(
    columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], encoding: str
) -> TextTable:
    if not rows:
        raise InputError("There is no row with text to score.")
    if len(rows) > MAX_ROWS:
        raise InputError(
            f"There are more than {MAX_ROWS:,} rows, the most that are scored at once. Split the "
            "file into several."
        )
    return TextTable(columns, tuple(rows), encoding)
