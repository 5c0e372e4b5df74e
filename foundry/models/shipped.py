"""Whether weights are the ones that shipped, by the sums beside them."""

import hashlib
from pathlib import Path

from foundry.errors import ArtifactError

SUMS_FILE = "SHA256SUMS"


def check_shipped(file: Path) -> None:
    """Compare a file with its sum in `SHA256SUMS` in the folder above its own, if it has one there.

    Args:
        file: Of any model; those of runs and of the Hub have no sums.

    Raises:
        ArtifactError: If it is another file than the one that shipped; the message names it.
    """
    expected = _read_sums(file.parent.parent).get(f"{file.parent.name}/{file.name}")
    if expected is None:
        return
    found = hash_file(file)
    if found != expected:
        raise ArtifactError(
            f"{file} is damaged, or not the file that shipped: its SHA-256 is {found[:12]}… in "
            f"place of {expected[:12]}…. Get it again; if you made it anew, write its sum into "
            f"{file.parent.parent / SUMS_FILE}."
        )


def record_shipped(file: Path) -> None:
    """Write the sum of a file that was made anew into `SHA256SUMS`, if that is there.

    Args:
        file: In a folder beside `SHA256SUMS`.
    """
    folder = file.parent.parent
    if not (folder / SUMS_FILE).exists():
        return
    sums = _read_sums(folder) | {f"{file.parent.name}/{file.name}": hash_file(file)}
    lines = [f"{own}  {name}\n" for name, own in sorted(sums.items())]
    (folder / SUMS_FILE).write_text("".join(lines))


def hash_file(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits.

    Raises:
        OSError: If it cannot be read.
    """
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_sums(folder: Path) -> dict[str, str]:
    """Return file name -> sum, as `sha256sum` writes them."""
    try:
        lines = (folder / SUMS_FILE).read_text().splitlines()
    except OSError:
        return {}
    return {name: total for total, _, name in (line.partition("  ") for line in lines)}
