import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_wav2vec2 import SYMBOLS

from foundry.speech.words import LOUDNESS_HOP_S, Alphabet, FrameClock, Span, place_words, read_path

ALPHABET = Alphabet(SYMBOLS, SYMBOLS.index("<pad>"), "|")
# The shipped model's: 60 ms every 20 ms.
CLOCK = FrameClock(0.02, 0.06)

labels = st.lists(
    st.one_of(st.sampled_from([0, 2, 4, 5]), st.integers(0, len(SYMBOLS) - 1)), max_size=60
)


def path_of(text):
    """Spell `_` for blank."""
    return np.array([0 if letter == "_" else SYMBOLS.index(letter) for letter in text], np.int16)


def spell(text, probs=None):
    path = path_of(text)
    return read_path(path, np.full(len(path), 0.5) if probs is None else probs, ALPHABET)


@given(labels=labels)
def test_words_are_those_of_the_tokenizer(labels, tiny_speech_processor):
    spans = read_path(np.array(labels, np.int16), np.ones(len(labels)), ALPHABET)
    expected = tiny_speech_processor.batch_decode([labels])[0]
    assert [span.word for span in spans] == expected.split()


@given(labels=labels)
def test_frames_of_words_are_those_of_the_tokenizer(labels, tiny_speech_processor):
    spans = read_path(np.array(labels, np.int16), np.ones(len(labels)), ALPHABET)
    decoded = tiny_speech_processor.tokenizer.decode(labels, output_word_offsets=True)
    offsets = [o for o in decoded["word_offsets"] if o["word"].strip()]
    assert [(span.first, span.last + 1) for span in spans] == [
        (offset["start_offset"], offset["end_offset"]) for offset in offsets
    ]


def test_a_path_by_hand():
    assert [(s.word, s.first, s.last) for s in spell("__oo_n_e|_t_hrre_e||__")] == [
        ("one", 2, 7),
        ("three", 10, 17),
    ]
    assert spell("") == []
    assert spell("____|_") == []


def test_confidence_is_the_geometric_mean_of_the_letters():
    probs = np.array([0.9, 0.5, 0.8, 0.9, 0.2])
    # “o” twice, of which the surer counts; the blank does not.
    (span,) = spell("oo_n_", probs)
    assert span.confidence == pytest.approx((0.9 * 0.9) ** 0.5)


def test_lower_case_is_asked_for_by_the_tokenizer():
    shouting = Alphabet(("<pad>", "|", "A", "B"), 0, "|", is_lower=True)
    assert read_path(np.array([2, 3]), np.ones(2), shouting)[0].word == "ab"


def sound(duration_s, *bursts, room=0.001):
    """Loudness of a room with louder stretches, each (start_s, end_s, loudness)."""
    loudness = np.full(round(duration_s / LOUDNESS_HOP_S), room, np.float32)
    for start_s, end_s, level in bursts:
        loudness[round(start_s / LOUDNESS_HOP_S) : round(end_s / LOUDNESS_HOP_S)] = level
    return loudness


def frame(time_s):
    return round((time_s - 0.02) / 0.02)


def test_a_word_reaches_as_far_as_its_sound():
    # Labels where CTC puts them: well inside the word.
    spans = [Span("one", frame(1.15), frame(1.3), 1.0), Span("two", frame(2.2), frame(2.25), 1.0)]
    loudness = sound(3.0, (1.0, 1.4, 0.3), (2.0, 2.5, 0.1))
    first, second = place_words(spans, CLOCK, loudness)
    assert (first.start_s, first.end_s) == pytest.approx((1.0, 1.4), abs=0.011)
    assert (second.start_s, second.end_s) == pytest.approx((2.0, 2.5), abs=0.011)


def test_a_silence_inside_a_word_belongs_to_it():
    # “eight”: vowel, closure, burst.
    loudness = sound(2.0, (0.5, 0.7, 0.3), (0.78, 0.82, 0.05))
    (word,) = place_words([Span("eight", frame(0.6), frame(0.66), 1.0)], CLOCK, loudness)
    assert (word.start_s, word.end_s) == pytest.approx((0.5, 0.82), abs=0.011)


def test_between_words_without_a_pause_the_quietest_moment_is_the_border():
    loudness = sound(2.0, (0.5, 0.9, 0.3), (0.9, 0.92, 0.05), (0.92, 1.4, 0.3))
    spans = [Span("a", frame(0.7), frame(0.75), 1.0), Span("b", frame(1.1), frame(1.2), 1.0)]
    first, second = place_words(spans, CLOCK, loudness)
    assert first.end_s == second.start_s == pytest.approx(0.9, abs=0.021)


@given(
    seed=st.integers(0, 10_000),
    num_words=st.integers(0, 12),
    duration_s=st.floats(0.05, 6.0),
)
def test_words_are_in_order_apart_and_inside_whatever_the_sound(seed, num_words, duration_s):
    rng = np.random.default_rng(seed)
    num_frames = max(1, round(duration_s / CLOCK.stride_s))
    edges = np.sort(rng.integers(0, num_frames, 2 * num_words))
    spans = [Span(str(i), int(edges[2 * i]), int(edges[2 * i + 1]), 1.0) for i in range(num_words)]
    loudness = rng.exponential(0.1, round(duration_s / LOUDNESS_HOP_S)).astype(np.float32)
    loudness[rng.random(len(loudness)) < 0.3] = 0
    words = place_words(spans, CLOCK, loudness)
    assert [word.word for word in words] == [span.word for span in spans]
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert all(0 <= time <= len(loudness) * LOUDNESS_HOP_S + 1e-9 for time in times)
    assert all(word.start_s <= word.end_s for word in words)
    assert times == sorted(times)


def test_a_word_reaches_no_further_than_speech_can_from_its_labels():
    """Of a sound that goes on for seconds only 0.3 s on either side of the labels is the word."""
    spans = [Span("one", frame(2.0), frame(2.1), 1.0)]
    (word,) = place_words(spans, CLOCK, sound(4.0, (0.5, 3.5, 0.3)))
    start_s, end_s = CLOCK.start_s(frame(2.0)), CLOCK.end_s(frame(2.1))
    assert (word.start_s, word.end_s) == pytest.approx((start_s - 0.3, end_s + 0.3), abs=0.011)
