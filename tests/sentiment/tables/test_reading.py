from pathlib import Path

import pytest

from foundry.data.spreadsheets import format_csv
from foundry.errors import InputError
from foundry.sentiment.tables import (
    MAX_COLUMNS,
    MAX_ROWS,
    TextTable,
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


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Bardzo dobry film, polecam każdemu, kto lubi się śmiać. Nr {} z listy."),
        ("cp1251", "Order {} of last week, delivered by courier to the front door: Хорошо"),
        ("cp1252", "Order {} was “great” – it cost 5 × 3 and a ½ more"),
    ],
)
def test_encoding_of_files_with_few_other_letters(encoding: str, text: str) -> None:
    rows = [text.format(number) for number in range(30)]
    table = read_table(
        "\n".join(["id,note", *(f'{i},"{t}"' for i, t in enumerate(rows))]).encode(encoding),
        "a.csv",
    )
    assert [row[1] for row in table.rows] == rows


def test_encoding_of_one_very_long_line() -> None:
    line = " ".join(["Отличный фильм, очень советую посмотреть всем друзьям."] * 2_000)
    assert read_table(line.encode("cp1251"), "a.txt").column("text") == [line]


def test_curly_quotes_of_a_western_spreadsheet() -> None:
    assert read_table("text\nIt’s good\n".encode("cp1252"), "a.csv").column("text") == ["It’s good"]


@pytest.mark.parametrize(
    "text",
    ["Ça", "Déjà vu à Noël", "Schön\nÖde", "Très drôle", "¡Qué película más rara!", "€ 5", "Füße"],
)
def test_a_few_western_words_are_read_as_such(text: str) -> None:
    table = read_table(f"text\n{text}\n".encode("cp1252"), "a.csv")
    assert (table.column("text"), table.encoding) == (text.split("\n"), "cp1252")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "面白い\nつまらない"),
        ("cp932", "とても面白い\nテレビ\n映画は最高！"),
        ("gb18030", "很好看的电影\n太无聊了"),
        ("big5", "這部電影非常好看，我很喜歡\n太無聊了，浪費時間"),
        ("cp949", "정말 재미있는 영화였어요\n별로예요"),
        ("cp1251", "Отличный фильм, очень советую посмотреть"),
        ("koi8_r", "Отличный фильм, очень советую посмотреть"),
        ("cp1253", "Πολύ καλή ταινία, μου άρεσε πάρα πολύ"),
        ("cp1256", "فيلم رائع جدا وأنصح به الجميع"),
    ],
)
def test_a_few_words_of_another_script_are_not(encoding: str, text: str) -> None:
    table = read_table(f"text\n{text}\n".encode(encoding), "a.csv")
    assert table.column("text") == text.split("\n")


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
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.xlsx", "not a text file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
            "a.xls",
            r"old kind \(XLS\) or has a password",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "a.xlsx", "Save it as XLSX or CSV"),
        (b"text\n1\n", "a.pdf", "not a CSV, TSV or TXT file, nor an XLSX workbook"),
        (b"text\n" + b"x\n" * (MAX_ROWS + 1), "a.csv", f"{MAX_ROWS:,}"),
    ],
)
def test_unusable_files_are_a_sentence(data: bytes, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(data, name)
    assert str(caught.value).endswith(".")


# What people bring: the file, and the columns and rows that are in it.
BROUGHT = {
    "lone.tsv": (
        b'text\n"A warm film\nDull\nA joy\n',
        ["text"],
        [['"A warm film'], ["Dull"], ["A joy"]],
    ),
    "lone.csv": (
        b'id,text\n1,"A warm film\n2,Dull\n3,"Good, really"\n4,"two\nlines, yes"\n',
        ["id", "text"],
        [["1", '"A warm film'], ["2", "Dull"], ["3", "Good, really"], ["4", "two\nlines, yes"]],
    ),
    # Each line between the two marks is a row of its own.
    "swallowed.csv": (
        b'id,text\n1,"A warm film\n2,Dull\n3,He ended"\n4,fine\n',
        ["id", "text"],
        [["1", '"A warm film'], ["2", "Dull"], ["3", 'He ended"'], ["4", "fine"]],
    ),
    "backslashes.csv": (
        rb"id,text" b"\n" rb'1,"He said \"superb\", and I agree"' b"\n",
        ["id", "text"],
        [["1", 'He said "superb", and I agree']],
    ),
    # A backslash that escapes nothing.
    "folders.csv": (
        b'id,text\n1,"C:\\new\\"\n2,"a, b"\n',
        ["id", "text"],
        [["1", "C:\\new\\"], ["2", "a, b"]],
    ),
    "inside.csv": (
        b'id,text\n1,"He said "superb" and left"\n',
        ["id", "text"],
        [["1", 'He said "superb" and left']],
    ),
    "sep.csv": (b"sep=;\r\nid;text\r\n1;A joy\r\n", ["id", "text"], [["1", "A joy"]]),
    "spaces.csv": (
        b'id, text\n1, "Good, really good"\n2, "Dull, flat"\n',
        ["id", "text"],
        [["1", "Good, really good"], ["2", "Dull, flat"]],
    ),
    "title.csv": (
        b'Reviews of 2024\n\nid,text\n1,Good\n2,"Bad, really"\n',
        ["id", "text"],
        [["1", "Good"], ["2", "Bad, really"]],
    ),
    "wide_title.csv": (
        b"Reviews,,\nid,text,stars\n1,Good,5\n",
        ["id", "text", "stars"],
        [["1", "Good", "5"]],
    ),
    "commas.tsv": (b'id,text\n1,"Good, really"\n', ["id", "text"], [["1", "Good, really"]]),
    "table.txt": (
        b'id;text\n1;"Good; really"\n2;Bad\n',
        ["id", "text"],
        [["1", "Good; really"], ["2", "Bad"]],
    ),
    "header.csv": (
        b'"text, as typed";stars\nGood, yes;5\n"Bad; no";1\n',
        ["text, as typed", "stars"],
        [["Good, yes", "5"], ["Bad; no", "1"]],
    ),
    "bare.csv": (
        b'"0","1","is upset"\n"0","2","is upset"\n"4","3","loves it"\n',
        ["column 1", "column 2", "column 3"],
        [["0", "1", "is upset"], ["0", "2", "is upset"], ["4", "3", "loves it"]],
    ),
    "labels.csv": (
        b"great film,positive\ntoo long,negative\nnice,positive\n",
        ["column 1", "column 2"],
        [["great film", "positive"], ["too long", "negative"], ["nice", "positive"]],
    ),
    "sentences.csv": (
        b"I loved it.\nToo long, and dull.\n",
        ["text"],
        [["I loved it."], ["Too long, and dull."]],
    ),
    "unquoted.csv": (
        b"id,text,stars\n1,Good, really,5\n2,Bad,1\n",
        ["id", "text", "stars"],
        [["1", "Good, really", "5"], ["2", "Bad", "1"]],
    ),
    "wide.csv": (
        "id,text\n1,schön\n2,öde\n".encode("utf-16-le"),
        ["id", "text"],
        [["1", "schön"], ["2", "öde"]],
    ),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_what_people_bring(name: str) -> None:
    data, columns, rows = BROUGHT[name]
    table = read_table(data, name)
    assert list(table.columns) == columns
    assert [list(row) for row in table.rows] == rows


def test_whatever_is_left_out_or_repaired_is_told_with_its_line() -> None:
    data = b'Reviews\nid,text,stars\n1,"Good,5\n\n\n2,Bad\n3,a,b,c\n4,so, so,3\n\n\n'
    table = read_table(data, "a.csv")
    assert table.lines == (3, 6, 7, 8)
    assert [(note.line, note.last_line, note.count, note.what) for note in table.notes] == [
        (1, 0, 1, "row above the table, left out"),
        (3, 0, 1, "quotation mark that encloses no cell, read as a sign"),
        (4, 5, 2, "empty row, left out"),
        (6, 0, 1, "row with too few cells, filled with empty ones"),
        (7, 0, 1, "row with too many cells, which have columns of their own"),
        (8, 0, 1, "row with delimiters in its text, put together again"),
    ]
    assert "2 × empty row, left out (line 4–5)." in table.summarize_notes()
    told = table.row_notes()
    # With the row itself, or with the one that follows.
    assert "(line 1)" in told[0] and "(line 3)" in told[0]
    assert "(line 4–5)" in told[1] and "(line 6)" in told[1]
    assert "(line 7)" in told[2] and "(line 8)" in told[3]


def test_many_lines_are_told_by_the_first_of_them() -> None:
    table = read_table(b"id,text\n" + b"1\n" * 20, "a.csv")
    sentence = "20 × row with too few cells, filled with empty ones (line 2, 3, 4, 5, 6, 7, …)."
    assert table.summarize_notes() == [sentence]


def test_a_visitor_has_the_last_word_on_the_header() -> None:
    data = b"id,text\n1,fine\n"
    assert read_table(data, "a.csv", header=False).rows == (("id", "text"), ("1", "fine"))
    bare = b'"1","fine"\n"2","bad"\n'
    table = read_table(bare, "a.csv", header=True)
    assert (table.columns, table.rows) == (("1", "fine"), (("2", "bad"),))
    # Nothing is above a table without a header.
    titled = read_table(b"Reviews\nid,text\n1,fine\n", "a.csv", header=False)
    assert [row[0] for row in titled.rows] == ["Reviews", "id", "1"]
    assert read_table(b"one\ntwo\n", "a.txt", header=True).columns == ("one",)


def test_a_column_that_is_asked_for_is_in_the_header() -> None:
    data = b"Was ich dachte,Urteil\nGut gemacht das,ja\nEher nicht so,nein\n"
    assert read_table(data, "a.csv", wanted="Urteil").column("Urteil") == ["ja", "nein"]


GOOD = "“I’d say café number {} is a joy – naïve, but très bien”"


@pytest.mark.parametrize("text", [GOOD, "映画は{}回見ても面白い。", "Фильм номер {} очень хорош"])
@pytest.mark.parametrize("place", ["inside", "cut"])
def test_a_few_bad_bytes_do_not_spoil_a_file(text: str, place: str) -> None:
    texts = [text.format(number) for number in range(300)]
    data = ("text\n" + "\n".join(texts)).encode()
    if place == "inside":
        lines = data.split(b"\n")
        lines[70] += b"\x81"
        data = b"\n".join(lines)
        texts[69] += "\ufffd"
    else:
        data, texts[-1] = data + "é".encode()[:1], texts[-1] + "\ufffd"
    table = read_table(data, "a.csv")
    assert table.encoding == "utf-8"
    assert table.column("text") == texts
    line = 71 if place == "inside" else 301
    assert table.summarize_notes() == [
        f"1 × sign that cannot be read, shown as \ufffd (line {line})."
    ]


def test_ragged_rows_and_odd_headers() -> None:
    table = read_table(b"text,text,\na\nb,c,d,e\n", "a.csv")
    assert table.columns == ("text", "text (again)", "column 3", "column 4")
    assert table.rows == (("a", "", "", ""), ("b", "c", "d", "e"))


def test_a_very_long_cell() -> None:
    assert read_table(b"text\n" + b"x" * 500_000 + b"\n", "a.csv").column("text") == ["x" * 500_000]


def test_the_longest_column_is_guessed() -> None:
    table = TextTable(("id", "notes"), (("1", "a longer remark"), ("2", "another one")))
    assert guess_text_column(table) == "notes"


@pytest.mark.parametrize(
    "header", ["id,review_link,words", "uuid,opinion", "seen at,address,opinion"]
)
def test_links_and_identifiers_are_no_texts(header: str) -> None:
    names = header.split(",")
    cells = {
        "review_link": "https://example.org/a/very/long/path/to/a/review?with=more&of=it",
        "id": "7",
        "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "seen at": "2024-05-03T14:30:00+00:00",
        "address": "somebody.with.a.long.name.1978@example.org",
    }
    row = ",".join(cells.get(name, "All good.") for name in names)
    table = read_table(f"{header}\n{row}\n{row}\n".encode(), "a.csv")
    assert guess_text_column(table) == names[-1]


def test_pasted_lines() -> None:
    assert read_lines("one\n\n two \r\nthree").column("text") == ["one", "two", "three"]
    with pytest.raises(InputError, match="no row"):
        read_lines(" \n ")


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read_table(format_csv(["text"], [["fine"]]).encode("utf-8-sig"), "a.csv")
    assert not list(tmp_path.iterdir())
