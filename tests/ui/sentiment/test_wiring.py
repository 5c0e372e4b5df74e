import csv

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

LABELS = ("negative", "neutral", "positive")


@pytest.fixture
def client(app_url):
    return Client(app_url, verbose=False)


def test_a_text_gets_a_label_with_its_probabilities(client):
    answer = client.predict("A wonderful little film.", api_name="/score_sentiment")
    assert answer["label"] == "positive"
    shares = {row["label"]: row["confidence"] for row in answer["confidences"]}
    assert set(shares) - {"neutral"} == {"negative", "positive"}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert (answer["num_tokens"], answer["num_unknown"]) == (5, 0)


def test_an_explanation_lists_every_word(client):
    answer = client.predict("The film was awful.", api_name="/explain_sentiment")
    assert [row["text"] for row in answer["words"]] == ["The", "film", "was", "awful", "."]
    assert answer["label"] == "negative"


@pytest.mark.parametrize(
    "text",
    ["😀😀😀", "هذا الفيلم رائع", "这部电影很好看。", "good\x00film", "a\ud800b", "x " * 40_000],
)
def test_unusual_texts_get_a_sensible_answer(client, text):
    answer = client.predict(
        text.encode("utf-8", "replace").decode("utf-8"), api_name="/score_sentiment"
    )
    assert answer["label"] in LABELS


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("",), "There is no text yet"),
        (("  \n\t ",), "There is no text yet"),
        ((None,), "There is no text yet"),
        (("x" * 1_000_000,), "at most 100,000"),
        (("fine", "no/such/model/anywhere"), "neither a folder"),
        (("fine", "bert-sentiment", "int3"), "choose one of dense"),
    ],
)
def test_what_cannot_be_scored_gets_a_sentence(client, arguments, sentence):
    with pytest.raises(AppError, match=sentence) as refused:
        client.predict(*arguments, api_name="/score_sentiment")
    assert "Traceback" not in str(refused.value)


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def score_file(client, tmp_path, name, content, *arguments):
    (tmp_path / name).write_bytes(content)
    return client.predict(
        handle_file(tmp_path / name), *arguments, api_name="/score_sentiment_batch"
    )


def test_a_file_comes_back_with_answers_beside_its_rows(client, tmp_path):
    content = b'id;review\n1;"Awful; truly awful."\n2;=1+1\n3;\n4;A wonderful film.\n'
    rows = read_csv(score_file(client, tmp_path, "reviews.csv", content, "review"))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [rows[0]["predicted_label"], rows[3]["predicted_label"]] == ["negative", "positive"]
    assert rows[1]["review"] == "'=1+1"
    assert "no text" in rows[2]["problem"]
    single = client.predict("A wonderful film.", api_name="/score_sentiment")
    shares = {row["label"]: row["confidence"] for row in single["confidences"]}
    assert float(rows[3]["prob_positive"]) == pytest.approx(shares["positive"], abs=1e-5)


def test_the_column_and_the_model_have_defaults(client, tmp_path):
    rows = read_csv(score_file(client, tmp_path, "lines.txt", "Schön, wonderful!\n".encode()))
    assert [row["predicted_label"] for row in rows] == ["positive"]


@pytest.mark.parametrize(
    ("name", "content", "arguments", "sentence"),
    [
        ("a.csv", b"id,review\n1,fine\n", ("text",), "Its columns are: id, review"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", (), "not a text file"),
        ("a.csv", b"", (), "is empty"),
        ("a.xlsx", b"PK\x03\x04", (), "not a CSV, TSV or TXT"),
        ("a.csv", b"text\nfine\n", ("text", "no/such/model"), "neither a folder"),
        ("a.csv", b"text\nfine\n", ("text", "bert-sentiment", "int3"), "choose one of dense"),
    ],
)
def test_a_file_that_cannot_be_scored_gets_a_sentence(
    client, tmp_path, name, content, arguments, sentence
):
    with pytest.raises(AppError, match=sentence) as refused:
        score_file(client, tmp_path, name, content, *arguments)
    assert "Traceback" not in str(refused.value)


def test_what_was_repaired_is_beside_its_row(client, tmp_path):
    rows = read_csv(score_file(client, tmp_path, "a.csv", b'text\n"Awful\n\nGood\n'))
    assert [row["predicted_label"] for row in rows] == ["negative", "positive"]
    assert rows[0]["note"] == "1 × quotation mark that encloses no cell, read as a sign (line 2)."
    assert rows[0]["num_unknown"] == "0"
    assert rows[1]["note"] == "1 × empty row, left out (line 3)."


def test_no_file_gets_a_sentence(client):
    with pytest.raises(AppError, match="There is no file"):
        client.predict(None, api_name="/score_sentiment_batch")


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [
        ("/score_sentiment", (3,)),
        ("/score_sentiment", (["a", "list"],)),
        ("/score_sentiment", ({"a": 1},)),
        ("/score_sentiment", ("fine", 3)),
        ("/score_sentiment", ("fine", None)),
        ("/score_sentiment", ("fine", "bert-sentiment", None)),
        ("/score_sentiment", ("fine", "x" * 5_000)),
        ("/score_sentiment", ("fine", "a\x00b")),
        ("/explain_sentiment", (None,)),
        ("/explain_sentiment", ("",)),
        ("/explain_sentiment", ([1],)),
        ("/explain_sentiment", ("word " * 5_000,)),
        ("/explain_sentiment", ("fine", "../../etc")),
    ],
)
def test_wrong_types_and_odd_values_get_an_answer_or_a_sentence(client, endpoint, arguments):
    try:
        answer = client.predict(*arguments, api_name=endpoint)
    except AppError as refused:
        message = str(refused)
        # Gradio's words for an error nobody foresaw.
        assert "show_error" not in message and "Traceback" not in message
        assert message.endswith(".")
    else:
        assert answer["label"] in LABELS


def test_words_of_the_explanation_are_places_in_its_text(client):
    answer = client.predict("  Good\x00 but, honestly, slow…  🙂", api_name="/explain_sentiment")
    for word in answer["words"]:
        assert answer["text"][word["start"] : word["end"]] == word["text"]
    total = sum(word["score"] for word in answer["words"])
    difference = answer["margin"] - answer["baseline_margin"]
    # What JSON and float32 sums in another order may change.
    assert abs(total - difference) == pytest.approx(answer["completeness_error"], abs=1e-4)
