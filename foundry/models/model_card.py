"""Model cards: the README.md of a model's folder, as text and as single figures."""

import re
from pathlib import Path

from foundry.errors import ArtifactError

CARD_FILE = "README.md"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
# Links to files beside the card lead nowhere on a page.
_LOCAL_LINK = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")


def list_cards(folder: Path) -> list[str]:
    """Return the names of the models in a folder that have a card.

    Args:
        folder: Holds a folder for each model.
    """
    return sorted(card.parent.name for card in folder.glob(f"*/{CARD_FILE}"))


def read_card(folder: Path) -> str:
    """Return a model's card as Markdown, without front matter and without links to files.

    Args:
        folder: The model's.

    Raises:
        ArtifactError: If there is none that can be read.
    """
    try:
        text = (folder / CARD_FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ArtifactError(f"{folder / CARD_FILE} is missing or cannot be read.") from None
    return _LOCAL_LINK.sub(r"\1", _FRONT_MATTER.sub("", text)).strip()


def read_figure(folder: Path, row: str, column: str) -> float | None:
    """Return a percentage that a model's card states.

    Args:
        folder: The model's.
        row: How the first cell of the row begins.
        column: The header of its column.

    Returns:
        In [0, 1]; None if there is no card or no such cell with a percentage.
    """
    try:
        lines = (folder / CARD_FILE).read_text("utf-8").splitlines()
    except OSError:
        return None
    header: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            header = []
        elif not header:
            header = cells
        elif cells[0].startswith(row) and column in header and len(cells) == len(header):
            return _percentage(cells[header.index(column)])
    return None


def _percentage(cell: str) -> float | None:
    try:
        return float(cell.strip("*").removesuffix("%")) / 100 if "%" in cell else None
    except ValueError:
        return None
