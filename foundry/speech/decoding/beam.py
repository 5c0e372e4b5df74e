"""Beam search over a list of words: what was most probably said, rather than what it sounded like.

A model's folder offers it by a file `bigram.json`: words, how often each followed another, and how
much that counts against the sound.
"""

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

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

from foundry.errors import ArtifactError
from foundry.speech.words import Alphabet

BIGRAM_FILE = "bigram.json"
# Stands before the first and after the last word of a sentence; and for any word not on the list.
END, UNKNOWN = "</s>", "<unk>"
_DISCOUNT = 0.7
_IMPOSSIBLE = -100.0
_NUM_CACHED = 4


class Bigram:
    """Word probabilities given the word before, smoothed with those of the words alone.

    Source:
        Ney, Essen and Kneser, On structuring probabilistic dependences in stochastic language
        modelling (1994): absolute discounting with interpolation.
    """

    def __init__(self, pairs: Counter[tuple[str, str]]) -> None:
        """Count.

        Args:
            pairs: How often a word, or `END`, came before another.

        Raises:
            ValueError: If there is no word.
        """
        self.pairs = pairs
        self._before: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        for (before, word), count in pairs.items():
            self._before[before] += count
            self._words[word] += count
        self._followers = Counter(before for before, _ in pairs)
        self._total = self._words.total()
        self.words = sorted(set(self._words) - {END, UNKNOWN})
        if not self.words:
            raise ValueError("no words to count")

    @classmethod
    def count(cls, sentences: Iterable[str]) -> "Bigram":
        """Count the words of sentences.

        Args:
            sentences: Lower-case words with single spaces between them.

        Raises:
            ValueError: If there is no word.
        """
        pairs: Counter[tuple[str, str]] = Counter()
        for sentence in sentences:
            pairs.update(itertools.pairwise([END, *sentence.split(), END]))
        return cls(pairs)

    def keep_frequent(self, min_count: int) -> "Bigram":
        """Return the bigram with `UNKNOWN` in the place of rarer words.

        Args:
            min_count: How often a word has to occur.
        """
        pairs: Counter[tuple[str, str]] = Counter()
        for (before, word), count in self.pairs.items():
            pairs[self._unless_rare(before, min_count), self._unless_rare(word, min_count)] += count
        return Bigram(pairs)

    def _unless_rare(self, word: str, min_count: int) -> str:
        return word if self._words[word] >= min_count else UNKNOWN

    def log_prob(self, before: str, word: str) -> float:
        """Return the natural logarithm of one word's probability.

        Args:
            before: The word before, or `END` at the start of a sentence.
            word: A word, or `END`; one that was never seen counts as seen once.
        """
        alone = max(1, self._words[word]) / self._total
        seen = self._before[before]
        if not seen:
            return math.log(alone)
        discounted = max(0.0, self.pairs[before, word] - _DISCOUNT) / seen
        return math.log(discounted + _DISCOUNT * self._followers[before] / seen * alone)


@dataclass(frozen=True)
class BeamOptions:
    """What is weighed in a beam search.

    Attributes:
        lm_weight: Factor of the bigram's log-probabilities, at least 0.
        word_score: Added for each word; above 0 favours more words.
        beam: Hypotheses kept at each frame.
    """

    lm_weight: float
    word_score: float
    beam: int = 50

    def __post_init__(self) -> None:
        """Raise `ValueError` for what nothing can be weighed with."""
        if not (0 <= self.lm_weight < math.inf and math.isfinite(self.word_score)):
            raise ValueError(f"weights of {self.lm_weight} and {self.word_score}")


class _BigramStates(LM):
    """What the decoder asks of a language model, in terms of a `Bigram`; for one search."""

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
    """Beam search over the words of a bigram; holds nothing of a search, so visitors share it."""

    def __init__(self, bigram: Bigram, options: BeamOptions, alphabet: Alphabet) -> None:
        """Build the tree of spellings.

        Args:
            bigram: Its words are the only ones that can be recognised.
            options: What is weighed.
            alphabet: Of the model; words with other letters are left out.
        """
        self.bigram, self.alphabet = bigram, alphabet
        self.delimiter = alphabet.symbols.index(alphabet.delimiter)
        self._lm_weight, self._word_score = options.lm_weight, options.word_score
        self._trie = Trie(len(alphabet.symbols), self.delimiter)
        known = set(alphabet.symbols)
        for index, word in enumerate(bigram.words):
            if known >= set(word):
                spelling = [alphabet.symbols.index(letter) for letter in word]
                self._trie.insert([*spelling, self.delimiter], index, bigram.log_prob("", word))
        self._trie.smear(SmearingMode.MAX)
        self._options = LexiconDecoderOptions(
            beam_size=options.beam,
            beam_size_token=len(alphabet.symbols),
            beam_threshold=25.0,
            lm_weight=options.lm_weight,
            word_score=options.word_score,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=False,
            criterion_type=CriterionType.CTC,
        )

    @cached_property
    def spellings(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The words, and how they are spelled.

        Returns:
            The words; int (words, letters of the longest), padded with the blank; and int (words,),
            how many letters each has.
        """
        words = [word for word in self.bigram.words if set(self.alphabet.symbols) >= set(word)]
        lengths = np.array([len(word) for word in words], int)
        labels = np.full((len(words), max(lengths, default=0)), self.alphabet.blank)
        for row, word in zip(labels, words, strict=True):
            row[: len(word)] = [self.alphabet.symbols.index(letter) for letter in word]
        return words, labels, lengths

    def weigh_words(self, before: str, after: str) -> np.ndarray:
        """Return what counts beside the sound for each word of `spellings`, float64 (words,).

        Args:
            before: The word before, or `END`.
            after: The word after, or `END`.
        """
        words, *_ = self.spellings
        log_probs = [
            self.bigram.log_prob(before, word) + self.bigram.log_prob(word, after) for word in words
        ]
        return self._lm_weight * np.array(log_probs) + self._word_score

    def find_path(self, log_probs: np.ndarray) -> np.ndarray:
        """Find the most probable words.

        Args:
            log_probs: Float32 (frames, symbols).

        Returns:
            Int32 (frames,): the label of every frame, which `read_path()` turns into words.
        """
        num_frames = len(log_probs)
        blanks = np.full(num_frames, self.alphabet.blank, np.int32)
        if not num_frames:
            return blanks
        # A word ends with a delimiter in the tree of spellings; the last word has none of its own.
        final = np.full((1, log_probs.shape[1]), _IMPOSSIBLE, np.float32)
        final[0, self.delimiter] = 0.0
        frames = np.ascontiguousarray(np.concatenate([log_probs, final]), np.float32)
        # Named, because the decoder does not keep it alive.
        states = _BigramStates(self.bigram)
        decoder = LexiconDecoder(
            self._options,
            self._trie,
            states,
            self.delimiter,
            self.alphabet.blank,
            -1,
            [],
            False,
        )
        results = decoder.decode(frames.ctypes.data, *frames.shape)
        if not results:
            return blanks
        # One label before the first frame, ours after the last, and one at the end.
        return np.array(results[0].tokens[1 : num_frames + 1], np.int32)


def write_bigram(bigram: Bigram, options: BeamOptions, folder: Path) -> None:
    """Write the word list that a model offers.

    Args:
        bigram: Words and how often they follow one another.
        options: What was found to recognise best.
        folder: Of the model.
    """
    numbers = {word: index for index, word in enumerate([END, UNKNOWN, *bigram.words])}
    counts = [[numbers[a], numbers[b], count] for (a, b), count in sorted(bigram.pairs.items())]
    contents = {
        "lm_weight": options.lm_weight,
        "word_score": options.word_score,
        "words": list(numbers),
        "pairs": counts,
    }
    (folder / BIGRAM_FILE).write_text(json.dumps(contents, separators=(",", ":")), "utf-8")


def load_beam_decoder(folder: Path, alphabet: Alphabet) -> BeamDecoder | None:
    """Load the word list of a model, once for all visitors.

    Args:
        folder: Of the model.
        alphabet: Of the model.

    Returns:
        The decoder, or None if the model offers no words.

    Raises:
        ArtifactError: If the file is damaged.
    """
    path = folder / BIGRAM_FILE
    return _load_cached(path, alphabet, path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=_NUM_CACHED)
def _load_cached(path: Path, alphabet: Alphabet, modified_ns: int) -> BeamDecoder:
    try:
        contents = json.loads(path.read_text("utf-8"))
        words = contents["words"]
        pairs = Counter({(words[a], words[b]): int(count) for a, b, count in contents["pairs"]})
        options = BeamOptions(float(contents["lm_weight"]), float(contents["word_score"]))
        return BeamDecoder(Bigram(pairs), options, alphabet)
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise ArtifactError(f"{path} is damaged: {error}.") from None
