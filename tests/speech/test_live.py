import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speaking import RATE_HZ, speak

from foundry.speech import load_recogniser
from foundry.speech.live import LiveState, end_listening, listen

LONGEST_S = 10.0


def pieces_of(waveform, piece_s, rate_hz=RATE_HZ):
    size = max(1, round(piece_s * rate_hz))
    return [waveform[start : start + size] for start in range(0, len(waveform), size)]


def follow(recogniser, pieces, rate_hz=RATE_HZ):
    """Yield the state after every piece."""
    state = LiveState()
    for piece in pieces:
        state = listen(recogniser, state, piece, rate_hz)
        yield state


def settled(state):
    return [word for sentence in (*state.sentences, state.settled) for word in sentence]


def text(words):
    return " ".join(word.word for word in words)


def with_silence(waveform, seconds=2.0):
    return np.concatenate([waveform, np.zeros(round(seconds * RATE_HZ), np.float32)])


@pytest.fixture(scope="module")
def tiny(tiny_speech_dir):
    return load_recogniser(str(tiny_speech_dir))


@pytest.mark.slow("minutes of speech")
@settings(max_examples=10)
@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.floats(0.02, 0.7), min_size=1, max_size=8),
    rate_hz=st.sampled_from([16_000, 44_100, 48_000]),
)
def test_settled_words_never_change_and_memory_is_bounded(tiny, seed, sizes, rate_hz):
    """The tiny model answers noise with ever other letters: the hardest case."""
    rng = np.random.default_rng(seed)
    pieces = [
        (0.1 * rng.standard_normal(round(size * rate_hz))).astype(np.float32)
        for size in sizes * (1 + int(14 / sum(sizes)))
    ][:60]
    before = []
    for state in follow(tiny, pieces, rate_hz):
        words = settled(state)
        assert words[: len(before)] == before
        before = words
        assert len(state.window) <= LONGEST_S * rate_hz
        times = [time for word in words for time in (word.start_s, word.end_s)]
        assert all(-1e-9 <= time <= state.now_s + 0.02 for time in times)
    assert state.now_s == pytest.approx(sum(len(piece) for piece in pieces) / rate_hz)


@pytest.mark.parametrize("piece_s", [0.1, 0.2, 0.5])
def test_words_come_while_they_are_spoken_and_settle(shipped_recogniser, piece_s):
    waveform, times = speak("three one seven three", 0.5)
    *_, last = states = list(follow(shipped_recogniser, pieces_of(with_silence(waveform), piece_s)))
    assert [text(sentence) for sentence in last.sentences] == ["three one seven three"]
    assert (last.settled, last.partial) == ((), ())
    for word, (start_s, end_s) in zip(last.sentences[0], times, strict=True):
        assert (word.start_s, word.end_s) == pytest.approx((start_s, end_s), abs=0.1)
    # The first word was shown, and settled, before the last was said.
    early = next(state for state in states if state.settled)
    assert early.now_s < times[-1][0]


def test_what_comes_all_at_once_is_heard_whole(shipped_recogniser):
    """As after a model was built, for which the microphone waited."""
    said = "seven three one four stop go left " * 4
    waveform, _ = speak(said, 0.15)
    assert len(waveform) > (LONGEST_S + 4) * RATE_HZ
    ended = end_listening(listen(shipped_recogniser, LiveState(), waveform, RATE_HZ))
    assert text(settled(ended)) == said.strip()


def test_a_pause_ends_a_sentence(shipped_recogniser):
    first, _ = speak("seven three")
    second, _ = speak("one three")
    waveform = np.concatenate([with_silence(first), with_silence(second)])
    *_, last = follow(shipped_recogniser, pieces_of(waveform, 0.2))
    assert [text(sentence) for sentence in last.sentences] == ["seven three", "one three"]


def test_what_was_not_settled_is_kept_when_the_microphone_goes_off(shipped_recogniser):
    waveform, _ = speak("seven three one", 0.1)
    *_, last = follow(shipped_recogniser, pieces_of(waveform, 0.2))
    assert last.partial
    ended = end_listening(last)
    assert text(settled(ended)) == text(settled(last)) + " " + text(last.partial) or (
        not settled(last) and text(settled(ended)) == text(last.partial)
    )
    assert (ended.settled, ended.partial, ended.window) == ((), (), None)
    # Turned on again it starts afresh, and what was said stays.
    again = listen(shipped_recogniser, ended, waveform[:100], RATE_HZ)
    assert again.sentences == ended.sentences


def test_silence_says_nothing_and_keeps_little(shipped_recogniser):
    rng = np.random.default_rng(0)
    room = (0.001 * rng.standard_normal(8 * RATE_HZ)).astype(np.float32)
    for state in follow(shipped_recogniser, pieces_of(room, 0.25)):
        assert (state.sentences, state.settled, state.partial) == ((), (), ())
        assert len(state.window) <= 2.0 * RATE_HZ


def test_another_rate_starts_a_new_window(tiny):
    state = listen(tiny, LiveState(), np.zeros(48_000, np.float32), 48_000)
    state = listen(tiny, state, np.zeros(16_000, np.float32), 16_000)
    assert (state.rate_hz, state.now_s) == (16_000, 2.0)
    assert len(state.window) == 16_000


def test_the_state_before_is_left_as_it_was(shipped_recogniser):
    waveform, _ = speak("seven three one")
    state = listen(shipped_recogniser, LiveState(), waveform[:RATE_HZ], RATE_HZ)
    kept = state.window.copy()
    listen(shipped_recogniser, state, waveform[RATE_HZ:], RATE_HZ)
    assert np.array_equal(state.window, kept)
    assert state.now_s == 1.0
