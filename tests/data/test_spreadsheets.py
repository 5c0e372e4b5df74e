import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.data.spreadsheets import format_csv, write_csv


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-1-1", "-A1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("x")'],
)
def test_formulas_are_neutralised(cell: str) -> None:
    rows = list(csv.reader(io.StringIO(format_csv(["text"], [[cell]]), newline="")))
    assert rows == [["text"], [f"'{cell}"]]


def test_numbers_stay_numbers() -> None:
    assert format_csv(["a", "=b"], [[-0.5, 3]]) == "a,'=b\r\n-0.5,3\r\n"
    for cell in ("-0.75", "+4930123456", "-1.5e-3", "-12%", " -3"):
        assert format_csv(["a"], [[cell]]) == f"a\r\n{cell}\r\n"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1))
def test_what_is_written_can_be_read(rows: list[list[str]]) -> None:
    written = format_csv(["first", "second"], rows)
    back = list(csv.reader(io.StringIO(written, newline="")))[1:]
    for row, again in zip(rows, back, strict=True):
        assert [cell.removeprefix("'") for cell in again] == [
            cell.removeprefix("'") for cell in row
        ]


def test_a_file_begins_with_the_mark_that_a_spreadsheet_wants(tmp_path):
    path = write_csv(tmp_path / "names.csv", ["名称"], [["浓缩咖啡"], [0.5]])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_text("utf-8-sig") == "名称\n浓缩咖啡\n0.5\n"
