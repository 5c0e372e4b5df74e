"""Text -> rows of cells, by the rules of CSV and with mercy for what breaks them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

UNCLOSED = "quotation mark that encloses no cell, read as a sign"
INSIDE = "cell with quotation marks inside its quotation marks, read as it stands"

_NEWLINE = re.compile(r"\r\n|\r|\n")
_OPENING = re.compile(' *+"')
# A number, or a date with or without a time.
_MEASURE = re.compile(r"\s*[-+]?[\d.,]*\d\s*%?\s*|\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d.*)?")


@dataclass(frozen=True)
class Dialect:
    r"""How a text is a table.

    Attributes:
        delimiter: Stands between cells; "" if there is one column.
        escapes: Whether a backslash takes the meaning from the sign after it, as in `\"`.
        width: How many columns it has; 0 if that is not known yet.
        measures: Which of them hold numbers or dates and nothing else.
    """

    delimiter: str
    escapes: bool = False
    width: int = 0
    measures: tuple[int, ...] = ()

    @cached_property
    def patterns(self) -> "Patterns":
        """What its cells look like."""
        return _build_patterns(self)


@dataclass(frozen=True)
class Patterns:
    """What the cells of a dialect look like.

    Attributes:
        plain: A cell as it stands.
        quoted: One in quotation marks, those inside it doubled; it may span lines.
        loose: One in quotation marks on one line, with others inside it as they came.
        closing: A quotation mark where a cell may end.
        blank: Rows of empty cells.
        escaped: A backslash and what it is for; None if it is for nothing.
    """

    plain: re.Pattern[str]
    quoted: re.Pattern[str]
    loose: re.Pattern[str]
    closing: re.Pattern[str]
    blank: re.Pattern[str]
    escaped: re.Pattern[str] | None


@dataclass(frozen=True)
class Row:
    """A row of a text.

    Attributes:
        line: Its first line, from 1.
        cells: Its cells; none for rows of empty ones.
        num_lines: How many lines it has.
        repair: What was wrong with its quotation marks, or "".
        num_quoted: Cells that stood in quotation marks.
    """

    line: int
    cells: tuple[str, ...]
    num_lines: int = 1
    repair: str = ""
    num_quoted: int = 0


def is_measure(cell: str) -> bool:
    """Tell whether a cell is a number or a date."""
    return _MEASURE.fullmatch(cell) is not None


def iterate_rows(text: str, dialect: Dialect, line: int = 1) -> Iterator[Row]:
    """Cut a text into rows.

    A quotation mark that nothing closes is a sign like any other: it ends with its line and does
    not swallow the rows after it.

    Args:
        text: The text; lines end with LF, CRLF or CR.
        dialect: How it is a table.
        line: The number of its first line.

    Yields:
        The rows in order. Neighbouring rows of empty cells are one without cells.
    """
    position = 0
    while position < len(text):
        if blank := dialect.patterns.blank.match(text, position):
            num_lines = len(_NEWLINE.findall(blank[0])) or 1
            yield Row(line, (), num_lines)
            position, line = blank.end(), line + num_lines
            continue
        line_end = _find_line_end(text, position)
        content = text[position:line_end]
        if '"' in content or (dialect.escapes and "\\" in content):
            row, end = _read_row(text, position, line_end, len(text), dialect, line)
            if row.num_lines > 1 and _are_rows(text[position:end], dialect):
                row, end = _read_row(text, position, line_end, line_end, dialect, line)
        else:
            cells = content.split(dialect.delimiter) if dialect.delimiter else [content]
            row, end = Row(line, tuple(cells)), line_end
        yield row
        position, line = end, line + row.num_lines
        if newline := _NEWLINE.match(text, position):
            position = newline.end()


def _are_rows(text: str, dialect: Dialect) -> bool:
    """Tell whether each line would be a row: then it was no cell that spanned them."""
    if not dialect.delimiter:
        return False
    lines = [line.split(dialect.delimiter) for line in _NEWLINE.split(text)]
    return (
        # Texts have commas in them, and no tabs; a number in the right place is no accident.
        (dialect.delimiter == "\t" or bool(dialect.measures))
        and all(len(cells) == dialect.width > 1 for cells in lines)
        and all(is_measure(cells[place]) for cells in lines[1:] for place in dialect.measures)
    )


def _read_row(
    text: str, position: int, line_end: int, end: int, dialect: Dialect, line: int
) -> tuple[Row, int]:
    """Read cells until a line ends outside quotation marks; none reaches beyond `end`."""
    patterns, start = dialect.patterns, position
    cells: list[str] = []
    repair, num_quoted, last_closing = "", 0, None
    while True:
        quoted = patterns.quoted.match(text, position, end)
        if not quoted and _OPENING.match(text, position, end):
            if last_closing is None:
                closings = patterns.closing.finditer(text, position, line_end)
                last_closing = max((found.start() for found in closings), default=-1)
            # Looked for only where it can be found: a line may be as long as the file.
            if position < last_closing:
                quoted = patterns.loose.match(text, position, line_end)
            repair = INSIDE if quoted else UNCLOSED
        if quoted:
            cell, num_quoted = quoted[1].replace('""', '"'), num_quoted + 1
            position = quoted.end()
        else:
            plain = patterns.plain.match(text, position, end)
            cell = plain[0] if plain else ""
            position += len(cell)
        cells.append(patterns.escaped.sub(r"\1", cell) if patterns.escaped else cell)
        if position > line_end:
            line_end, last_closing = _find_line_end(text, position), None
        if position < end and text[position] == dialect.delimiter:
            position += 1
        else:
            num_lines = len(_NEWLINE.split(text[start:position]))
            return Row(line, tuple(cells), num_lines, repair, num_quoted), position


def _find_line_end(text: str, position: int) -> int:
    found = _NEWLINE.search(text, position)
    return found.start() if found else len(text)


def _build_patterns(dialect: Dialect) -> Patterns:
    delimiter = re.escape(dialect.delimiter)
    ends = rf" *+(?=[{delimiter}\r\n]|\Z)"
    if dialect.escapes:
        plain = rf"(?:[^{delimiter}\r\n\\]++|\\(?:\r\n|.)|\\\Z)*+"
        quoted = rf' *+"((?:[^"\\]++|\\.|"")*+)"{ends}'
    else:
        plain = rf"[^{delimiter}\r\n]*+"
        quoted = rf' *+"((?:[^"]++|"")*+)"{ends}'
    # The first mark inside must look like one that opens, or what is quoted is not the cell.
    loose = rf' *+"([^"\r\n]*+(?<=[\s(\[{{\\])"(?=\S)(?:[^"\r\n]++|"(?!{ends}))*+)"{ends}'
    escaped = rf'\\(\r\n|[\\"{delimiter}\r\n])' if dialect.escapes else None
    return Patterns(
        re.compile(plain, re.DOTALL),
        re.compile(quoted, re.DOTALL),
        re.compile(loose),
        re.compile(rf'"{ends}'),
        re.compile(rf"(?:[ \t{delimiter}]*+(?:\r\n|\r|\n))++|[ \t{delimiter}]++\Z"),
        re.compile(escaped) if escaped else None,
    )
