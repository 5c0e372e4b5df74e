"""Several photos, named one after the other, and a table of their names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from foundry.data.photos import square_photo
from foundry.data.pictures import inspect_file, load_photo
from foundry.data.spreadsheets import write_csv
from foundry.errors import InputError
from foundry.photos.classification import NUM_GUESSES, Guess, classify_photo, rank
from foundry.photos.model import PhotoModel

MAX_PHOTOS = 200
# As many as a share on the page has, and some more.
_DECIMALS = 6


@dataclass(frozen=True)
class Named:
    """One of the photos.

    Attributes:
        file: Its name.
        guesses: The likeliest names, the likeliest first; none if it could not be read.
        square: The middle of it, RGB, 256x256; None if it could not be read.
        problem: Why not, in a sentence, empty if it could.
        remark: What of the file was not looked at, in a sentence, empty if that is nothing.
    """

    file: str
    guesses: tuple[Guess, ...]
    square: Image.Image | None
    problem: str
    remark: str = ""


def check_number(paths: Sequence[str | Path]) -> None:
    """Refuse what is too much at once, or nothing.

    Args:
        paths: Of the files.

    Raises:
        InputError: If there are none, or more than `MAX_PHOTOS`.
    """
    if not paths:
        raise InputError("There are no photos yet; choose some files first.")
    if len(paths) > MAX_PHOTOS:
        raise InputError(
            f"These are {len(paths):,} files; at most {MAX_PHOTOS} at once are accepted."
        )


def name_photos(model: PhotoModel, paths: Sequence[str | Path]) -> Iterator[Named]:
    """Name what is on each photo; one that cannot be read does not keep the others from it.

    Args:
        model: The classifier.
        paths: Of the files.

    Yields:
        What became of each, in their order.
    """
    for path in map(Path, paths):
        try:
            image = load_photo(path)
        except InputError as error:
            yield Named(path.name, (), None, str(error))
            continue
        guesses = rank(model, classify_photo(model, image), NUM_GUESSES)
        remark = inspect_file(path).remark
        yield Named(path.name, tuple(guesses), square_photo(image), "", remark)


def write_names(named: Sequence[Named], path: Path) -> Path:
    """Write names and probabilities as CSV that a spreadsheet opens safely.

    Args:
        named: From `name_photos()`.
        path: Where to.

    Returns:
        The path.
    """
    numbers = range(1, NUM_GUESSES + 1)
    places = [column for number in numbers for column in (f"name_{number}", f"prob_{number}")]
    return write_csv(
        path, ["file", *places, "problem", "remark"], [_write_row(one) for one in named]
    )


def _write_row(named: Named) -> list[str | float]:
    cells: list[str | float] = [named.file]
    for guess in named.guesses:
        cells += [guess.label, round(guess.prob, _DECIMALS)]
    # A model may know fewer names.
    return [*cells, *[""] * (1 + 2 * NUM_GUESSES - len(cells)), named.problem, named.remark]
