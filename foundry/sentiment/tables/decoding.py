"""Bytes -> text, whatever a spreadsheet or an editor wrote them as."""

import re

from charset_normalizer import from_bytes

from foundry.errors import InputError
from foundry.sentiment.tables.table import REPLACEMENT

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Enough of a file to tell its encoding; detection is slow on the whole of it.
_SAMPLE_BYTES = 64_000
_WESTERN = "cp1252"
_MOSTLY_ASCII_SHARE = 0.08
# Of cp1252: what other encodings have many of, and Western texts hardly any.
_UNUSUAL = re.compile("[\x81\x8d\x8f\x90\x9dƒˆ‰†‡˜‚×÷¤¥¦¨¬¯±¶¸¹¼¾³]")
# Of cp932: its bytes are no pairs in the other encodings, so that these signs are no accident.
_KANA = re.compile("[ぁ-ゖァ-ヺー]")
_KANA_SHARE = 0.2
# Of cp949: Koreans write hardly any of these, and Chinese read as Korean is full of them.
_IDEOGRAPH = re.compile("[\u4e00-\u9fff\uf900-\ufaff]")
# Letters of Central European alphabets, which are these signs in Western encodings.
_SIGN_IN_WORD = re.compile(r"[a-z][¡¿¹³ºª£¥][a-z]")
_ACCENTED_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
# What spreadsheets outside UTF-8 write; detection over every encoding there is picks odd ones.
_LEGACY_ENCODINGS = (
    _WESTERN,
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "koi8_r",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
)
# Text in another encoding is now and then valid UTF-8 by chance, but by far the smaller part.
_VALID_FOR_EACH_DAMAGED = 2
# Of the signs that are not ASCII, in the encodings that have bytes for nearly all signs.
_MAX_DAMAGED_SHARE = 0.01


def decode(data: bytes, file_name: str) -> tuple[str, str]:
    """Turn a file's bytes into text.

    A file that is nearly all valid is read with a replacement sign for each byte that is not.

    Args:
        data: The bytes, not empty.
        file_name: Its name, for the sentence.

    Returns:
        The text, and the name of the encoding.

    Raises:
        InputError: If it is no text.
    """
    is_marked = any(data.startswith(mark) for mark, _ in _BYTE_ORDER_MARKS)
    found = _decode_unicode(data)
    if found is None and not is_marked and b"\x00" not in data:
        found = _decode_legacy(data)
    if found is None:
        raise InputError(
            f"{file_name} is not a text file, whatever its name says. Save it as CSV with UTF-8."
        )
    return found


def _decode_unicode(data: bytes) -> tuple[str, str] | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            return (text, encoding) if _is_nearly_valid(text, num_plain=0) else None
    if b"\x00" in data:
        return _decode_wide(data)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        # ASCII is the same in every encoding, and says nothing.
        num_plain = len(data) - _num_high(data)
        return (text, "utf-8") if _is_nearly_valid(text, num_plain) else None


def _decode_wide(data: bytes) -> tuple[str, str] | None:
    """Read UTF-16 without a mark: every other byte of Western text is zero, and no other is."""
    for first, encoding in enumerate(("utf-16-be", "utf-16-le")):
        if 0 not in data[1 - first :: 2] and 2 * data[first::2].count(0) > len(data) // 2:
            text = data.decode(encoding, "replace")
            return (text, encoding) if _is_nearly_valid(text, num_plain=0) else None
    return None


def _is_nearly_valid(text: str, num_plain: int) -> bool:
    num_replaced = _num_replaced(text)
    num_valid = len(text) - num_replaced - num_plain
    return not num_replaced or num_valid >= _VALID_FOR_EACH_DAMAGED * num_replaced


def _decode_legacy(data: bytes) -> tuple[str, str] | None:
    guess = _guess_encoding(data)
    if guess is None:
        return None
    text = data.decode(guess, "replace")
    is_usual = _num_replaced(text) <= max(2, _MAX_DAMAGED_SHARE * _num_high(data))
    return (text, guess) if is_usual else None


def _num_replaced(text: str) -> int:
    return text.count(REPLACEMENT)


def _num_not_ascii(text: str) -> int:
    return sum(not sign.isascii() for sign in text)


def _num_high(data: bytes) -> int:
    return len(data) - len(data.translate(None, bytes(range(128, 256))))


def _guess_encoding(data: bytes) -> str | None:
    # Whole lines only: half a character at the end would rule its encoding out.
    sample = data[:_SAMPLE_BYTES]
    if len(data) > _SAMPLE_BYTES and b"\n" in sample:
        sample = sample.rpartition(b"\n")[0]
    is_mostly_ascii = _num_high(sample) < _MOSTLY_ASCII_SHARE * len(sample)
    if is_mostly_ascii and _looks_western(sample):
        # A few signs among English, such as curly quotes, are too few to detect anything from.
        return _WESTERN
    japanese = sample.decode("cp932", "replace")
    if len(_KANA.findall(japanese)) > _KANA_SHARE * _num_not_ascii(japanese):
        return "cp932"
    matches = from_bytes(sample, cp_isolation=list(_LEGACY_ENCODINGS))
    best = matches.best()
    # No language is recognized in a few words, and what is then picked is any encoding at all.
    if (best is None or not best.coherence) and _looks_western(sample):
        return _WESTERN
    if best is None:
        return None
    if best.encoding == "cp949" and _IDEOGRAPH.search(str(best)):
        return "gb18030"
    as_good = {
        encoding
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        # The same text in each of them.
        for encoding in match.could_be_from_charset
    }
    return _WESTERN if _WESTERN in as_good else best.encoding


def _looks_western(sample: bytes) -> bool:
    """Tell whether accented letters stand among plain ones, as in no other alphabet than Latin."""
    text = sample.decode(_WESTERN, "replace")
    words = [word for word in _ACCENTED_WORD.findall(text) if len(word) > 1]
    num_mixed = sum(any(sign.isascii() for sign in word) for word in words)
    has_odd = _UNUSUAL.search(text) or _SIGN_IN_WORD.search(text) or REPLACEMENT in text
    return not has_odd and 2 * num_mixed >= len(words)
