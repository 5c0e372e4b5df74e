"""Speech clips on disk: decoding the corpora, a memory-mapped store, the split by speaker."""

import csv
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

SAMPLE_RATE_HZ = 16_000
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CORPORA = (
    "fsdd",
    "speech_commands",
    "wuw",
    "grid_s1",
    "dctts",
    "heidelberg_digits",
    "speechocean762",
    "keywords",
)
# One voice each: nothing can be held out by speaker, so sentences are held out instead.
SINGLE_SPEAKER_DEV_SHARE = {"grid_s1": 0.05, "dctts": 0.25}
DEV_SPEAKER_SHARE = 0.15
# Few of the speakers say digits: with 15% of them there would be 7 strings to measure by.
MORE_DEV_SPEAKERS = {"speechocean762": 0.25}
# Two sources, whose speakers nobody has told apart: the smaller one is held out.
HELD_OUT_SOURCE = {"keywords": "mycroft-unknown"}


def is_digit_string(text: str) -> bool:
    """Return whether a transcript is several digits and nothing else."""
    return " " in text and set(text.split()) <= set(DIGITS)


@dataclass(frozen=True)
class Clip:
    """One utterance inside a ``ClipStore``.

    Attributes:
        corpus: name of the corpus or synthesiser.
        speaker: speaker id, unique across corpora.
        text: lower-case letters, apostrophes and single spaces; empty where nobody speaks.
        start: first sample in the store.
        length: number of samples at ``SAMPLE_RATE_HZ``.
    """

    corpus: str
    speaker: str
    text: str
    start: int
    length: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.length / SAMPLE_RATE_HZ


class Recordings(Protocol):
    """Gives the sound of clips."""

    def waveform(self, clip: Clip) -> np.ndarray:
        """Read one clip, float32 [samples] at 16 kHz."""


class ClipStore:
    """All audio of one source as a single memory-mapped int16 array.

    Decoding Ogg Opus and resampling cost more than a training step can spare, and a memory map is
    shared between the training process and its loader.
    """

    def __init__(self, folder: Path) -> None:
        """Open a store written by ``write_store``.

        Args:
            folder: holds ``audio.i16`` and ``clips.jsonl``.

        Raises:
            FileNotFoundError: if the store was not written completely.
        """
        with (folder / "clips.jsonl").open(encoding="utf-8") as lines:
            self.clips = [Clip(**json.loads(line)) for line in lines]
        self._audio = np.memmap(folder / "audio.i16", dtype="<i2", mode="r")

    def waveform(self, clip: Clip) -> np.ndarray:
        """Read one clip.

        Args:
            clip: an element of ``clips``.

        Returns:
            float32 array [clip.length] in [-1, 1).
        """
        samples = self._audio[clip.start : clip.start + clip.length]
        return samples.astype(np.float32) / 32768.0


def write_store(folder: Path, items: Iterable[tuple[str, str, str, np.ndarray]]) -> None:
    """Write utterances as one int16 file and an index.

    Args:
        folder: created if missing. The index is written last, so that it is there only when the
            audio is complete.
        items: (corpus, speaker, text, float waveform [samples] in [-1, 1] at 16 kHz).
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    start = 0
    with (folder / "audio.i16").open("wb") as audio:
        for corpus, speaker, text, waveform in items:
            samples = np.clip(np.round(waveform * 32767.0), -32768, 32767).astype("<i2")
            audio.write(samples.tobytes())
            clips.append(Clip(corpus, speaker, text, start, len(samples)))
            start += len(samples)
    partial = folder / "clips.jsonl.part"
    partial.write_text(
        "".join(json.dumps(asdict(clip), allow_nan=False) + "\n" for clip in clips), "utf-8"
    )
    partial.replace(folder / "clips.jsonl")


def resample(waveform: np.ndarray, rate_hz: int) -> np.ndarray:
    """Resample to ``SAMPLE_RATE_HZ`` and mix down to mono.

    Args:
        waveform: float [samples] or [samples, channels].
        rate_hz: rate of ``waveform``.

    Returns:
        float32 array [samples'].
    """
    mono = waveform if waveform.ndim == 1 else waveform.mean(axis=1)
    return soxr.resample(mono.astype(np.float32), rate_hz, SAMPLE_RATE_HZ)


def iter_manifest(data_dir: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """List every recording of the corpora.

    Args:
        data_dir: holds one folder per corpus with a ``manifest.tsv`` (file, seconds, speaker,
            text, and start_s if a file holds several recordings); a corpus that is not there is
            skipped.

    Yields:
        (corpus, row of its manifest).

    Raises:
        FileNotFoundError: if ``data_dir`` holds none of them.
    """
    present = [name for name in CORPORA if (data_dir / name / "manifest.tsv").exists()]
    if not present:
        raise FileNotFoundError(f"{data_dir} holds none of {', '.join(CORPORA)}")
    for corpus in present:
        with (data_dir / corpus / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield corpus, row


def read_recording(data_dir: Path, corpus: str, row: dict[str, str]) -> np.ndarray:
    """Decode one recording.

    Args:
        data_dir: as in ``iter_manifest``.
        corpus: from there.
        row: from there.

    Returns:
        float32 array [samples] at 16 kHz.
    """
    path = data_dir / corpus / row["file"]
    start, length = 0, -1
    if "start_s" in row:
        rate_hz = soundfile.info(path).samplerate
        start = round(float(row["start_s"]) * rate_hz)
        length = round(float(row["seconds"]) * rate_hz)
    waveform, rate_hz = soundfile.read(path, length, start, dtype="float32")
    return resample(waveform, rate_hz)


def iter_recordings(data_dir: Path) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Decode every recording that the corpora's manifests list.

    Args:
        data_dir: as in ``iter_manifest``.

    Yields:
        (corpus, speaker, text, float32 waveform [samples] at 16 kHz).

    Raises:
        FileNotFoundError: if ``data_dir`` holds none of ``CORPORA``.
    """
    for corpus, row in tqdm(list(iter_manifest(data_dir)), desc="recordings"):
        yield corpus, row["speaker"], row["text"], read_recording(data_dir, corpus, row)


def _rank(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def split_by_speaker(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Split so that no held-out speaker is heard in training.

    In each corpus 15% of the speakers (of one corpus more, and at least one) are held out, in the
    order of a hash of their names; the two corpora of a single speaker give up some of their
    sentences instead, and one whose speakers are unknown gives up a source.

    Args:
        clips: utterances of any corpora.

    Returns:
        (train, dev).
    """
    by_corpus: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_corpus[clip.corpus].append(clip)
    train: list[Clip] = []
    dev: list[Clip] = []
    for corpus, members in by_corpus.items():
        single = corpus in SINGLE_SPEAKER_DEV_SHARE
        keys = [clip.text if single else clip.speaker for clip in members]
        shares = SINGLE_SPEAKER_DEV_SHARE if single else MORE_DEV_SPEAKERS
        share = shares.get(corpus, DEV_SPEAKER_SHARE)
        ranked = sorted(set(keys), key=_rank)
        held_out = set(ranked[: max(1, math.ceil(share * len(ranked)))])
        if corpus in HELD_OUT_SOURCE:
            held_out = {HELD_OUT_SOURCE[corpus]}
        for clip, key in zip(members, keys, strict=True):
            (dev if key in held_out else train).append(clip)
    return train, dev
