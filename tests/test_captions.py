import jiwer
import pytest

from foundry.captions import build_cues, format_srt, format_vtt
from foundry.errors import InputError
from foundry.speech import Transcript
from foundry.speech_score import score_transcript
from foundry.speech_words import Word

WORDS = tuple(
    Word(word, start_s, start_s + 0.3, 0.9)
    for word, start_s in (("one", 0.5), ("two", 1.0), ("three", 3661.25))
)


def test_a_pause_ends_a_cue():
    assert [cue.text for cue in build_cues(WORDS)] == ["one two", "three"]


def test_times_are_written_as_players_read_them():
    transcript = Transcript(WORDS, 3700.0)
    assert "00:00:00,500 --> 00:00:01,300" in format_srt(transcript)
    assert format_vtt(transcript).startswith("WEBVTT")
    assert "01:01:01.250 --> 01:01:01.550" in format_vtt(transcript)


def test_error_rates_are_those_of_jiwer_and_the_alignment_explains_them():
    score = score_transcript("One, two three!", "one too three four")
    assert score.wer == jiwer.wer("one two three", "one too three four") == pytest.approx(2 / 3)
    assert [word.kind for word in score.words] == ["equal", "substitute", "equal", "insert"]


def test_a_reference_without_words_gets_a_sentence():
    with pytest.raises(InputError, match="no word"):
        score_transcript(" ?! ", "one")
