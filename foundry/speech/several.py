"""Several recordings, transcribed one after the other: a table of them, and a ZIP of captions."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from foundry.data.spreadsheets import format_csv, write_csv
from foundry.errors import InputError
from foundry.speech import captions
from foundry.speech.audio import open_audio
from foundry.speech.transcription import GREEDY, Recogniser, Transcript, transcribe_stream

MAX_RECORDINGS = 100
_COLUMNS = ("file", "seconds", "text", "words", "in_doubt", "doubtful_words", "problem")
_TABLE = "recordings.csv"


@dataclass(frozen=True)
class Heard:
    """One of the recordings.

    Attributes:
        file: Its name.
        transcript: What was said; None if it could not be read.
        problem: Why not, in a sentence, empty if it could.
    """

    file: str
    transcript: Transcript | None
    problem: str = ""


@dataclass(frozen=True)
class HearingEvent:
    """What `transcribe_files()` yields.

    Attributes:
        number: Which of the files, from 0.
        share: How much of it was heard, in [0, 1].
        heard: What became of it; only its last event has it.
    """

    number: int
    share: float
    heard: Heard | None = None


def check_number(paths: Sequence[str | Path]) -> None:
    """Refuse what is too much at once, or nothing.

    Args:
        paths: Of the files.

    Raises:
        InputError: If there are none, or more than `MAX_RECORDINGS`.
    """
    if not paths:
        raise InputError("There are no recordings yet; choose some files first.")
    if len(paths) > MAX_RECORDINGS:
        raise InputError(
            f"These are {len(paths):,} files; at most {MAX_RECORDINGS} at once are accepted."
        )


def transcribe_files(
    recogniser: Recogniser, paths: Sequence[str | Path], decoding: str = GREEDY
) -> Iterator[HearingEvent]:
    """Transcribe each recording; one that cannot be read does not keep the others from it.

    Args:
        recogniser: The model.
        paths: Of the files.
        decoding: One of `DECODINGS`.

    Yields:
        Progress after every chunk, and last what became of each, in their order.
    """
    for number, path in enumerate(map(Path, paths)):
        try:
            for event in transcribe_stream(recogniser, open_audio(path), decoding):
                share = event.done_s / event.duration_s if event.duration_s else 1.0
                done = Heard(path.name, event.transcript) if event.transcript else None
                yield HearingEvent(number, share, done)
        except InputError as error:
            yield HearingEvent(number, 1.0, Heard(path.name, None, str(error)))


def write_table(heard: Sequence[Heard], path: Path) -> Path:
    """Write a row for each recording as CSV that a spreadsheet opens safely.

    Args:
        heard: What became of each.
        path: Where to.

    Returns:
        The path.
    """
    return write_csv(path, _COLUMNS, map(_write_row, heard))


def write_captions(heard: Sequence[Heard], path: Path) -> Path:
    """Write text and captions of each recording that could be read, and the table, into a ZIP.

    Args:
        heard: What became of each.
        path: Where to.

    Returns:
        The path.
    """
    taken: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_TABLE, "\ufeff" + format_csv(_COLUMNS, map(_write_row, heard)))
        for one in heard:
            if one.transcript is None:
                continue
            stem = _free_name(one.file, taken)
            archive.writestr(f"{stem}.txt", captions.format_txt(one.transcript))
            archive.writestr(f"{stem}.srt", captions.format_srt(one.transcript))
            archive.writestr(f"{stem}.vtt", captions.format_vtt(one.transcript))
    return path


def _free_name(file: str, taken: set[str]) -> str:
    """Return a file's name without its ending, or with it and a number where two would be alike."""
    stem = Path(file).stem
    number = 1
    # Case does not tell files apart everywhere.
    while stem.lower() in taken:
        number += 1
        stem = f"{Path(file).stem} ({number})"
    taken.add(stem.lower())
    return stem


def _write_row(heard: Heard) -> list[str | float | int]:
    if heard.transcript is None:
        return [heard.file, *[""] * 5, heard.problem]
    transcript = heard.transcript
    doubtful = [word.word for word in transcript.words if word.doubtful]
    return [
        heard.file,
        round(transcript.duration_s, 3),
        transcript.text,
        len(transcript.words),
        len(doubtful),
        " ".join(doubtful),
        transcript.no_words.sentence if transcript.no_words else "",
    ]
