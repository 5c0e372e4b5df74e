"""Figures of a model card: one cell of a table in a folder's README.md."""

from pathlib import Path


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
        lines = (folder / "README.md").read_text("utf-8").splitlines()
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
