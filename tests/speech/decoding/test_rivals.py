import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.speech.decoding.beam import BeamDecoder, BeamOptions, Bigram
from foundry.speech.decoding.letters import Letters, collapse_path
from foundry.speech.decoding.rivals import rank_spellings, rank_words
from foundry.speech.words import Alphabet

ALPHABET = Alphabet(("_", "|", "a", "b"), 0, "|")
# Equally probable words, and only the sound counts.
DECODER = BeamDecoder(Bigram.count(["a", "b", "ab", "aa"]), BeamOptions(0.0, 0.0), ALPHABET)


def random_log_probs(seed, num_frames):
    logits = np.random.default_rng(seed).normal(0, 2, (num_frames, len(ALPHABET.symbols)))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def every_path(num_frames):
    return itertools.product(range(len(ALPHABET.symbols)), repeat=num_frames)


@given(seed=st.integers(0, 1000))
def test_rivals_are_what_trying_every_path_finds(seed):
    log_probs = random_log_probs(seed, 5)
    best = {}
    for path in every_path(5):
        word = collapse_path(path, ALPHABET).text
        score = float(sum(log_probs[frame, label] for frame, label in enumerate(path)))
        best[word] = max(best.get(word, -np.inf), score)
    scores = np.exp([best[word] for word in ("a", "b", "ab", "aa")])
    shares = dict(zip(("a", "b", "ab", "aa"), scores / scores.sum(), strict=True))
    found = {rival.word: rival.share for rival in rank_words(log_probs, DECODER)}
    assert found == pytest.approx(shares, rel=1e-3)


@given(seed=st.integers(0, 1000))
def test_spellings_are_what_the_sum_over_every_path_finds(seed):
    log_probs = random_log_probs(seed, 4)
    totals = {}
    for path in every_path(4):
        word = collapse_path(path, ALPHABET).text
        score = np.exp(sum(float(log_probs[frame, label]) for frame, label in enumerate(path)))
        totals[word] = totals.get(word, 0.0) + score
    ranked = rank_spellings(log_probs, ALPHABET)
    assert [rival.share for rival in ranked] == sorted((r.share for r in ranked), reverse=True)
    assert ranked[0].word == max(totals, key=totals.get)
    assert ranked[0].share == pytest.approx(totals[ranked[0].word], abs=0.05)


def test_a_path_collapses_step_by_step():
    collapse = collapse_path([2, 2, 0, 0, 2, 1, 3, 3], ALPHABET)
    assert "".join(symbol or "-" for symbol in collapse.frames) == "aa--a|bb"
    assert "".join(symbol or "-" for symbol in collapse.merged) == "a-a|b"
    assert collapse.text == "aa b"


def test_letters_survive_the_disk(tmp_path):
    letters = Letters(random_log_probs(0, 30).astype(np.float16), np.arange(30, dtype=np.int16) % 4)
    letters.write(tmp_path)
    part = Letters.read(tmp_path, len(ALPHABET.symbols)).cut(10, 20)
    np.testing.assert_array_equal(part.log_probs, letters.log_probs[10:20])
    np.testing.assert_array_equal(part.labels, letters.labels[10:20])
    np.testing.assert_array_equal(part.free_labels, letters.log_probs[10:20].argmax(1))
