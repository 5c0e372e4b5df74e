"""Names of classes that visitors give or bring, each of which may be a folder of a ZIP as well."""

import unicodedata

from foundry.data.archives import is_litter
from foundry.errors import InputError

MAX_NAME = 40
# On any system.
_NOT_IN_FOLDERS = '/\\:*?"<>|'
# What tells letters, as of Persian, and parts of an emoji how to join.
_JOINERS = "\u200c\u200d"


def tidy(name: str) -> str:
    """Return a name on one line without superfluous blanks, its accents within their letters."""
    # Systems write “é” as one character or as two, which look alike.
    return " ".join(unicodedata.normalize("NFC", name).split()).strip(_JOINERS)


def is_seen(name: str) -> bool:
    """Tell whether nothing in a name is invisible but what joins letters."""
    return name.translate(dict.fromkeys(map(ord, _JOINERS))).isprintable()


def check_class_name(name: object) -> str:
    """Return the name of a class without superfluous blanks, its accents within their letters.

    Args:
        name: What somebody calls it.

    Raises:
        InputError: If it is no name of one line, too long, has invisible characters, or cannot name
            a folder, or names one that is passed over.
    """
    plain = tidy(name) if isinstance(name, str) else ""
    if not plain or len(plain) > MAX_NAME:
        raise InputError(
            f"A class needs a name of one line, of at least one and up to {MAX_NAME} characters."
        )
    if not is_seen(plain):
        raise InputError(
            "The name of a class has invisible characters, such as marks of the direction in which "
            "it is written; type it anew."
        )
    if plain.startswith(".") or set(plain) & set(_NOT_IN_FOLDERS):
        raise InputError(
            "A class is also the name of a folder, which cannot begin with a dot or have any of "
            f"{' '.join(_NOT_IN_FOLDERS)} in it."
        )
    if is_litter((plain,)):
        raise InputError(
            f"“{plain}” is what systems call a file of their own, which is passed over where a ZIP "
            "file is read; call the class differently."
        )
    return plain
