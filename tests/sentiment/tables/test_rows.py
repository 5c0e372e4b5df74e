"""Every dialect that Python's csv module writes is read back cell for cell."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundry.errors import InputError
from foundry.sentiment.tables import read_table

# Words of every encoding below but those of one alphabet.
WORDS = {
    "utf-8": ["good", "été", "映画", "хорошо", "🙂"],
    "utf-8-sig": ["good", "été", "映画", "хорошо", "🙂"],
    "utf-16": ["good", "été", "映画", "хорошо", "🙂"],
    "cp1252": ["good", "déjà", "très", "naïve", "“so”"],
    "cp932": ["この映画は", "とても面白かったです", "もう一度", "見たいと思います", "良い作品"],
}
SIGNS = [" ", ", ", "; ", "|", "\t", '"', ". ", "! ", "\n", "-", ' "so" ', "''"]


def sentences(encoding):
    """Texts of words with whatever comes between them: delimiters, quotation marks, line breaks."""
    pairs = st.tuples(st.sampled_from(WORDS[encoding]), st.sampled_from(SIGNS))
    ended = st.lists(pairs, min_size=4, max_size=9).map(lambda found: "".join(map("".join, found)))
    return ended.map(lambda text: f"{WORDS[encoding][0]} {text}.")


@pytest.mark.parametrize("encoding", WORDS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("has_header", [True, False])
@settings(max_examples=8)
@given(data=st.data())
def test_what_csv_writes_comes_back_cell_for_cell(encoding, delimiter, has_header, data):
    texts = data.draw(st.lists(sentences(encoding), min_size=3, max_size=12))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    line_end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Outside quotation marks nothing tells a backslash that escapes from one that is meant.
    doubles = quoting == csv.QUOTE_MINIMAL or data.draw(st.booleans())
    name = data.draw(st.sampled_from(["a.csv", "a.tsv"]))
    # The writer quotes no other line end than its own.
    texts = [text.replace("\n", line_end) for text in texts]
    rows = [[number, text, "yes"] for number, text in enumerate(texts)]
    file = io.StringIO(newline="")
    writer = csv.writer(
        file,
        delimiter=delimiter,
        quoting=quoting,
        lineterminator=line_end,
        doublequote=doubles,
        escapechar=None if doubles else "\\",
    )
    if has_header:
        writer.writerow(["id", "text", "label"])
    writer.writerows(rows)
    table = read_table(file.getvalue().encode(encoding), name)
    assert table.has_header == has_header
    assert [list(row) for row in table.rows] == [[str(n), text, label] for n, text, label in rows]
    assert table.notes == ()


@given(
    rows=st.lists(
        st.lists(st.text("ab ,;\"'\\\n\r.", max_size=8), min_size=2, max_size=2),
        min_size=1,
        max_size=8,
    )
)
def test_no_row_of_any_table_is_lost(rows):
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["id", "text", "note"])
    writer.writerows([str(number), *row] for number, row in enumerate(rows))
    table = read_table(file.getvalue().encode(), "a.csv")
    assert [row[0] for row in table.rows] == [str(number) for number in range(len(rows))]
    assert [list(row[1:3]) for row in table.rows] == rows


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\x00", b"")))
def test_every_line_is_in_a_row_or_in_a_note(data):
    try:
        table = read_table(b"id,text\n1,fine\n" + data + b"\n2,good\n", "a.csv", header=True)
    except InputError as error:
        assert str(error).endswith(".")
        return
    starts = [*table.lines, *(line for note in table.notes for line in (note.line, note.last_line))]
    # Of the lines that begin a row or are told of, none is beyond the file.
    num_lines = len(data.decode("latin-1").splitlines()) + 4
    assert all(line <= num_lines for line in starts)
    assert len(table.rows) >= 1
