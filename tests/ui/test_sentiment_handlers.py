from types import SimpleNamespace

import pytest

from foundry.ui.sentiment_api import explain_sentiment, score_sentiment
from foundry.ui.sentiment_choice import DEFAULT_MODEL
from foundry.ui.sentiment_tab import on_type
from foundry.ui.sentiment_words import on_explain, on_word

OBVIOUS = [
    ("I love this film, it is wonderful.", "positive"),
    ("What a fantastic little camera!", "positive"),
    ("The sound is crisp and the battery lasts for days.", "positive"),
    ("A warm, funny and moving story.", "positive"),
    ("Easily the best phone I have ever owned.", "positive"),
    ("It isn't bad at all.", "positive"),
    ("This is the worst film of the year.", "negative"),
    ("The player broke after two days and nobody helped.", "negative"),
    ("Boring, slow and far too long.", "negative"),
    ("I regret buying it.", "negative"),
    ("The plot makes no sense and the acting is awful.", "negative"),
    ("Not good.", "negative"),
]


@pytest.mark.parametrize(("text", "label"), OBVIOUS)
def test_obvious_sentences_come_out_right(text, label):
    probs = score_sentiment(text, DEFAULT_MODEL, "dense")
    assert sum(probs.values()) == pytest.approx(1, abs=1e-5)
    assert max(probs, key=probs.get) == label


def test_typing_shows_probabilities_and_the_time_they_took():
    answer, note = on_type("A warm and funny story.", DEFAULT_MODEL)
    assert "positive" in answer
    assert note.endswith(" ms.")


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_box_says_what_to_do(text):
    answer, note = on_type(text, DEFAULT_MODEL)
    assert "as you type" in answer
    assert note == ""


def test_a_word_that_decides_pulls_most():
    answer = explain_sentiment("The film was awful.", DEFAULT_MODEL)
    assert answer["label"] == "negative"
    assert max(answer["words"], key=lambda word: word["score"])["text"] == "awful"


def test_the_pulls_sum_to_the_margin_within_the_error_shown():
    answer = explain_sentiment(
        "The first half was dull, the second half delightful.", DEFAULT_MODEL
    )
    total = sum(word["score"] for word in answer["words"])
    margin = answer["margin"] - answer["baseline_margin"]
    assert abs(total - margin) == pytest.approx(answer["completeness_error"], abs=1e-4)


def test_markup_in_a_text_is_shown_as_text():
    _, words, _, _ = on_explain("<img src=x onerror=alert(1)> wonderful", DEFAULT_MODEL)
    assert "<img" not in words
    assert "&lt;" in words


def test_a_struck_word_is_left_out_of_the_comparison_and_comes_back():
    explained, *_ = on_explain("The film was awful.", DEFAULT_MODEL)
    struck, words, comparison = on_word(explained, SimpleNamespace(word=3))
    assert struck.removed == (3,)
    assert "Without “awful”" in comparison
    restored, again, _ = on_word(struck, SimpleNamespace(word=3))
    assert restored.removed == ()
    assert again != words
