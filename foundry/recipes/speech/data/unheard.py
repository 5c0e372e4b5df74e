"""Speakers whom the shipped model has not heard, in two halves: to tune with, and to test with."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundry.recipes.speech.data.corpus import (
    DIGITS,
    Clip,
    iter_manifest,
    split_by_speaker,
)

TUNE, TEST = 0, 1
# What the model was made for; everything else is free English.
OWN_CORPORA = ("fsdd", "heidelberg_digits", "speech_commands", "grid_s1")
# Said one at a time in the corpus, and strung together here.
_STRUNG_CORPORA = ("fsdd", "heidelberg_digits")
_MAX_STRING = 8
# Utterances of a corpus in one half.
_MOST = 400
_SEED = 0


@dataclass(frozen=True)
class Utterance:
    """Somebody whom the model has not heard.

    Attributes:
        corpus: where it is from.
        text: what was said.
        clips: the recordings of it, one after another.
    """

    corpus: str
    text: str
    clips: tuple[tuple[str, dict[str, str]], ...]

    @property
    def is_own(self) -> bool:
        """Whether these are words that the model was made for."""
        return self.corpus in OWN_CORPORA or set(self.text.split()) <= set(DIGITS)


def choose_utterances(data_dir: Path, half: int) -> list[Utterance]:
    """Choose one half of the utterances by speakers whom the model has not heard.

    Args:
        data_dir: holds the corpora.
        half: ``TUNE`` or ``TEST``. Speakers alternate in the order of a hash of their names;
            where there is but one, sentences do.

    Raises:
        FileNotFoundError: if the corpora are not there.
    """
    recordings = list(iter_manifest(data_dir))
    clips = [
        Clip(corpus, row["speaker"], row["text"], number, 0)
        for number, (corpus, row) in enumerate(recordings)
    ]
    rows = [recordings[clip.start] for clip in split_by_speaker(clips)[1]]
    by_corpus: dict[str, list[dict[str, str]]] = defaultdict(list)
    for corpus, row in rows:
        by_corpus[corpus].append(row)
    chosen: list[Utterance] = []
    for corpus, members in by_corpus.items():
        key = "speaker" if len({row["speaker"] for row in members}) > 1 else "file"
        ranked = sorted({row[key] for row in members}, key=_rank)
        mine = set(ranked[half::2])
        kept = sorted((row for row in members if row[key] in mine), key=_rank_of_row)[:_MOST]
        if corpus in _STRUNG_CORPORA:
            chosen += _string_together(corpus, kept)
        else:
            chosen += [Utterance(corpus, row["text"], ((corpus, row),)) for row in kept]
    return chosen


def _rank(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _rank_of_row(row: dict[str, str]) -> str:
    return _rank(f"{row['file']} {row.get('start_s', '')}")


def _string_together(corpus: str, rows: Iterable[dict[str, str]]) -> Iterator[Utterance]:
    rng = np.random.default_rng(_SEED)
    by_speaker: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_speaker[row["speaker"]].append(row)
    for own in by_speaker.values():
        while own:
            size = int(rng.integers(1, _MAX_STRING + 1))
            string, own = own[:size], own[size:]
            text = " ".join(row["text"] for row in string)
            yield Utterance(corpus, text, tuple((corpus, row) for row in string))
