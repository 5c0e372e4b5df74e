"""Whether the first row of a table names its columns."""

from collections.abc import Sequence
from statistics import median

from foundry.sentiment.tables.rows import is_measure
from foundry.sentiment.tables.table import TEXT_COLUMNS

# What people call the columns of such tables.
USUAL_NAMES = {
    *TEXT_COLUMNS,
    *("id", "label", "labels", "sentiment", "polarity", "score", "rating", "stars", "class"),
    *("category", "date", "timestamp", "time", "title", "name", "user", "username", "author"),
    *("index", "target", "number", "source", "product", "language", "feedback", "response"),
}  # fmt: skip
_SENTENCE_ENDS = tuple(".!?…。！？\"'”’»)")
_MAX_NAME_LENGTH = 60
_MEASURE_SHARE = 0.9


def judge_header(first: Sequence[str], below: Sequence[Sequence[str]], wanted: str = "") -> int:
    """Weigh whether a row names the columns of those below it.

    Args:
        first: The row.
        below: Some of the rows below it.
        wanted: A column that somebody asks for by its name.

    Returns:
        1 if it does and -1 if it does not, each on evidence; 0 if nothing tells.
    """
    names = [cell.strip() for cell in first]
    filled = [name for name in names if name]
    if wanted and wanted in names:
        return 1
    if not filled or not below:
        return 1 if any(name.lower() in USUAL_NAMES for name in filled) else 0
    columns = [
        [row[place].strip() for row in below if place < len(row)] for place in range(len(names))
    ]
    pairs = [(name, cells) for name, cells in zip(names, columns, strict=True) if name]
    if any(name.lower() in USUAL_NAMES and name not in cells for name, cells in pairs):
        return 1
    of_measures = [is_measure(name) for name, cells in pairs if has_measures(cells)]
    if of_measures:
        return -1 if any(of_measures) else 1
    # A label of the first row comes again below it, a name does not.
    if len(set(filled)) < len(filled) or any(name in cells for name, cells in pairs):
        return -1
    return -1 if any(map(_is_sentence, filled)) else 0


def looks_like_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Decide where nothing tells: names are short beside the texts below them.

    Args:
        first: The row.
        below: Some of the rows below it.
    """
    longest = max(first, key=len).strip()
    usual_length = median([max(map(len, row), default=0) for row in below] or [0])
    is_short, has_few_words = 2 * len(longest) <= usual_length, len(longest.split()) < 3
    # Of one column alone the first row is rather a text.
    return is_short or has_few_words if len(first) > 1 else is_short and has_few_words


def has_measures(cells: Sequence[str]) -> bool:
    """Tell whether a column holds numbers or dates.

    Args:
        cells: Its cells; empty ones do not count.
    """
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and sum(map(is_measure, filled)) >= _MEASURE_SHARE * len(filled)


def _is_sentence(cell: str) -> bool:
    return len(cell) > _MAX_NAME_LENGTH or (" " in cell and cell.endswith(_SENTENCE_ENDS))
