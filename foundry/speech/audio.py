"""Sound files of any kind -> mono at 16 kHz, in blocks, so that an hour needs little memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from foundry.errors import InputError
from foundry.speech.channels import MAX_MIXED, Layout, do_differ, mix_channels
from foundry.speech.formats import ffmpeg
from foundry.speech.formats.headers import MENDED_FORMATS, MendedFile

SAMPLE_RATE_HZ = 16_000
MAX_DURATION_S = 4 * 3600.0
# As many as films have.
MAX_CHANNELS = 8
_MIN_RATE_HZ, _MAX_RATE_HZ = 1_000, 768_000
# Samples over all channels that are decoded at once: 4 MB of float32.
_BLOCK_SAMPLES = 1 << 20
# A float file may hold anything; beyond this a square would not fit into float32.
_LARGEST_SAMPLE = 1e6
# What libsndfile calls the length of a file that does not state one.
_UNKNOWN_FRAMES = 2**63 - 1
# So much of a recording tells whether its channels differ.
_COMPARED_S = 120.0
_ACCEPTED = "WAV, FLAC, Ogg, Opus or MP3"


@dataclass(frozen=True)
class AudioFile:
    """A sound file that can be read.

    Attributes:
        path: Where it is.
        duration_s: What its header says, or else its packets, in seconds; 0 if they say nothing.
            What is decoded may differ.
        sample_rate_hz: Of what is decoded.
        num_channels: Of the file.
        layout: Of the channels.
        track: What ffmpeg reads of it, None where libsndfile does.
        channel: The only one that is heard, from 0; None for what carries speech in all of them.
    """

    path: Path
    duration_s: float
    sample_rate_hz: int
    num_channels: int
    layout: Layout
    track: ffmpeg.Track | None = None
    channel: int | None = None

    def read_blocks(self) -> Iterator[np.ndarray]:
        """Decode, mix down and resample.

        Yields:
            Mono float32 (samples,) at 16 kHz, one after another; samples that are not numbers
            are silence.

        Raises:
            InputError: If the sound turns out longer than `MAX_DURATION_S`, or cannot be decoded.
        """
        num_samples = 0
        for block in _resample(self._read_mono(), self.sample_rate_hz):
            num_samples += len(block)
            _check_duration(num_samples / SAMPLE_RATE_HZ)
            yield block

    def read_stretch(self, start_s: float, limit_s: float) -> np.ndarray:
        """Decode to the end of a stretch, and return it.

        Args:
            start_s: Where it begins; at the end of the recording or beyond, it is empty.
            limit_s: So many seconds at most.

        Returns:
            Mono float32 (samples,) at 16 kHz.

        Raises:
            InputError: As `read_blocks()` does.
        """
        beginning = _take(self.read_blocks(), start_s + limit_s, SAMPLE_RATE_HZ)
        stretch = _skip(beginning, round(start_s * SAMPLE_RATE_HZ))
        return np.concatenate([np.zeros(0, np.float32), *stretch])

    def do_channels_differ(self) -> bool:
        """Tell whether there are channels worth splitting: few, and different in the beginning.

        Raises:
            InputError: As `read_blocks()` does.
        """
        if not 1 < self.num_channels <= MAX_CHANNELS:
            return False
        beginning = _take(self._read_channels(), _COMPARED_S, self.sample_rate_hz)
        return do_differ(beginning, self.sample_rate_hz, self.layout)

    def split_channels(self) -> list["AudioFile"]:
        """Return every channel as a file of its own.

        Raises:
            InputError: If there are more than `MAX_CHANNELS`.
        """
        if self.num_channels > MAX_CHANNELS:
            raise InputError(
                f"“{self.path.name}” has {self.num_channels:,} channels; up to {MAX_CHANNELS} can "
                "be transcribed one by one."
            )
        return [replace(self, channel=channel) for channel in range(self.num_channels)]

    def _read_mono(self) -> Iterator[np.ndarray]:
        channels = self._read_channels()
        only = 0 if self.num_channels == 1 else self.channel
        if only is None and self.num_channels > MAX_MIXED:
            return (block.mean(axis=1) for block in channels)
        if only is None:
            return mix_channels(channels, self.sample_rate_hz, self.layout)
        return (block[:, only] for block in channels)

    def _read_channels(self) -> Iterator[np.ndarray]:
        for block in self._decode_with_ffmpeg(self.track) if self.track else self._decode():
            finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            yield finite.clip(-_LARGEST_SAMPLE, _LARGEST_SAMPLE).astype(np.float32, copy=False)

    def _decode(self) -> Iterator[np.ndarray]:
        num_frames = max(1, _BLOCK_SAMPLES // self.num_channels)
        num_read = 0
        try:
            with MendedFile(self.path) as mended, soundfile.SoundFile(mended) as file:
                # What is beyond float32's range would be infinite, which is no number.
                dtype = "float64" if file.subtype == "DOUBLE" else "float32"
                while len(block := file.read(num_frames, dtype=dtype, always_2d=True)):
                    num_read += len(block)
                    yield block
        except soundfile.LibsndfileError as error:
            # Where libsndfile gives up, ffmpeg leaves out what is damaged.
            track = ffmpeg.find_track(self.path) if ffmpeg.is_installed() else None
            if track is None or track.num_channels != self.num_channels:
                raise InputError(
                    f"“{self.path.name}” is damaged and cannot be read to its end ({error})."
                ) from None
            yield from _skip(self._decode_with_ffmpeg(track), num_read)

    def _decode_with_ffmpeg(self, track: ffmpeg.Track) -> Iterator[np.ndarray]:
        num_frames = max(1, _BLOCK_SAMPLES // self.num_channels)
        limit_s = MAX_DURATION_S + 1
        return ffmpeg.decode(self.path, track, self.sample_rate_hz, num_frames, limit_s)


def open_audio(path: str | Path) -> AudioFile:
    """Look at a sound file without decoding it.

    Args:
        path: In any format that libsndfile reads; with ffmpeg installed also MP4, M4A, AAC, WebM,
            Matroska, WMA, AMR, CAF and what else it knows.

    Raises:
        InputError: If there is no sound in it that can be read, or too much.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError:
        raise InputError(f"“{path.name}” cannot be opened; upload the file again.") from None
    if is_empty:
        raise InputError(f"“{path.name}” is empty; record or upload some speech.")
    audio = _open_with_libsndfile(path) or _open_with_ffmpeg(path)
    _check_duration(audio.duration_s)
    return audio


def _open_with_libsndfile(path: Path) -> AudioFile | None:
    try:
        with MendedFile(path) as mended, soundfile.SoundFile(mended) as file:
            num_frames, rate_hz, num_channels = file.frames, file.samplerate, file.channels
            file_format = file.format
            layout = mended.layout or Layout.of_format(file_format, num_channels)
    except soundfile.LibsndfileError:
        return None
    # A FLAC that was written to a pipe; libsndfile would seek in it, and cannot.
    if num_frames == _UNKNOWN_FRAMES:
        return None
    # Of an Ogg file libsndfile finds nothing where ffmpeg finds all but the end that is missing.
    if not num_frames and file_format not in MENDED_FORMATS and ffmpeg.is_installed():
        return None
    if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
        raise InputError(
            f"“{path.name}” claims {rate_hz:,} samples a second; "
            f"{_MIN_RATE_HZ:,} to {_MAX_RATE_HZ:,} can be read."
        )
    return AudioFile(path, num_frames / rate_hz, rate_hz, num_channels, layout)


def _open_with_ffmpeg(path: Path) -> AudioFile:
    if not ffmpeg.is_installed():
        raise InputError(
            f"“{path.name}” is not a sound file that can be read here, or needs ffmpeg, which is "
            f"not installed; {_ACCEPTED} can be read."
        )
    track = ffmpeg.find_track(path)
    if track is None:
        raise InputError(
            f"“{path.name}” is not a sound file that can be read here; {_ACCEPTED} can, and with "
            f"the ffmpeg that is here {ffmpeg.list_formats()}."
        )
    return AudioFile(
        path, track.duration_s, SAMPLE_RATE_HZ, track.num_channels, track.layout, track
    )


def _check_duration(duration_s: float) -> None:
    if duration_s > MAX_DURATION_S:
        raise InputError(
            f"The recording is longer than {MAX_DURATION_S / 3600:.0f} hours; cut it and upload "
            "the parts."
        )


def _skip(blocks: Iterator[np.ndarray], num_frames: int) -> Iterator[np.ndarray]:
    """Yield what comes after the first frames."""
    for block in blocks:
        # Even an empty part of a block would keep all of it in memory.
        if num_frames < len(block):
            yield block[num_frames:]
        num_frames = max(0, num_frames - len(block))


def _take(blocks: Iterator[np.ndarray], limit_s: float, rate_hz: int) -> Iterator[np.ndarray]:
    """Yield the blocks of the first seconds, the last one cut."""
    missing = round(limit_s * rate_hz)
    for block in blocks:
        yield block[:missing]
        missing -= len(block)
        if missing <= 0:
            return


def _resample(blocks: Iterator[np.ndarray], rate_hz: int) -> Iterator[np.ndarray]:
    resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
    for block in blocks:
        resampled = resampler.resample_chunk(block)
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
