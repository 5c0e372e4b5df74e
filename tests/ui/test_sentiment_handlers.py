import pytest

from foundry.ui.sentiment_plots import label_bars, word_pulls
from foundry.ui.sentiment_tab import explain_sentiment, on_explain, on_text, score_sentiment

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
    probs = score_sentiment(text)
    assert sum(probs.values()) == pytest.approx(1, abs=1e-5)
    assert max(probs, key=probs.get) == label


def test_typing_shows_probabilities_and_forgets_the_words_of_another_text():
    bars, note, words = on_text("A warm and funny story.")
    assert "<b>positive</b>" in bars
    assert "tokens in" in note
    assert words == word_pulls(None)


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_box_says_what_to_do(text):
    assert on_text(text) == (label_bars(None), "", word_pulls(None))


def test_a_word_that_decides_pulls_most():
    answer = explain_sentiment("The film was awful.")
    assert answer["label"] == "negative"
    assert max(answer["words"], key=lambda word: word["score"])["word"] == "awful"


def test_the_pulls_sum_to_the_margin_within_the_error_shown():
    answer = explain_sentiment("The first half was dull, the second half delightful.")
    total = sum(word["score"] for word in answer["words"])
    margin = answer["margin"] - answer["baseline_margin"]
    assert abs(total - margin) == pytest.approx(answer["completeness_error"], abs=1e-4)


def test_markup_in_a_text_is_shown_as_text():
    html = on_explain("<img src=x onerror=alert(1)> wonderful")
    assert "<img" not in html
    assert "&lt;" in html
