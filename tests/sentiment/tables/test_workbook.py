"""Workbooks as openpyxl writes them, and as nobody should."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook

from foundry.errors import InputError
from foundry.sentiment.tables import MAX_COLUMNS, TextTable, read_table

SHEET = "xl/worksheets/sheet1.xml"


def write(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def make_book(*rows: list[object], title: str = "Reviews") -> Workbook:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def change(data: bytes, name: str, edit: Callable[[bytes], bytes]) -> bytes:
    """Give a workbook with one of its parts edited."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, edit(content) if part == name else content)
    return file.getvalue()


def read(book: Workbook, **options: bool) -> TextTable:
    return read_table(write(book), "reviews.xlsx", **options)


def test_values_are_written_as_a_csv_has_them() -> None:
    day = datetime(2024, 5, 3)
    table = read(
        make_book(
            ["id", "text", "seen"],
            [1, "Good, “really”\nTwice.", day],
            [2.5, True, datetime(2024, 5, 3, 14, 30)],
            [3.0, None, time(9, 5)],
            [10**16, " =1+1", date(2024, 5, 4)],
        )
    )
    assert (table.columns, table.encoding) == (("id", "text", "seen"), "XLSX")
    assert table.rows == (
        ("1", "Good, “really”\nTwice.", "2024-05-03"),
        ("2.5", "TRUE", "2024-05-03 14:30:00"),
        ("3", "", "09:05:00"),
        ("10000000000000000", " =1+1", "2024-05-04"),
    )
    assert table.notes == ()


def test_titles_empty_rows_and_a_missing_header_are_as_in_a_csv() -> None:
    book = make_book(["Reviews of 2024"], [], ["id", "text"], [1, "Good"], [], [2, "Bad"])
    table = read(book)
    assert (table.columns, table.lines) == (("id", "text"), (4, 6))
    assert [note.what for note in table.notes] == ["row above the table, left out"]
    assert read(book, header=False).rows[1] == ("id", "text")
    bare = read(make_book([0, "is upset by it"], [4, "loves it"], [0, "hates it"]))
    assert len(bare.rows) == 3


def test_the_first_sheet_with_anything_in_it_is_read_and_named() -> None:
    book = make_book()
    book.create_sheet("Also empty")
    book.create_sheet("Notes").append(["my own notes"])
    book.create_sheet("Reviews of May").append(["text"])
    book["Reviews of May"].append(["fine"])
    book["Notes"].sheet_state = "hidden"
    table = read(book)
    assert table.rows == (("fine",),)
    # Empty sheets are not worth a word.
    assert table.summarize_notes() == ["1 × further sheet, left out: “Reviews of May” was read."]
    assert table.row_notes() == table.summarize_notes()


def test_a_formula_has_the_value_that_its_program_left() -> None:
    data = write(make_book(["id", "text"], [1, "=A2"], [2, "fine"]))
    calculated = change(data, SHEET, lambda xml: xml.replace(b"<v />", b"<v>7</v>"))
    assert calculated != data
    assert read_table(calculated, "a.xlsx").rows == (("1", "7"), ("2", "fine"))
    # openpyxl calculates nothing.
    table = read_table(data, "a.xlsx")
    assert table.rows == (("1", ""), ("2", "fine"))
    assert table.summarize_notes() == ["1 × formula without a value, left empty (line 2)."]


def test_a_stated_size_is_not_believed() -> None:
    data = write(make_book(["text"], ["fine"]))
    wide = change(data, SHEET, lambda xml: xml.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    assert wide != data
    assert read_table(wide, "a.xlsx").rows == (("fine",),)


def claim_less(data: bytes) -> bytes:
    """State a size of 10 bytes for the first sheet, in both places where a ZIP file has it."""
    size = zipfile.ZipFile(io.BytesIO(data)).getinfo(SHEET).file_size
    return data.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))


LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (ord("b") + n, b"&%c;" % (ord("a") + n) * 10) for n in range(9)
    )
    + b"]>"
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: b"PK\x03\x04", "nor an XLSX workbook"),
        (lambda data: data[: len(data) // 2], "nor an XLSX workbook"),
        (lambda data: change(data, SHEET, lambda xml: xml[:-40]), "nor an XLSX workbook"),
        (lambda data: change(data, SHEET, lambda xml: LAUGHS + xml), "nor an XLSX workbook"),
        (claim_less, "nor an XLSX workbook"),
        (lambda data: write(make_book([], [])), "is empty"),
        (lambda data: write(make_book(["text"])), "no row with text"),
        (lambda data: write(make_book([1] * (MAX_COLUMNS + 1))), f"{MAX_COLUMNS + 1} columns"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_a_sentence(
    make: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read_table(make(write(make_book(["text"], ["fine"]))), "a.xlsx")
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.TXT"])
def test_what_is_in_a_file_says_whether_it_is_a_workbook(name: str) -> None:
    workbook = write(make_book(["text", "stars"], ["fine", 5]))
    for data, kind in ((workbook, "XLSX"), (b"text,stars\nfine,5\n", "utf-8")):
        table = read_table(data, name)
        assert (table.columns, table.rows) == (("text", "stars"), (("fine", "5"),))
        assert table.encoding == kind


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO(write(make_book(["text"], ["fine"])))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(40_000_000))
    assert len(file.getvalue()) < 100_000
    with pytest.raises(InputError, match=r"unpacks to 40 MB; at most 32 MB are read\. Save"):
        read_table(file.getvalue(), "a.xlsx")


def test_line_ends_are_read_as_such() -> None:
    # As Excel writes them; the underscore of what only looks like one is written out, too.
    table = read(make_book(["text"], ["one_x000D_\ntwo"], ["a _x005F_x000D_ b"], ["_x0041_"]))
    assert [row[0] for row in table.rows] == ["one\ntwo", "a _x000D_ b", "_x0041_"]


def test_rows_that_are_far_too_wide_are_refused_at_the_first() -> None:
    book = make_book(["text"])
    book.active.cell(2, 16_000, "far")
    rows = b"".join(
        b'<row r="%d"><c r="WQJ%d"><v>1</v></c></row>' % (row, row) for row in range(3, 20_000)
    )
    wide = change(
        write(book), SHEET, lambda part: part.replace(b"</sheetData>", rows + b"</sheetData>")
    )
    tracemalloc.start()
    with pytest.raises(InputError, match="columns"):
        read_table(wide, "wide.xlsx")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50_000_000


def test_notes_are_in_the_order_of_the_lines() -> None:
    book = make_book(["Survey"], ["text", "stars"], ["Good.", 5], ["Bad.", "=1+1"])
    notes = read(book).notes
    assert [note.line for note in notes] == sorted(note.line for note in notes)
    assert len(notes) >= 2
