"""What else a word may have been: the words or spellings that fit the same frames best."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from foundry.speech.decoding.beam import END, BeamDecoder
from foundry.speech.words import Alphabet

NUM_RIVALS = 5
# A stretch of more frames (2 s in the usual 20 ms) is more than one word.
MAX_FRAMES = 100
# Spellings that are followed at each frame.
_NUM_PREFIXES = 30


@dataclass(frozen=True)
class Rival:
    """What a stretch of sound may have been.

    Attributes:
        word: As the model spells it; empty for nothing at all.
        share: How probable it is beside all others that were weighed, in [0, 1].
    """

    word: str
    share: float


def rank_words(
    log_probs: np.ndarray, decoder: BeamDecoder, before: str = END, after: str = END
) -> list[Rival]:
    """Weigh every word of a list against the same frames.

    Args:
        log_probs: Float32 (frames, symbols), of the word and what is silent around it.
        decoder: Of the words, and of what counts in a search among them.
        before: The word before, or `END`.
        after: The word after, or `END`.

    Returns:
        The most probable ones, the best first, `NUM_RIVALS` at most.

    Source:
        Graves et al., Connectionist temporal classification, 2006, section 4.1, with the most
        probable path for the sum over all of them, as the search has it.
    """
    words, spellings, lengths = decoder.spellings
    if not len(words) or len(log_probs) < 1:
        return []
    blank, delimiter = decoder.alphabet.blank, decoder.delimiter
    silence = log_probs[:, [blank, delimiter]].max(1)
    num_words, longest = spellings.shape
    # Silence, then every letter with the blank after it; the last blank is silence, too.
    score = np.full((num_words, 2 * longest + 1), -np.inf, np.float32)
    score[:, 0] = 0.0
    last = 2 * lengths
    # A letter may follow another without a blank between them unless it is the same.
    skips = np.zeros((num_words, longest), bool)
    skips[:, 1:] = spellings[:, 1:] != spellings[:, :-1]
    rows = np.arange(num_words)
    emitted = np.empty_like(score)
    for frame, quiet in zip(log_probs, silence, strict=True):
        come = score.copy()
        come[:, 1:] = np.maximum(come[:, 1:], score[:, :-1])
        jump = np.where(skips[:, 1:], score[:, 1:-2:2], -np.inf)
        come[:, 3::2] = np.maximum(come[:, 3::2], jump)
        emitted[:, 1::2] = frame[spellings]
        emitted[:, 0] = quiet
        emitted[:, 2::2] = frame[blank]
        emitted[rows, last] = quiet
        score = come + emitted
    total = np.maximum(score[rows, last], score[rows, last - 1])
    total = total + decoder.weigh_words(before, after)
    order = np.argsort(-total)[:NUM_RIVALS]
    shares = np.exp(total - total.max())
    shares /= shares.sum()
    return [Rival(words[index], float(shares[index])) for index in order]


def rank_spellings(log_probs: np.ndarray, alphabet: Alphabet) -> list[Rival]:
    """Find the most probable spellings of a stretch, whether they are words or not.

    Args:
        log_probs: Float32 (frames, symbols).
        alphabet: What symbols stand for.

    Returns:
        The most probable ones, the best first, `NUM_RIVALS` at most.

    Source:
        Hannun et al., First-pass large vocabulary continuous speech recognition using
        bi-directional recurrent DNNs, 2014, algorithm 1, without a language model.
    """
    # By spelling: how probable it is with a blank at its end, and without.
    prefixes: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for frame in log_probs.astype(np.float64):
        grown: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [-np.inf, -np.inf])
        symbols = [int(one) for one in np.argsort(-frame)[:_NUM_PREFIXES] if frame[one] > -12]
        for prefix, (blank, letter) in prefixes.items():
            whole = np.logaddexp(blank, letter)
            same = grown[prefix]
            same[0] = np.logaddexp(same[0], whole + frame[alphabet.blank])
            if prefix:
                same[1] = np.logaddexp(same[1], letter + frame[prefix[-1]])
            for symbol in symbols:
                if symbol == alphabet.blank:
                    continue
                longer = grown[(*prefix, symbol)]
                start = blank if prefix and prefix[-1] == symbol else whole
                longer[1] = np.logaddexp(longer[1], start + frame[symbol])
        ranked = sorted(grown.items(), key=lambda one: -np.logaddexp(one[1][0], one[1][1]))
        prefixes = {prefix: (a, b) for prefix, (a, b) in ranked[:_NUM_PREFIXES]}
    spelled: dict[str, float] = defaultdict(float)
    for prefix, (blank, letter) in prefixes.items():
        text = "".join(alphabet.symbols[symbol] for symbol in prefix)
        word = " ".join(text.replace(alphabet.delimiter, " ").split())
        spelled[word.lower() if alphabet.is_lower else word] += float(
            np.exp(np.logaddexp(blank, letter))
        )
    total = sum(spelled.values())
    best = sorted(spelled.items(), key=lambda one: -one[1])[:NUM_RIVALS]
    return [Rival(word, share / total) for word, share in best] if total else []
