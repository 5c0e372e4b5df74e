"""Speech while it is spoken: a bounded window for every step, words that settle and then stay."""

from dataclasses import dataclass, replace

import numpy as np

from foundry.speech.audio import SAMPLE_RATE_HZ, resample
from foundry.speech.chunks import Chunk
from foundry.speech.loudness import LoudnessMeter
from foundry.speech.transcription import GREEDY, Recogniser, compute_log_probs, find_words
from foundry.speech.words import Word, place_words

# A word that ended so long ago is not changed by what is said next, and stays as it is.
_SETTLE_S = 0.6
# Silence after which a sentence is over.
_END_S = 1.2
# What is heard again before the first word that has not settled, and the most that is heard.
_CONTEXT_S, _LONGEST_S = 2.0, 10.0
# What comes at once is heard in steps of so much at most: beside what has not settled, it fits into
# the longest.
_STEP_S = 4.0


@dataclass(frozen=True)
class LiveState:
    """What is known between two steps.

    Attributes:
        sentences: Sentences that are over, each a tuple of words; never changed again.
        settled: Words of the present sentence that are never changed again.
        partial: Words after those, which may still change.
        now_s: Seconds of sound so far.
        window: Float32 (samples,): the sound that is still of use, ending now.
        rate_hz: Of the window.
        settled_until_s: What begins before is part of a settled word.
    """

    sentences: tuple[tuple[Word, ...], ...] = ()
    settled: tuple[Word, ...] = ()
    partial: tuple[Word, ...] = ()
    now_s: float = 0.0
    window: np.ndarray | None = None
    rate_hz: int = SAMPLE_RATE_HZ
    settled_until_s: float = 0.0


def listen(
    recogniser: Recogniser, state: LiveState, samples: np.ndarray, rate_hz: int
) -> LiveState:
    """Hear a little more.

    Args:
        recogniser: The model.
        state: From the step before; not modified.
        samples: Mono float32 (samples,) that follow what was heard.
        rate_hz: Of the samples; a microphone's own.

    Returns:
        The state after it. Times are in seconds since the first step.
    """
    length = round(_STEP_S * rate_hz)
    for start in range(0, max(1, len(samples)), length):
        state = _step(recogniser, state, samples[start : start + length], rate_hz)
    return state


def _step(recogniser: Recogniser, state: LiveState, samples: np.ndarray, rate_hz: int) -> LiveState:
    window = samples
    if state.window is not None and state.rate_hz == rate_hz:
        window = np.concatenate([state.window, samples])
    now_s = state.now_s + len(samples) / rate_hz
    window = window[-round(_LONGEST_S * rate_hz) :]
    words = _recognise(recogniser, resample(window, rate_hz), now_s - len(window) / rate_hz)
    words = [word for word in words if _middle_s(word) > state.settled_until_s]
    done = sum(1 for word in words if word.end_s < now_s - _SETTLE_S)
    settled, partial = (*state.settled, *words[:done]), tuple(words[done:])
    settled_until_s = state.settled_until_s
    if done:
        next_start_s = partial[0].start_s if partial else now_s
        settled_until_s = min((settled[-1].end_s + next_start_s) / 2, settled[-1].end_s + _SETTLE_S)
    sentences = state.sentences
    # A word that was there a moment ago may come back.
    is_quiet = not partial and not state.partial
    if settled and is_quiet and now_s - settled[-1].end_s > _END_S:
        sentences, settled = (*sentences, settled), ()
    # Where nobody speaks nothing settles, but what is long past is of no use either.
    needed_s = now_s - max(settled_until_s - _CONTEXT_S, now_s - _LONGEST_S)
    if not partial:
        needed_s = min(needed_s, _CONTEXT_S)
    return LiveState(
        sentences,
        settled,
        partial,
        now_s,
        window[-max(1, round(needed_s * rate_hz)) :],
        rate_hz,
        settled_until_s,
    )


def end_listening(state: LiveState) -> LiveState:
    """Settle what is left, when the microphone is turned off.

    Args:
        state: From the last step; not modified.
    """
    words = (*state.settled, *state.partial)
    sentences = (*state.sentences, words) if words else state.sentences
    return replace(state, sentences=sentences, settled=(), partial=(), window=None)


def _recognise(recogniser: Recogniser, waveform: np.ndarray, start_s: float) -> list[Word]:
    if not recogniser.grid.count_frames(len(waveform)):
        return []
    chunk = Chunk(waveform, float(waveform.mean()), float(waveform.std()))
    finder = find_words(recogniser, GREEDY)
    finder.add(compute_log_probs(recogniser, chunk))
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    list(meter.follow([waveform]))
    return [
        replace(word, start_s=word.start_s + start_s, end_s=word.end_s + start_s)
        for word in place_words(finder.finish(), recogniser.clock, meter.loudness)
    ]


def _middle_s(word: Word) -> float:
    return (word.start_s + word.end_s) / 2
