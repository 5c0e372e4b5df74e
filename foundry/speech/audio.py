"""Sound files of any kind -> mono at 16 kHz, in blocks, so that an hour needs little memory."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from foundry.errors import InputError

SAMPLE_RATE_HZ = 16_000
MAX_DURATION_S = 4 * 3600.0
_MIN_RATE_HZ, _MAX_RATE_HZ = 1_000, 768_000
# Samples over all channels that are decoded at once: 4 MB of float32.
_BLOCK_SAMPLES = 1 << 20
# A float file may hold anything; beyond this a square would not fit into float32.
_LARGEST_SAMPLE = 1e6
# What libsndfile calls the length of a file that does not state one.
_UNKNOWN_FRAMES = 2**63 - 1
_ACCEPTED = "WAV, FLAC, Ogg, Opus or MP3"

# What libsndfile does not read, by its first bytes: ffmpeg's name for the format. ffmpeg is told
# the format, because left to guess it would also follow playlists to other files.
_FFMPEG_FORMATS = (
    (4, b"ftyp", "mov"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"\x30\x26\xb2\x75", "asf"),
    (0, b"#!AMR", "amr"),
)


@dataclass(frozen=True)
class AudioFile:
    """A sound file that can be read.

    Attributes:
        path: Where it is.
        duration_s: What its header says, in seconds, 0 if nothing; what is decoded may differ.
        sample_rate_hz: Of the file.
        num_channels: Of the file.
        ffmpeg_format: ffmpeg's name of the format, None where libsndfile reads it.
    """

    path: Path
    duration_s: float
    sample_rate_hz: int
    num_channels: int
    ffmpeg_format: str | None = None

    def read_blocks(self) -> Iterator[np.ndarray]:
        """Decode, mix down and resample.

        Yields:
            Mono float32 (samples,) at 16 kHz, one after another; samples that are not numbers
            are silence.

        Raises:
            InputError: If the sound turns out longer than `MAX_DURATION_S`, or cannot be decoded.
        """
        native = self._decode_with_ffmpeg() if self.ffmpeg_format else self._decode()
        num_samples = 0
        for block in _resample(native, self.sample_rate_hz):
            num_samples += len(block)
            _check_duration(num_samples / SAMPLE_RATE_HZ)
            yield block

    def read_beginning(self, limit_s: float) -> np.ndarray:
        """Decode no more than is asked for.

        Args:
            limit_s: So many seconds at most.

        Returns:
            Mono float32 (samples,) at 16 kHz.

        Raises:
            InputError: As `read_blocks()` does.
        """
        wanted = round(limit_s * SAMPLE_RATE_HZ)
        pieces, num_samples = [np.zeros(0, np.float32)], 0
        for block in self.read_blocks():
            pieces.append(block)
            num_samples += len(block)
            if num_samples >= wanted:
                break
        return np.concatenate(pieces)[:wanted]

    def _decode(self) -> Iterator[np.ndarray]:
        num_frames = max(1, _BLOCK_SAMPLES // self.num_channels)
        try:
            with soundfile.SoundFile(self.path) as file:
                while len(block := file.read(num_frames, dtype="float32", always_2d=True)):
                    yield block.mean(axis=1)
        except soundfile.LibsndfileError as error:
            raise InputError(
                f"“{self.path.name}” is damaged and cannot be read to its end ({error})."
            ) from None

    def _decode_with_ffmpeg(self) -> Iterator[np.ndarray]:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
        command += ["-f", self.ffmpeg_format or "", "-i", str(self.path.absolute()), "-vn"]
        command += ["-t", str(MAX_DURATION_S + 1), "-ac", "1", "-ar", str(self.sample_rate_hz)]
        # Into a file, because a pipe that nobody reads would stop ffmpeg.
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                [*command, "-f", "f32le", "-"], stdout=subprocess.PIPE, stderr=complaints
            ) as decoder,
        ):
            assert decoder.stdout is not None
            try:
                num_bytes = 0
                while data := decoder.stdout.read(4 * _BLOCK_SAMPLES):
                    num_bytes += len(data)
                    yield np.frombuffer(data[: len(data) // 4 * 4], np.float32)
                if decoder.wait() and not num_bytes:
                    raise InputError(f"“{self.path.name}” has no sound track that can be decoded.")
            finally:
                decoder.kill()


def open_audio(path: str | Path) -> AudioFile:
    """Look at a sound file without decoding it.

    Args:
        path: In any format that libsndfile reads; with ffmpeg installed also MP4, M4A, AAC, WebM,
            Matroska, WMA and AMR.

    Raises:
        InputError: If there is no sound in it that can be read, or too much.
    """
    path = Path(path)
    try:
        head = path.open("rb").read(16)
    except OSError:
        raise InputError(f"“{path.name}” cannot be opened; upload the file again.") from None
    if not head:
        raise InputError(f"“{path.name}” is empty; record or upload some speech.")
    for start, magic, ffmpeg_format in _FFMPEG_FORMATS:
        if head[start:].startswith(magic):
            return _probe(path, ffmpeg_format)
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        raise InputError(
            f"“{path.name}” is not a sound file that can be read here; {_ACCEPTED} can."
        ) from None
    if info.frames == _UNKNOWN_FRAMES:
        # A FLAC that was written to a pipe; libsndfile would seek in it, and cannot.
        return _probe(path, "flac")
    audio = AudioFile(path, info.frames / max(1, info.samplerate), info.samplerate, info.channels)
    if not _MIN_RATE_HZ <= audio.sample_rate_hz <= _MAX_RATE_HZ:
        raise InputError(
            f"“{path.name}” claims {audio.sample_rate_hz:,} samples a second; "
            f"{_MIN_RATE_HZ:,} to {_MAX_RATE_HZ:,} can be read."
        )
    _check_duration(audio.duration_s)
    return audio


def _probe(path: Path, ffmpeg_format: str) -> AudioFile:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise InputError(
            f"“{path.name}” needs ffmpeg, which is not installed here; {_ACCEPTED} can be read."
        )
    command = ["ffprobe", "-v", "error", "-protocol_whitelist", "file,pipe", "-f", ffmpeg_format]
    command += ["-show_entries", "format=duration", "-of", "csv=p=0", str(path.absolute())]
    probed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if probed.returncode:
        raise InputError(f"“{path.name}” is damaged: ffmpeg cannot read it.")
    # A recording that was streamed to the file, as browsers do, has no duration: “N/A”.
    number = probed.stdout.strip().strip(",")
    duration_s = float(number) if number.replace(".", "", 1).isdigit() else 0.0
    _check_duration(duration_s)
    return AudioFile(path, duration_s, SAMPLE_RATE_HZ, 1, ffmpeg_format)


def _check_duration(duration_s: float) -> None:
    if duration_s > MAX_DURATION_S:
        raise InputError(
            f"The recording is longer than {MAX_DURATION_S / 3600:.0f} hours; cut it and upload "
            "the parts."
        )


def _resample(blocks: Iterator[np.ndarray], rate_hz: int) -> Iterator[np.ndarray]:
    resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
    for block in blocks:
        finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        resampled = resampler.resample_chunk(finite.clip(-_LARGEST_SAMPLE, _LARGEST_SAMPLE))
        if len(resampled):
            yield resampled
    rest = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    if len(rest):
        yield rest


def resample(waveform: np.ndarray, rate_hz: int) -> np.ndarray:
    """Resample a short piece of mono sound at once.

    Args:
        waveform: Float32 (samples,).
        rate_hz: Its rate.

    Returns:
        Float32 (samples,) at 16 kHz.
    """
    return soxr.resample(waveform, rate_hz, SAMPLE_RATE_HZ)
