"""From the label of every frame to words with times and confidences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Stands for speech that is none of the words a model knows.
UNKNOWN_WORD = "…"
# Loudness is measured this often.
LOUDNESS_HOP_S = 0.01
# A word lasts while it is at least this share of its loudest moment, and so much above the room.
_WORD_SHARE, _ABOVE_ROOM = 0.015, 2.0
# How far beyond its labels a word may be heard, and which silences are inside it: the one before
# a “t” or “k” is part of the word.
_REACH_S, _CLOSURE_S = 0.3, 0.12
# The quietest tenth of so much sound on either side is the room.
_ROOM_S, _ROOM_PERCENTILE = 3.0, 10


@dataclass(frozen=True)
class Alphabet:
    """What a model's labels stand for.

    Attributes:
        symbols: One for each label.
        blank: The label that stands for nothing.
        delimiter: What separates words.
        is_lower: Whether the transcript is in lower case whatever the symbols are.
    """

    symbols: tuple[str, ...]
    blank: int
    delimiter: str
    is_lower: bool = False


@dataclass(frozen=True)
class FrameClock:
    """When frames are.

    Attributes:
        stride_s: From one frame to the next.
        width_s: What a frame hears.
    """

    stride_s: float
    width_s: float

    def start_s(self, frame: int) -> float:
        """Return where the part begins that a frame answers for, in the middle of what it hears."""
        return frame * self.stride_s + (self.width_s - self.stride_s) / 2

    def end_s(self, frame: int) -> float:
        """Return where that part ends."""
        return self.start_s(frame) + self.stride_s


@dataclass(frozen=True)
class Span:
    """A word on the path of labels.

    Attributes:
        word: As the model spells it.
        first: Frame of its first label.
        last: Frame of its last label.
        confidence: Geometric mean of its labels' probabilities, in [0, 1].
        doubtful: Whether it is likely to be another word.
    """

    word: str
    first: int
    last: int
    confidence: float
    doubtful: bool = False


@dataclass(frozen=True)
class Word:
    """A word that was heard.

    Attributes:
        word: As the model spells it; `UNKNOWN_WORD` for what is none of the words it knows.
        start_s: Where it begins, in seconds from the start of the recording.
        end_s: Where it ends.
        confidence: Geometric mean of its labels' probabilities, in [0, 1].
        doubtful: Whether it is likely to be another word.
    """

    word: str
    start_s: float
    end_s: float
    confidence: float
    doubtful: bool = False


def read_path(labels: np.ndarray, probs: np.ndarray, alphabet: Alphabet) -> list[Span]:
    """Merge repeated labels, drop blanks and cut at delimiters, as CTC says.

    Args:
        labels: Int (frames,): the label of every frame.
        probs: Float (frames,): its probability.
        alphabet: What labels stand for.

    Source:
        Graves et al., Connectionist temporal classification, 2006.
    """
    # Only frames where the label changes are looked at: hours of sound are mostly blank.
    edges = [*np.flatnonzero(np.diff(labels, prepend=-1)).tolist(), len(labels)]
    spans, word = [], _Letters()
    for start, end in pairwise(edges):
        label = int(labels[start])
        if alphabet.symbols[label] == alphabet.delimiter:
            spans += word.end(alphabet.is_lower)
            word = _Letters()
        elif label != alphabet.blank:
            word.add(alphabet.symbols[label], start, end, float(probs[start:end].max()))
    return spans + word.end(alphabet.is_lower)


class _Letters:
    """A word whose letters are still coming."""

    def __init__(self) -> None:
        self._symbols: list[str] = []
        self._log_probs: list[float] = []
        self._first, self._last = 0, 0

    def add(self, symbol: str, start: int, end: int, prob: float) -> None:
        if not self._symbols:
            self._first = start
        self._last = end - 1
        self._symbols.append(symbol)
        self._log_probs.append(float(np.log(max(prob, 1e-10))))

    def end(self, is_lower: bool) -> list[Span]:
        if not self._symbols:
            return []
        word = "".join(self._symbols)
        confidence = min(1.0, float(np.exp(np.mean(self._log_probs))))
        return [Span(word.lower() if is_lower else word, self._first, self._last, confidence)]


def place_words(spans: Sequence[Span], clock: FrameClock, loudness: np.ndarray) -> list[Word]:
    """Find where words begin and end in the sound.

    CTC labels a word with a few spikes inside it: they say which sound the word is, and the sound
    says how far it reaches. Between two words without a pause the quietest moment is the border.

    Args:
        spans: In order.
        clock: Of the frames.
        loudness: Float32, the root mean square of every `LOUDNESS_HOP_S` of the sound.

    Returns:
        Words in order that do not overlap, inside the sound.
    """
    if not spans or not len(loudness):
        return []
    labelled = [_hops(clock.start_s(span.first), clock.end_s(span.last)) for span in spans]
    num_hops = len(loudness)
    labelled = [(min(a, num_hops - 1), min(max(a + 1, b), num_hops)) for a, b in labelled]
    borders = [0]
    for (_, end), (start, _) in pairwise(labelled):
        between = loudness[end : max(start, end) + 1]
        border = end + int(between.argmin()) if len(between) else end
        borders.append(max(border, borders[-1]))
    borders.append(num_hops)
    words: list[Word] = []
    for span, part, (lowest, highest) in zip(spans, labelled, pairwise(borders), strict=True):
        reach = np.clip(_reach(loudness, *part, lowest, highest), lowest, highest)
        start_s, end_s = (round(int(hop) * LOUDNESS_HOP_S, 2) for hop in reach)
        words.append(Word(span.word, start_s, end_s, span.confidence, span.doubtful))
    return words


def _hops(start_s: float, end_s: float) -> tuple[int, int]:
    return max(0, round(start_s / LOUDNESS_HOP_S)), max(1, round(end_s / LOUDNESS_HOP_S))


def _reach(
    loudness: np.ndarray, start: int, end: int, lowest: int, highest: int
) -> tuple[int, int]:
    """Return the stretch of sound between two borders that the labelled stretch is part of."""
    reach, closure = round(_REACH_S / LOUDNESS_HOP_S), round(_CLOSURE_S / LOUDNESS_HOP_S)
    room_hops = round(_ROOM_S / LOUDNESS_HOP_S)
    room = np.percentile(loudness[max(0, start - room_hops) : end + room_hops], _ROOM_PERCENTILE)
    lowest, highest = max(lowest, start - reach), min(highest, end + reach)
    peak = loudness[start:end].max()
    is_loud = loudness[lowest:highest] > max(_WORD_SHARE * peak, min(_ABOVE_ROOM * room, peak / 2))
    loud = np.flatnonzero(is_loud) + lowest
    if not len(loud):
        return start, end
    # Loud stretches with only short silences between them are one.
    cuts = np.flatnonzero(np.diff(loud) > closure) + 1
    stretches = [(int(part[0]), int(part[-1]) + 1) for part in np.split(loud, cuts)]
    heard = [(a, b) for a, b in stretches if a < end and b > start]
    return (heard[0][0], heard[-1][1]) if heard else (start, end)
