"""A transcript against what was really said: error rates and the alignment behind them."""

import unicodedata
from dataclasses import dataclass

import jiwer

from foundry.errors import InputError

# Aligning costs the product of both lengths.
_MAX_REFERENCE_CHARACTERS = 20_000
# Between the letters of one word, as in Persian, or where a line may be broken; not heard.
_UNHEARD = dict.fromkeys(map(ord, "\u200c\u200d\u00ad\u2060\ufeff"))
# What people and their keyboards write for an apostrophe.
_APOSTROPHES = dict.fromkeys(map(ord, "’‘‛ʼ´`′＇"), "'")


@dataclass(frozen=True)
class AlignedWord:
    """A word of the reference beside what was heard there.

    Attributes:
        kind: `equal`, `substitute`, `delete` (missed) or `insert` (never said).
        reference: What was said; empty for an insertion.
        heard: What was recognised; empty for a deletion.
    """

    kind: str
    reference: str
    heard: str


@dataclass(frozen=True)
class Score:
    """How well a recording was recognised.

    Attributes:
        wer: Word errors for each word of the reference; can exceed 1.
        cer: Character errors for each character of the reference; can exceed 1.
        words: The alignment, in order.
    """

    wer: float
    cer: float
    words: tuple[AlignedWord, ...]


def score_transcript(reference: str, heard: str) -> Score:
    """Align words, ignoring case and punctuation.

    Args:
        reference: What was really said.
        heard: The transcript.

    Raises:
        InputError: If the reference has no word or is too long.
    """
    if len(reference) > _MAX_REFERENCE_CHARACTERS:
        raise InputError(
            f"The reference has {len(reference):,} characters; "
            f"up to {_MAX_REFERENCE_CHARACTERS:,} can be compared."
        )
    said, recognised = _normalise(reference), _normalise(heard)
    if not said:
        raise InputError("The reference has no word; type what was really said.")
    words = jiwer.process_words(said, recognised)
    aligned: list[AlignedWord] = []
    for part in words.alignments[0]:
        references = words.references[0][part.ref_start_idx : part.ref_end_idx]
        heards = words.hypotheses[0][part.hyp_start_idx : part.hyp_end_idx]
        length = max(len(references), len(heards))
        references += [""] * (length - len(references))
        heards += [""] * (length - len(heards))
        aligned += [AlignedWord(part.type, *pair) for pair in zip(references, heards, strict=True)]
    return Score(float(words.wer), float(jiwer.cer(said, recognised)), tuple(aligned))


def _normalise(text: str) -> str:
    plain = text.lower().translate(_UNHEARD | _APOSTROPHES)
    whole = unicodedata.normalize("NFC", plain)
    words = "".join(sign if _is_in_word(sign) else " " for sign in whole).split()
    # Within a word an apostrophe is a letter; around it, it may be a quotation mark.
    return " ".join(word.strip("'") for word in words if word.strip("'"))


def _is_in_word(sign: str) -> bool:
    # Vowel signs and accents are marks: letters for whoever writes with them.
    return sign == "'" or sign.isalnum() or unicodedata.category(sign).startswith("M")
