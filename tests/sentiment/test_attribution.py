import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Metaspace
from transformers import (
    BertForSequenceClassification,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from foundry.errors import InputError
from foundry.sentiment.attribution import (
    MAX_TOKENS,
    compile_words,
    explain_text,
    remove_word,
)
from foundry.sentiment.readable import make_readable


@pytest.fixture(scope="module")
def model(tiny_bert: BertForSequenceClassification) -> BertForSequenceClassification:
    return tiny_bert


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    return tiny_tokenizer


def logit_margin(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, ids: list[int]
) -> float:
    """The positive logit less the negative one, straight from the network."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0]
    return (logits[1] - logits[0]).item()


@pytest.mark.parametrize(
    "text",
    [
        "I loved every minute of it.",
        "The plot isn't clever, it's tiresome!",
        "Unbelievably good-looking, yet disappointingly heavy 🙂",
    ],
)
def test_scores_sum_to_the_difference_of_outputs(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, text: str
) -> None:
    explanation = explain_text(model, tokenizer, text, label="positive")
    ids = tokenizer(make_readable(tokenizer, [text])[0].text)["input_ids"]
    padding = [ids[0], *[tokenizer.pad_token_id] * (len(ids) - 2), ids[-1]]
    difference = logit_margin(model, tokenizer, ids) - logit_margin(model, tokenizer, padding)
    total = sum(word.score for word in explanation.words)
    # Float32 sums in another order, beside the stated error of the integration.
    assert total == pytest.approx(difference, abs=explanation.completeness_error + 1e-4)
    assert explanation.completeness_error < 0.05 * abs(difference)


def test_scores_of_a_long_text_sum_over_its_pieces(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    explanation = explain_text(model, tokenizer, "It is a good one. " * 110)
    assert explanation.num_pieces == 2
    total = sum(word.score for word in explanation.words)
    difference = explanation.margin - explanation.baseline_margin
    assert total == pytest.approx(difference, abs=explanation.completeness_error + 1e-4)
    assert len(explanation.words) == 6 * 110


def test_the_two_labels_are_each_others_opposite(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    text = "Funny but far too long."
    positive = explain_text(model, tokenizer, text, label="positive")
    negative = explain_text(model, tokenizer, text, label="negative")
    for one, other in zip(positive.words, negative.words, strict=True):
        assert one.score == pytest.approx(-other.score, abs=1e-3)


def test_word_pieces_are_merged_into_whole_words(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    text = "It isn't unwatchable, just long-winded."
    explanation = explain_text(model, tokenizer, text)
    found = [word.text for word in explanation.words]
    assert found == ["It", "isn't", "unwatchable", ",", "just", "long-winded", "."]
    assert len(tokenizer.tokenize(text)) > len(found)
    assert all(text[word.start : word.end] == word.text for word in explanation.words)


def test_a_token_that_begins_with_a_space_counts_with_the_word_after_it(
    model: BertForSequenceClassification,
) -> None:
    spaced = Tokenizer(WordLevel({"▁good": 5, "▁film": 6, "?": 1}, unk_token="?"))
    spaced.pre_tokenizer = Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=spaced, unk_token="?")
    assert tokenizer("good film", return_offsets_mapping=True)["offset_mapping"][1] == (4, 9)
    words = explain_text(model, tokenizer, "good film").words
    assert [word.text for word in words] == ["good", "film"]
    assert all(word.score for word in words)


def test_words_are_the_visitors_own_whatever_the_tokenizer_reads(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    text = "ﬁne, isn’t it😡😡 Ｇｏｏｄ 👍🏽"
    explanation = explain_text(model, tokenizer, text)
    assert explanation.text == text
    found = [word.text for word in explanation.words]
    assert found == ["ﬁne", ",", "isn’t", "it", "😡😡", "Ｇｏｏｄ", "👍🏽"]
    assert all(text[word.start : word.end] == word.text for word in explanation.words)
    # Each was read, an emoji by its name, so each has a pull.
    assert all(word.score for word in explanation.words)
    assert explanation.num_unknown == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("यह फ़िल्म बहुत अच्छी है", "यह फ़िल्म बहुत अच्छी है"),
        ("cafe\u0301 tre\u0300s rate\u0301!", "cafe\u0301 tre\u0300s rate\u0301 !"),
        ("كِتَابٌ", "كِتَابٌ"),
        ("می\u200cخواهم، بله", "می\u200cخواهم ، بله"),
        ("1️⃣ ❤️ 👩‍👩‍👧", "1️⃣ ❤️ 👩‍👩‍👧"),
        ("好film", "好 film"),
    ],
)
def test_a_word_keeps_its_vowel_signs_accents_and_joiners(text: str, words: str) -> None:
    assert compile_words().findall(text) == words.split(" ")


def test_the_model_is_left_as_it_was(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    explain_text(model, tokenizer, "Good.")
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_unusable_input_is_a_sentence(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(InputError, match="no text yet"):
        explain_text(model, tokenizer, "  ")
    with pytest.raises(InputError, match="no label 'joy'; it has negative, positive"):
        explain_text(model, tokenizer, "Good.", label="joy")
    with pytest.raises(InputError, match=f"{MAX_TOKENS:,}"):
        explain_text(model, tokenizer, "good " * 2 * MAX_TOKENS)


@pytest.mark.parametrize("text", ["中文很好", "مرحبا بالعالم", "🙂🙂", "\u200b.", "a\x00b", "__"])
def test_any_script_is_explained(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, text: str
) -> None:
    assert explain_text(model, tokenizer, text).words


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("a very good film", 2, 6, "a good film"),
        ("very good", 0, 4, "good"),
        ("good film", 5, 9, "good"),
        ("good", 0, 4, ""),
        ("not, really", 0, 3, ", really"),
        # Only the space that would be doubled goes, and only if it is: others are the visitor's.
        ("good  film , but", 6, 10, "good  , but"),
        ("good\n\nfilm\n\nbut", 6, 10, "good\n\n\nbut"),
        # A space on one side only stays: without it words would run into each other.
        ("so (very) good", 3, 4, "so very) good"),
        ("so (very) good", 8, 9, "so (very good"),
        ("good , but", 5, 6, "good but"),
        ("it is good... or bad", 10, 13, "it is good or bad"),
    ],
)
def test_remove_word(text: str, start: int, end: int, rest: str) -> None:
    assert remove_word(text, start, end) == rest


@settings(deadline=None)
@given(words=st.lists(st.text("abc", min_size=1), min_size=1), data=st.data())
def test_removing_a_word_leaves_the_others(words: list[str], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(words) - 1))
    start = sum(len(word) + 1 for word in words[:position])
    rest = remove_word(" ".join(words), start, start + len(words[position]))
    assert rest == " ".join(words[:position] + words[position + 1 :])
