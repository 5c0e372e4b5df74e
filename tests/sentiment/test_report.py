import csv
import io

from foundry.sentiment import SentimentScore
from foundry.sentiment.report import report_columns, report_rows, write_report
from foundry.sentiment.scoring import ScoredText
from foundry.sentiment.tables import TextTable

TABLE = TextTable(("id", "text"), (("a", "good"), ("b", ""), ("c", "=1+1"), ("d", "bad")))
LABELS = ("negative", "positive")


def scored(index, positive):
    probs = {"negative": 1 - positive, "positive": positive}
    return ScoredText(index, SentimentScore(probs, 1, 0, 1))


SCORED = [scored(3, 0.1), scored(0, 2 / 3), ScoredText(1, None, "There is no text yet.")]


def test_rows_are_in_the_order_of_the_table_with_their_own_cells():
    assert report_columns(TABLE, LABELS) == [
        "row",
        "id",
        "text",
        "predicted_label",
        "prob_negative",
        "prob_positive",
        "problem",
        "num_unknown",
        "num_pieces",
        "note",
    ]
    assert report_rows(TABLE, LABELS, SCORED) == [
        [1, "a", "good", "positive", 0.333333, 0.666667, "", 0, 1, ""],
        [2, "b", "", "", "", "", "There is no text yet.", "", "", ""],
        [4, "d", "bad", "negative", 0.9, 0.1, "", 0, 1, ""],
    ]


def test_the_file_opens_in_a_spreadsheet_safely(tmp_path):
    evil = ("=cmd()", "positive")
    scores = [ScoredText(2, SentimentScore({"=cmd()": 0.9, "positive": 0.1}, 1, 0, 1))]
    data = write_report(TABLE, evil, scores, tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(rows) == 2
    assert not any(cell.startswith("=") for row in rows for cell in row)
    assert rows[1][2:4] == ["'=1+1", "'=cmd()"]
