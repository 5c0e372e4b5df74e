import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_wav2vec2 import SYMBOLS

from foundry.errors import ArtifactError
from foundry.speech.decoding.beam import (
    BIGRAM_FILE,
    END,
    UNKNOWN,
    BeamDecoder,
    BeamOptions,
    Bigram,
    load_beam_decoder,
    write_bigram,
)
from foundry.speech.decoding.paths import BeamFinder, GreedyFinder
from foundry.speech.words import Alphabet

ALPHABET = Alphabet(SYMBOLS, SYMBOLS.index("<pad>"), "|")
OPTIONS = BeamOptions(0.5, 0.0)
WORDS = Bigram.count(["one two", "forward", "for you", "go left", "go right"])


def label(character):
    return SYMBOLS.index("|" if character == " " else character)


def silence(num_frames):
    frames = np.full((num_frames, len(SYMBOLS)), -9.0, np.float32)
    frames[:, ALPHABET.blank] = 0.0
    return frames


def spell(text, heard=""):
    """Two frames a character and a blank; where `heard` differs, it is a little more likely."""
    frames = [silence(0)]
    for character, other in zip(text, heard or text, strict=True):
        spoken = np.full((2, len(SYMBOLS)), -9.0, np.float32)
        spoken[:, label(character)] = -0.9
        spoken[:, label(other)] = -0.6
        frames += [spoken, silence(1)]
    return np.concatenate(frames)


def decode(finder, *pieces):
    for piece in pieces:
        finder.add(piece)
    return " ".join(span.word for span in finder.finish())


def greedy():
    return GreedyFinder(ALPHABET)


def beam(bigram=WORDS):
    return BeamFinder(BeamDecoder(bigram, OPTIONS, ALPHABET), ALPHABET)


@given(st.lists(st.sampled_from(["one", "three", "o'clock", "a"]), min_size=1, max_size=5))
def test_greedy_decoding_inverts_spelling(words):
    assert decode(greedy(), spell(" ".join(words))) == " ".join(words)


def test_beam_search_stays_within_its_words():
    heard = spell("for you", "fir yoo")
    assert decode(greedy(), heard) == "fir yoo"
    assert decode(beam(), heard) == "for you"
    assert decode(beam(), spell("forward")) == "forward"
    assert decode(beam(), silence(40)) == ""
    assert decode(beam(), silence(0)) == ""
    assert decode(beam()) == ""


def test_the_words_of_a_beam_search_are_where_the_letters_are():
    finder = beam()
    finder.add(np.concatenate([silence(100), spell("for"), silence(20), spell(" you", " yoo")]))
    words = finder.finish()
    assert [word.word for word in words] == ["for", "you"]
    # Three frames a letter; a label may lie on either of its two frames.
    assert [word.first for word in words] == pytest.approx([100, 132], abs=1)
    assert [word.last for word in words] == pytest.approx([107, 140], abs=1)
    # The letter that was not heard has half the chance of one that was.
    assert words[1].confidence < words[0].confidence < 1


@given(cuts=st.lists(st.integers(0, 600), max_size=6))
def test_where_the_frames_are_cut_changes_nothing(cuts):
    gap = silence(45)
    said = [spell("go left "), gap, gap, gap, spell("one two "), gap, spell("for you", "fir yoo")]
    pieces = np.split(np.concatenate([gap, *said]), sorted(cuts))
    assert decode(greedy(), *pieces) == "go left one two fir yoo"
    assert decode(beam(), *pieces) == "go left one two for you"


def test_hours_of_speech_without_a_pause_are_searched_in_stretches():
    # 30 s of frames and more: a cut falls between two words, because the delimiter is silent.
    frames = np.concatenate([spell("go left ")] * 100)
    finder = beam()
    finder.add(frames)
    assert len(finder._waiting) <= 1500
    assert decode(finder) == " ".join(["go left"] * 100)


def test_bigram_probabilities_sum_to_one():
    bigram = Bigram.count(["go left", "go right", "stop"])
    for before in (END, "go", "stop"):
        total = sum(math.exp(bigram.log_prob(before, word)) for word in [*bigram.words, END])
        assert total == pytest.approx(1.0)
    assert bigram.log_prob("go", "left") > bigram.log_prob("stop", "left")


def test_leaving_out_rare_words_keeps_the_probabilities_of_the_others():
    sentences = ["go left"] * 5 + ["go right"] * 3 + ["go nowhere"]
    whole, frequent = Bigram.count(sentences), Bigram.count(sentences).keep_frequent(3)
    assert frequent.words == ["go", "left", "right"]
    for before, word in ((END, "go"), ("go", "left"), ("go", "right")):
        assert frequent.log_prob(before, word) == pytest.approx(whole.log_prob(before, word))
    total = sum(math.exp(frequent.log_prob("go", word)) for word in [*frequent.words, END, UNKNOWN])
    assert total == pytest.approx(1.0)


def test_bigram_needs_words():
    with pytest.raises(ValueError, match="no words"):
        Bigram.count([""])


def test_a_word_list_survives_the_file(tmp_path):
    write_bigram(WORDS, OPTIONS, tmp_path)
    decoder = load_beam_decoder(tmp_path, ALPHABET)
    assert decode(BeamFinder(decoder, ALPHABET), spell("for you", "fir yoo")) == "for you"
    assert load_beam_decoder(tmp_path, ALPHABET) is decoder


def test_a_model_without_a_word_list_offers_no_beam_search(tmp_path):
    assert load_beam_decoder(tmp_path, ALPHABET) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"lm_weight":1,"word_score":0,"words":["</s>"],"pairs":[[0,9,1]]}',
        '{"lm_weight":1,"word_score":0,"words":["</s>"],"pairs":[[0,0,1]]}',
        '{"lm_weight":1,"word_score":0,"words":["</s>","a"],"pairs":[[0,1,Infinity]]}',
        '{"lm_weight":NaN,"word_score":0,"words":["</s>","a"],"pairs":[[0,1,1]]}',
        '{"lm_weight":-1,"word_score":0,"words":["</s>","a"],"pairs":[[0,1,1]]}',
        '{"lm_weight":1,"word_score":-Infinity,"words":["</s>","a"],"pairs":[[0,1,1]]}',
    ],
)
def test_a_damaged_word_list_is_named(tmp_path, content):
    (tmp_path / BIGRAM_FILE).write_text(content)
    with pytest.raises(ArtifactError, match=BIGRAM_FILE):
        load_beam_decoder(tmp_path, ALPHABET)


def test_words_in_letters_that_the_model_lacks_are_left_out():
    decoder = BeamFinder(
        BeamDecoder(Bigram.count(["naïve go", "go left"]), OPTIONS, ALPHABET), ALPHABET
    )
    assert decode(decoder, spell("go left")) == "go left"


def test_visitors_share_a_decoder():
    decoder = BeamDecoder(WORDS, OPTIONS, ALPHABET)
    texts = ["go left", "one two", "for you", "forward"] * 10
    with ThreadPoolExecutor(4) as threads:
        heard = threads.map(lambda text: decode(BeamFinder(decoder, ALPHABET), spell(text)), texts)
    assert list(heard) == texts
