"""Names that visitors give to classes of their own, each of which is a folder of a ZIP as well."""

from foundry.errors import InputError

MAX_NAME = 40
# On any system.
_NOT_IN_FOLDERS = '/\\:*?"<>|'


def check_class_name(name: object) -> str:
    """Return the name of a class without superfluous blanks.

    Args:
        name: What somebody calls it.

    Raises:
        InputError: If it is no name of one line, too long, or cannot name a folder.
    """
    plain = " ".join(name.split()) if isinstance(name, str) else ""
    if not plain or len(plain) > MAX_NAME or not plain.isprintable():
        raise InputError(
            f"A class needs a name of one line, of at least one and up to {MAX_NAME} characters."
        )
    if plain.startswith(".") or set(plain) & set(_NOT_IN_FOLDERS):
        raise InputError(
            "A class is also the name of a folder, which cannot begin with a dot or have any of "
            f"{' '.join(_NOT_IN_FOLDERS)} in it."
        )
    return plain
