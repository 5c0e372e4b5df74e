"""From the model's log-probabilities to words: the best path, or beam search with a bigram."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from flashlight.lib.text.decoder import (
    LM,
    CriterionType,
    LexiconDecoder,
    LexiconDecoderOptions,
    LMState,
    SmearingMode,
    Trie,
)

from foundry.recipes.speech.model import CHARACTERS, DELIMITER, PAD, encode_text

END = "</s>"
DISCOUNT = 0.7


def decode_greedy(log_probs: np.ndarray) -> str:
    """Take the best character of each frame, merge repeats, drop blanks.

    Args:
        log_probs: float32 [frames, characters].

    Returns:
        Words with single spaces between them.
    """
    best = log_probs.argmax(axis=1)
    kept = [index for i, index in enumerate(best) if i == 0 or index != best[i - 1]]
    text = "".join(CHARACTERS[index] for index in kept if CHARACTERS[index] != PAD)
    return " ".join(text.replace(DELIMITER, " ").split())


class Bigram:
    """Word probabilities given the word before, smoothed with those of the words alone.

    Source:
        Ney, Essen and Kneser, On structuring probabilistic dependences in stochastic language
        modelling (1994): absolute discounting with interpolation.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        """Count.

        Args:
            sentences: lower-case words with single spaces between them.

        Raises:
            ValueError: if there is no word.
        """
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._before: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        for sentence in sentences:
            tokens = [END, *sentence.split(), END]
            self._words.update(tokens[1:])
            self._before.update(tokens[:-1])
            self._pairs.update(itertools.pairwise(tokens))
        self._followers = Counter(before for before, _ in self._pairs)
        self._total = self._words.total()
        self.words = sorted(set(self._words) - {END})
        if not self.words:
            raise ValueError("no words to count")

    def log_prob(self, before: str, word: str) -> float:
        """Log-probability of one word.

        Args:
            before: the word before, or ``END`` at the start of a sentence.
            word: a word, or ``END``.

        Returns:
            Natural logarithm; a word that was never seen counts as seen once.
        """
        alone = max(1, self._words[word]) / self._total
        seen = self._before[before]
        if not seen:
            return math.log(alone)
        discounted = max(0.0, self._pairs[before, word] - DISCOUNT) / seen
        return math.log(discounted + DISCOUNT * self._followers[before] / seen * alone)


class _BigramStates(LM):
    """What the decoder asks of a language model, in terms of a ``Bigram``."""

    def __init__(self, bigram: Bigram) -> None:
        super().__init__()
        self._bigram = bigram
        # The decoder holds no reference to the Python half of a state: this does.
        self._last_word: dict[LMState, str] = {}

    def start(self, start_with_nothing: bool) -> LMState:
        self._last_word.clear()
        state = LMState()
        self._last_word[state] = END
        return state

    def score(self, state: LMState, token_index: int) -> tuple[LMState, float]:
        word = self._bigram.words[token_index]
        child = state.child(token_index)
        self._last_word[child] = word
        return child, self._bigram.log_prob(self._last_word[state], word)

    def finish(self, state: LMState) -> tuple[LMState, float]:
        return state, self._bigram.log_prob(self._last_word[state], END)


class BeamDecoder:
    """Beam search over the words of a bigram."""

    def __init__(self, bigram: Bigram, lm_weight: float, word_score: float, beam: int = 50) -> None:
        """Build the tree of spellings.

        Args:
            bigram: its words are the only ones that can be recognised.
            lm_weight: factor of the bigram's log-probabilities, >= 0.
            word_score: added for each word; > 0 favours more words.
            beam: hypotheses kept at each frame.
        """
        self._bigram = bigram
        self._states = _BigramStates(bigram)
        delimiter, blank = CHARACTERS.index(DELIMITER), CHARACTERS.index(PAD)
        self._trie = Trie(len(CHARACTERS), delimiter)
        for index, word in enumerate(bigram.words):
            score = bigram.log_prob("", word)
            self._trie.insert([*encode_text(word), delimiter], index, score)
        self._trie.smear(SmearingMode.MAX)
        options = LexiconDecoderOptions(
            beam_size=beam,
            beam_size_token=len(CHARACTERS),
            beam_threshold=25.0,
            lm_weight=lm_weight,
            word_score=word_score,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=False,
            criterion_type=CriterionType.CTC,
        )
        self._decoder = LexiconDecoder(
            options, self._trie, self._states, delimiter, blank, -1, [], False
        )

    def decode(self, log_probs: np.ndarray) -> str:
        """Find the most probable words.

        Args:
            log_probs: float32 [frames, characters].

        Returns:
            Words of the bigram with single spaces between them.
        """
        # A word ends with a delimiter in the tree of spellings; the last word has none of its own.
        final = np.full((1, len(CHARACTERS)), -100.0, np.float32)
        final[0, CHARACTERS.index(DELIMITER)] = 0.0
        frames = np.ascontiguousarray(np.concatenate([log_probs, final]), np.float32)
        results = self._decoder.decode(frames.ctypes.data, *frames.shape)
        if not results:
            return ""
        return " ".join(self._bigram.words[index] for index in results[0].words if index >= 0)


def decode_all(decoder: BeamDecoder | None, frames: Sequence[np.ndarray]) -> list[str]:
    """Decode several utterances.

    Args:
        decoder: beam search, or None for the best path.
        frames: float32 log-probabilities [frames, characters] of each.

    Returns:
        One transcript each.
    """
    decode = decode_greedy if decoder is None else decoder.decode
    return [decode(log_probs) for log_probs in frames]
