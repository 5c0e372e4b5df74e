import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.errors import InputError
from foundry.sentiment.tables import (
    MAX_COLUMNS,
    MAX_ROWS,
    TextTable,
    format_csv,
    guess_text_column,
    read_lines,
    read_table,
)


def test_csv_with_quotes_and_line_breaks() -> None:
    data = b'id,review\r\n1,"Good, really.\r\nTwice."\r\n2,"He said ""no"""\r\n'
    table = read_table(data, "reviews.CSV")
    assert table.columns == ("id", "review")
    assert table.column("review") == ["Good, really.\r\nTwice.", 'He said "no"']
    assert table.column("") == table.column("review")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    data = f"stars{delimiter}text\n5{delimiter}fine\n".encode()
    assert read_table(data, "a.csv").column("text") == ["fine"]


def test_a_first_column_without_a_name() -> None:
    table = read_table(b"\ttext\n0\tfine, really\n", "a.csv")
    assert table.columns == ("column 1", "text")
    assert table.column("text") == ["fine, really"]


def test_tsv_and_txt() -> None:
    assert read_table(b"label\ttext\n1\ta, b; c\n", "a.tsv").column("text") == ["a, b; c"]
    table = read_table(b"one, two\n\n  three  \n", "a.txt")
    assert table.column("text") == ["one, two", "three"]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "cp1250", "cp1251", "shift_jis"],
)
def test_encodings_and_commas_in_a_single_column(encoding: str) -> None:
    sentence = {
        "cp1250": "Bardzo dobry film, polecam każdemu, kto lubi się śmiać aż do łez.",
        "cp1251": "Отличный фильм, очень советую посмотреть всем друзьям и знакомым.",
        "shift_jis": "この映画はとても面白かったです。もう一度見たいと思います。",
    }.get(encoding, "Le café était très agréable, déjà réservé pour l'été à Orléans.")
    data = ("text\n" + f"{sentence}\n" * 5).encode(encoding)
    assert read_table(data, "a.csv").column("text") == [sentence] * 5


def test_encoding_of_one_very_long_line() -> None:
    line = " ".join(["Отличный фильм, очень советую посмотреть всем друзьям."] * 2_000)
    assert read_table(line.encode("cp1251"), "a.txt").column("text") == [line]


def test_curly_quotes_of_a_western_spreadsheet() -> None:
    assert read_table("text\nIt’s good\n".encode("cp1252"), "a.csv").column("text") == ["It’s good"]


def test_missing_column_names_those_there_are() -> None:
    table = read_table(b"id,review\n1,fine\n", "a.csv")
    with pytest.raises(InputError, match=r"no column named 'text'\. Its columns are: id, review\."):
        table.column("text")


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "picture.csv", "not a text file"),
        (bytes(range(128, 256)) * 30, "noise.csv", "not a text file"),
        (b"\xff\xfea", "half.csv", "not a text file"),
        (b"", "a.csv", "empty"),
        (b" \n ", "a.txt", "empty"),
        (b",,\n,,\n", "a.csv", "empty"),
        (b"\xef\xbb\xbf", "a.csv", "empty"),
        ("\u3000\n".encode(), "a.csv", "empty"),
        (b"a," * MAX_COLUMNS + b"\nx\n", "a.csv", f"257 columns and at most {MAX_COLUMNS}"),
        (b"text\n", "a.csv", "no row"),
        (b"text\n1\n", "a.xlsx", "not a CSV, TSV or TXT"),
        (b"text\n" + b"x\n" * (MAX_ROWS + 1), "a.csv", f"{MAX_ROWS:,}"),
    ],
)
def test_unusable_files_are_a_sentence(data: bytes, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(data, name)
    assert str(caught.value).endswith(".")


def test_ragged_rows_and_odd_headers() -> None:
    table = read_table(b"text,text,\na\nb,c,d,e\n", "a.csv")
    assert table.columns == ("text", "text (again)", "column 3", "column 4")
    assert table.rows == (("a", "", "", ""), ("b", "c", "d", "e"))


def test_a_very_long_cell() -> None:
    assert read_table(b"text\n" + b"x" * 500_000 + b"\n", "a.csv").column("text") == ["x" * 500_000]


def test_the_longest_column_is_guessed() -> None:
    table = TextTable(("id", "notes"), (("1", "a longer remark"), ("2", "another one")))
    assert guess_text_column(table) == "notes"


def test_pasted_lines() -> None:
    assert read_lines("one\n\n two \r\nthree").column("text") == ["one", "two", "three"]
    with pytest.raises(InputError, match="no row"):
        read_lines(" \n ")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("x")']
)
def test_formulas_are_neutralised(cell: str) -> None:
    rows = list(csv.reader(io.StringIO(format_csv(["text"], [[cell]]), newline="")))
    assert rows == [["text"], [f"'{cell}"]]


def test_numbers_stay_numbers() -> None:
    assert format_csv(["a", "=b"], [[-0.5, 3]]) == "a,'=b\r\n-0.5,3\r\n"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1))
def test_what_is_written_can_be_read(rows: list[list[str]]) -> None:
    written = format_csv(["first", "second"], rows)
    back = list(csv.reader(io.StringIO(written, newline="")))[1:]
    for row, again in zip(rows, back, strict=True):
        assert [cell.removeprefix("'") for cell in again] == [
            cell.removeprefix("'") for cell in row
        ]


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read_table(format_csv(["text"], [["fine"]]).encode("utf-8-sig"), "a.csv")
    assert not list(tmp_path.iterdir())
