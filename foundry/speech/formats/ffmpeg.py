"""Sound that libsndfile does not read, by ffmpeg where it is installed.

ffmpeg tells the format by looking at the file. Left alone it would also follow playlists to other
files and addresses, so only formats that hold their sound themselves are allowed.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from foundry.errors import InputError
from foundry.speech.channels import Layout

_PROBE_TIMEOUT_S = 60
# ffmpeg's name of a format that can refer to nothing outside of the file -> what people call it.
_FORMATS = {
    "mov": "MP4/M4A/MOV/3GP",
    "matroska": "WebM/Matroska",
    "aac": "AAC",
    "asf": "WMA",
    "amr": "AMR",
    "caf": "CAF",
    "wav": "G.722/G.726",
    "avi": "AVI",
    "flv": "FLV",
    "mpegts": "MPEG-TS",
    "mpeg": "MPEG",
    "ac3": "AC-3",
    "ape": "APE",
    "wv": "WavPack",
    "tta": "TTA",
    "dss": "DSS",
}
# What libsndfile reads as well, but not with every codec.
_READ_BY_BOTH = ("w64", "flac", "ogg", "mp3", "aiff", "au", "amrnb", "amrwb")
_ALLOWED = ",".join((*_FORMATS, *_READ_BY_BOTH))
_SAFELY = ("-protocol_whitelist", "file,pipe", "-format_whitelist", _ALLOWED)


@dataclass(frozen=True)
class Track:
    """The sound of a file, as ffmpeg sees it.

    Attributes:
        index: Which of the file's streams it is.
        duration_s: In seconds, 0 if the file does not tell.
        num_channels: At least 1.
        layout: Of the channels.
    """

    index: int
    duration_s: float
    num_channels: int
    layout: Layout


def is_installed() -> bool:
    """Tell whether there is an ffmpeg, with the tool that looks at files."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))


@cache
def list_formats() -> str:
    """Return what the ffmpeg that is here reads beside what libsndfile does, for a sentence."""
    return name_formats(_ask("ffmpeg", "-v", "quiet", "-demuxers"))


def name_formats(listed: str) -> str:
    """Return what people call the formats that may be read.

    Args:
        listed: What ffmpeg prints of its demuxers.
    """
    rows = [line.split() for line in listed.splitlines() if line.startswith(" D")]
    known = {name for row in rows if len(row) > 1 for name in row[1].split(",")}
    return ", ".join(title for name, title in _FORMATS.items() if name in known)


@cache
def _list_layouts() -> dict[str, list[str]]:
    """Return ffmpeg's name of a layout -> the names of its channels in order."""
    rows = [line.split() for line in _ask("ffmpeg", "-v", "quiet", "-layouts").splitlines()]
    return {row[0]: row[1].split("+") for row in rows if len(row) == 2}


def _ask(*command: str) -> str:
    """Return what a command prints, nothing if it fails or takes too long."""
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return "" if asked.returncode else asked.stdout


def find_track(path: Path) -> Track | None:
    """Look for sound in a file.

    Args:
        path: Of any file.

    Returns:
        The track that players play; None if it is no file that ffmpeg may read.

    Raises:
        InputError: If there is no sound in it.
    """
    shown = "format=duration:stream=index,channels,channel_layout:stream_disposition=default"
    command = ["ffprobe", "-v", "quiet", *_SAFELY, "-select_streams", "a"]
    answer = _ask(*command, "-show_entries", shown, "-of", "json", str(path.absolute()))
    if not answer:
        return None
    probed = json.loads(answer)
    tracks = [track for track in probed.get("streams", ()) if track.get("channels")]
    if not tracks:
        raise InputError(f"“{path.name}” has no sound track that can be decoded.")
    track = max(tracks, key=lambda one: (one["disposition"]["default"], one["channels"]))
    duration_s = float(probed.get("format", {}).get("duration", 0.0))
    return Track(
        track["index"],
        # A recording that was streamed to the file, as browsers do, does not state it.
        duration_s or _measure_duration_s(path, track["index"]),
        track["channels"],
        Layout.of_names(_list_layouts().get(track.get("channel_layout", ""), [])),
    )


def _measure_duration_s(path: Path, index: int) -> float:
    """Return how long a track is, but for a packet, without decoding it; 0 if that fails."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", *_SAFELY, "-i", str(path.absolute())]
    command += ["-map", f"0:{index}", "-c", "copy", "-progress", "pipe:1", "-f", "null", "-"]
    ends = re.findall(r"^out_time_us=(\d+)$", _ask(*command), re.MULTILINE)
    return int(ends[-1]) / 1e6 if ends else 0.0


def decode(
    path: Path, track: Track, rate_hz: int, num_frames: int, limit_s: float
) -> Iterator[np.ndarray]:
    """Decode a file.

    Args:
        path: Of the file.
        track: From `find_track()`.
        rate_hz: To which ffmpeg resamples.
        num_frames: How many samples of every channel are decoded at once.
        limit_s: No more than so many seconds.

    Yields:
        Float32 (samples, channels).

    Raises:
        InputError: If not even a beginning can be decoded.
    """
    command = ["ffmpeg", "-nostdin", "-v", "error", *_SAFELY, "-i", str(path.absolute())]
    command += ["-map", f"0:{track.index}", "-t", str(limit_s), "-ac", str(track.num_channels)]
    frame_bytes = 4 * track.num_channels
    # Into a file, because a pipe that nobody reads would stop ffmpeg.
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [*command, "-ar", str(rate_hz), "-f", "f32le", "-"],
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as decoder,
    ):
        assert decoder.stdout is not None
        try:
            num_bytes = 0
            while data := decoder.stdout.read(frame_bytes * num_frames):
                num_bytes += len(data)
                whole = np.frombuffer(data[: len(data) // frame_bytes * frame_bytes], np.float32)
                yield whole.reshape(-1, track.num_channels)
            if decoder.wait() and not num_bytes:
                raise InputError(f"“{path.name}” has no sound track that can be decoded.")
        finally:
            decoder.kill()
