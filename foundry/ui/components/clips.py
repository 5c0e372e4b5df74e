"""The example clips that ship with the page."""

from filecmp import cmp
from pathlib import Path

CLIPS = Path(__file__).parents[1] / "clips"
# By the title that the page gives them.
EXAMPLES = {"Digits": "digits", "Commands": "commands", "Free English": "sentence"}


def name_clip(path: str) -> str:
    """Return the name of the example clip that a file is a copy of; empty if it is none.

    Args:
        path: The sound on the page.
    """
    names = EXAMPLES.values()
    return next((name for name in names if cmp(path, CLIPS / f"{name}.flac", shallow=False)), "")
