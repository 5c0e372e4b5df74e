"""Texts respelled in signs that a tokenizer has, and which sign of the visitor's became which."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Signs that are only forms of others: a PDF's ligatures, letters and digits of full width.
_TYPOGRAPHIC_FORMS = {
    chr(code): unicodedata.normalize("NFKC", chr(code))
    for code in chain(
        range(0xFB00, 0xFB07), range(0xFF10, 0xFF1A), range(0xFF21, 0xFF3B), range(0xFF41, 0xFF5B)
    )
}
# Typographic marks, and those of full width. Texts in East Asian scripts have them as their own.
_MARKS = {
    **dict.fromkeys("’‘‛ʼ", "'"),
    **dict.fromkeys("“”„‟", '"'),
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")
# Joiners, variation selectors and skin tones change how an emoji looks and not what it is.
_TRIMMINGS = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u20e3]")
# A name is several tokens: more symbols than these are set apart and not named.
_MAX_NAMED = 1_000


@dataclass(frozen=True)
class ReadableText:
    """A text as a tokenizer gets it.

    Attributes:
        text: Its signs.
        origins: For each of them the place in the visitor's text of what it stands for.
    """

    text: str
    origins: Sequence[int]


def make_readable(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[ReadableText]:
    """Respell what is only written in another way, and what a tokenizer has no token for.

    Curly quotes become straight ones, ligatures and wide letters plain ones. In words that the
    tokenizer does not know, symbols are set apart and read by their names in Unicode, and other
    signs take their compatible form (NFKC). What it knows stays as it is.

    Args:
        tokenizer: A fast tokenizer.
        texts: As `clean_text` leaves them.
    """
    readable = [_use_plain_signs(text) for text in texts]
    # Plain ASCII has no other spelling.
    odd = [index for index, one in enumerate(readable) if not one.text.isascii()]
    if odd and tokenizer.unk_token_id is not None:
        encoded = tokenizer(
            [readable[index].text for index in odd],
            add_special_tokens=False,
            return_offsets_mapping=True,
            verbose=False,
        )
        for index, ids, offsets in zip(
            odd, encoded["input_ids"], encoded["offset_mapping"], strict=True
        ):
            unknown = [
                span
                for token, span in zip(ids, offsets, strict=True)
                if token == tokenizer.unk_token_id
            ]
            if unknown:
                readable[index] = _respell(readable[index], unknown)
    return readable


def _use_plain_signs(text: str) -> ReadableText:
    if text.isascii():
        return ReadableText(text, range(len(text)))
    plain = _TYPOGRAPHIC_FORMS if _EAST_ASIAN.search(text) else _TYPOGRAPHIC_FORMS | _MARKS
    return _join((plain.get(sign, sign), place) for place, sign in enumerate(text))


def _respell(readable: ReadableText, unknown: Sequence[tuple[int, int]]) -> ReadableText:
    """Write the unknown stretches of a text in another way."""
    text, origins = readable.text, readable.origins
    parts: list[tuple[str, int]] = []
    position = num_named = 0
    for start, end in unknown:
        parts += zip(text[position:start], origins[position:start], strict=True)
        kept = [place for place in range(start, end) if not _TRIMMINGS.match(text[place])]
        # A row of the same symbol is read once.
        for sign, places in groupby(kept, key=text.__getitem__):
            if not unicodedata.category(sign).startswith("S"):
                form = unicodedata.normalize("NFKC", sign)
                parts += [(form, origins[place]) for place in places]
            else:
                num_named += 1
                name = unicodedata.name(sign, sign) if num_named <= _MAX_NAMED else sign
                parts.append((f" {name.lower()} ", origins[next(places)]))
        position = end
    parts += zip(text[position:], origins[position:], strict=True)
    return _join(parts)


def _join(parts: Iterable[tuple[str, int]]) -> ReadableText:
    signs = [(sign, origin) for part, origin in parts for sign in part]
    return ReadableText("".join(sign for sign, _ in signs), [origin for _, origin in signs])
