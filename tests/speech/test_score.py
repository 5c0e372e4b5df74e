import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.errors import InputError
from foundry.speech.score import AlignedWord, score_transcript

texts = st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=8).map(" ".join)


def test_an_alignment_by_hand():
    score = score_transcript("One, two three four!", "and one too four")
    assert score.words == (
        AlignedWord("insert", "", "and"),
        AlignedWord("equal", "one", "one"),
        AlignedWord("substitute", "two", "too"),
        AlignedWord("delete", "three", ""),
        AlignedWord("equal", "four", "four"),
    )
    # Three errors over four words.
    assert score.wer == pytest.approx(3 / 4)


def test_characters_by_hand():
    # “o” for “w” among nine characters, the spaces among them.
    assert score_transcript("one two a", "one too a").cer == pytest.approx(1 / 9)


def test_case_punctuation_and_apostrophes():
    assert score_transcript("It’s “THIS” – isn't_it?", "it's this isn't it").wer == 0


def test_single_quotation_marks_are_no_letters():
    score = score_transcript("He said 'go left' - ' - at five o'clock", "he said go left at five")
    assert [word.kind for word in score.words] == ["equal"] * 6 + ["delete"]
    assert score.words[-1].reference == "o'clock"


def test_marks_are_letters_and_joiners_are_not_heard():
    assert score_transcript("re\u0301sume\u0301", "RÉSUMÉ").wer == 0
    hindi = score_transcript("यह फ़िल्म अच्छी है", "यह फ़िल्म बुरी है")
    assert (hindi.wer, len(hindi.words)) == (0.25, 4)
    assert score_transcript("می\u200cخواهم", "میخواهم").wer == 0


@pytest.mark.parametrize("sign", "'’‘‛ʼ´`′＇")
def test_any_sign_that_is_typed_for_an_apostrophe_is_one(sign):
    assert score_transcript(f"I don{sign}t, {sign}go{sign}", "i don't go").wer == 0


def test_where_a_line_may_be_broken_a_word_goes_on():
    assert score_transcript("\ufeffre\u00adcord\u00ading on\u2060ly", "recording only").wer == 0


def test_nothing_heard_is_all_missed():
    score = score_transcript("one two", "")
    assert (score.wer, score.cer) == (1.0, 1.0)
    assert [word.kind for word in score.words] == ["delete", "delete"]


def test_more_heard_than_said_is_worse_than_one():
    assert score_transcript("one", "one two three four").wer == 3


@pytest.mark.parametrize("reference", ["", "   ", "?! …", "_"])
def test_a_reference_without_words_is_refused(reference):
    with pytest.raises(InputError, match="no word"):
        score_transcript(reference, "one")


def test_a_book_is_refused():
    with pytest.raises(InputError, match="20,000"):
        score_transcript("word " * 5_000, "word")


@given(reference=texts.filter(bool), heard=texts)
def test_the_alignment_spells_both_texts_and_adds_up_to_the_rate(reference, heard):
    score = score_transcript(reference, heard)
    assert " ".join(word.reference for word in score.words if word.reference) == reference
    assert " ".join(word.heard for word in score.words if word.heard) == heard
    errors = sum(word.kind != "equal" for word in score.words)
    assert score.wer == pytest.approx(errors / len(reference.split()))
    assert score.wer == pytest.approx(jiwer.wer(reference, heard))
