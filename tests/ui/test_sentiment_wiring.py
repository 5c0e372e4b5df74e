import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError


@pytest.fixture
def client(app_url):
    return Client(app_url, verbose=False)


def test_a_text_gets_a_label_with_its_probabilities(client):
    answer = client.predict("A wonderful little film.", api_name="/score_sentiment")
    assert answer["label"] == "positive"
    shares = {row["label"]: row["confidence"] for row in answer["confidences"]}
    assert set(shares) == {"negative", "positive"}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)


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
    assert answer["label"] in ("negative", "positive")


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
