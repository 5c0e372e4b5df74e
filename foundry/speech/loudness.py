"""How loud sound is, and whether it is like speech: that tells channels apart, and explains none.

Speech is between 200 and 3400 Hz, as telephones have it, and comes and goes: pauses and closures
are far below its vowels. Noise, hum and held tones stay as loud as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from foundry.speech.words import LOUDNESS_HOP_S

_FRAME_S = 0.032
_SPEECH_HZ = (200.0, 3400.0)
_RUMBLE_HZ = 120.0
# By how much sound may be later in one channel than in another: the distance of microphones.
LAGS_S = np.arange(-80, 81) / 16_000
# Speech rises so far above the quiet fifth of its frames; the power of noise hardly ever doubles.
_FLOOR_PERCENTILE, _RISE = 20, 4.0
# Sound is measured in pieces of so many seconds, or samples over all channels: 16 MB of float32.
_SEGMENT_S, _SEGMENT_SAMPLES = 8.0, 1 << 22
# Of a recording this share of hops is quiet.
_QUIET_PERCENTILE = 10
# Below -60 dB nobody spoke into this microphone.
_SILENCE = 1e-3
# Less than this share of speech has never been seen where somebody spoke.
_LEAST_RISING, _LEAST_BAND = 0.2, 0.05


class LoudnessMeter:
    """Measures the root mean square of every hop of a stream of sound, around where it rests.

    That is the mean of its quietest hops: the offset of a converter, which nobody hears, would hide
    where words end.

    Args:
        rate_hz: Of the sound.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._hop = round(LOUDNESS_HOP_S * rate_hz)
        self._rest = np.zeros(0, np.float32)
        self._pieces: list[np.ndarray] = []
        self._num_samples = 0

    def follow(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the blocks as they come, mono float32 (samples,), measuring them."""
        for block in blocks:
            samples = np.concatenate([self._rest, block])
            whole = len(samples) // self._hop * self._hop
            hops = samples[:whole].reshape(-1, self._hop)
            self._pieces.append(np.stack([hops.mean(1), hops.std(1)]))
            self._rest = samples[whole:]
            self._num_samples += len(block)
            yield block

    @property
    def duration_s(self) -> float:
        """Seconds of sound so far."""
        return self._num_samples / self._rate_hz

    @property
    def loudness(self) -> np.ndarray:
        """Float32 (hops,), of the sound so far."""
        means, deviations = np.concatenate([np.zeros((2, 0), np.float32), *self._pieces], axis=1)
        if not len(means):
            return means
        quiet = deviations <= np.percentile(deviations, _QUIET_PERCENTILE)
        return np.hypot(means - means[quiet].mean(), deviations)


@dataclass(frozen=True)
class Evidence:
    """What speaks for speech in every channel: float64 (channels,), but for the last.

    Attributes:
        peak: Root mean square of the loudest frame.
        energy: Of everything that can be heard.
        rumble: Of what is too low for speech.
        band: Of the speech band.
        rising: Of the speech band, where it is far above its own quiet moments.
        products: Float64 (lags, channels, channels): of the speech bands of two channels, one of
            them later by each of `LAGS_S`; negative if one falls where the other rises.
    """

    peak: np.ndarray
    energy: np.ndarray
    rumble: np.ndarray
    band: np.ndarray
    rising: np.ndarray
    products: np.ndarray

    def add(self, later: Evidence, kept: float) -> Evidence:
        """Return the evidence of both, of which this one counts only so much, in [0, 1]."""
        return Evidence(
            np.maximum(kept * self.peak, later.peak),
            kept * self.energy + later.energy,
            kept * self.rumble + later.rumble,
            kept * self.band + later.band,
            kept * self.rising + later.rising,
            kept * self.products + later.products,
        )


def measure_speech(samples: np.ndarray, rate_hz: int) -> Evidence:
    """Measure a few seconds of sound.

    Args:
        samples: Float32 (samples, channels), finite.
        rate_hz: Of the samples.
    """
    num_samples, num_channels = samples.shape
    # A power of two, for the transform.
    width = 2 ** round(np.log2(_FRAME_S * rate_hz))
    num_frames = max(1, num_samples // width)
    frames = np.zeros((num_frames, width, num_channels), np.float32)
    # Without the offset of a converter, which nobody hears.
    centred = samples - samples.mean(axis=0)
    frames.reshape(-1, num_channels)[:num_samples] = centred[: num_frames * width]
    window = np.hanning(width).astype(np.float32)
    spectrum = np.fft.rfft(frames * window[:, None], axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    pitches_hz = np.fft.rfftfreq(width, 1 / rate_hz)
    rumble, *limits = np.searchsorted(pitches_hz, (_RUMBLE_HZ, *_SPEECH_HZ))
    in_band = slice(*limits)
    loudness = power.sum(1)
    band = power[:, in_band].sum(1)
    floor = np.percentile(band, _FLOOR_PERCENTILE, axis=0)
    parts = spectrum[:, in_band].transpose(1, 2, 0)
    crosses = parts @ parts.conj().transpose(0, 2, 1)
    shifts = np.exp(2j * np.pi * np.outer(LAGS_S, pitches_hz[in_band]))
    return Evidence(
        np.sqrt(2 * loudness.max(0) / width / np.square(window).sum(dtype=np.float64)),
        loudness.sum(0, dtype=np.float64),
        power[:, :rumble].sum((0, 1), dtype=np.float64),
        band.sum(0, dtype=np.float64),
        np.maximum(0, band - _RISE * floor).sum(0, dtype=np.float64),
        np.tensordot(shifts, crosses, 1).real,
    )


def cut_segments(blocks: Iterable[np.ndarray], rate_hz: int) -> Iterator[list[np.ndarray]]:
    """Group blocks so that every group but the last has the same number of samples.

    Args:
        blocks: Float32 (samples, channels); how they are cut makes no difference.
        rate_hz: Of the blocks.

    Yields:
        Blocks and parts of blocks, in order.
    """
    pieces: list[np.ndarray] = []
    missing = 0
    for block in blocks:
        length = max(1, min(round(_SEGMENT_S * rate_hz), _SEGMENT_SAMPLES // block.shape[1]))
        while len(block):
            missing = missing or length
            pieces.append(block[:missing])
            missing -= len(pieces[-1])
            block = block[len(pieces[-1]) :]
            if not missing:
                yield pieces
                pieces = []
    if pieces:
        yield pieces


def measure_recording(blocks: Iterable[np.ndarray], rate_hz: int) -> Evidence | None:
    """Measure sound of any length.

    Args:
        blocks: Float32 (samples, channels), finite.
        rate_hz: Of the blocks.

    Returns:
        The evidence; None if there are no samples.
    """
    evidence = None
    for segment in cut_segments(blocks, rate_hz):
        measured = measure_speech(np.concatenate(segment), rate_hz)
        evidence = evidence.add(measured, 1.0) if evidence else measured
    return evidence


# The more there was to hear, the later.
REASONS = ("too_short", "silence", "no_speech", "not_recognised")


@dataclass(frozen=True)
class NoWords:
    """Why a transcript is empty.

    Attributes:
        reason: One of `REASONS`.
        sentence: For whoever brought the recording.
    """

    reason: str
    sentence: str


def explain_no_words(blocks: Iterable[np.ndarray], rate_hz: int) -> NoWords:
    """Say what was recorded instead of words.

    Args:
        blocks: Mono float32 (samples,), finite; none if there are too few for a word.
        rate_hz: Of the blocks.
    """
    evidence = measure_recording((block[:, None] for block in blocks), rate_hz)
    if evidence is None:
        return NoWords("too_short", "The recording is too short for a word.")
    peak, energy, band = (float(one[0]) for one in (evidence.peak, evidence.energy, evidence.band))
    if peak < _SILENCE:
        return NoWords(
            "silence",
            "The recording is silent: nothing in it is louder than -60 dB. Was the microphone on?",
        )
    if band < _LEAST_BAND * energy:
        return NoWords(
            "no_speech",
            f"There is sound, but only {band / energy:.1%} of its energy is between 200 and "
            "3,400 Hz, where speech is.",
        )
    if float(evidence.rising[0]) < _LEAST_RISING * band:
        return NoWords(
            "no_speech",
            "There is sound, but it does not come and go as speech does: it is noise, a hum or a "
            "held tone.",
        )
    return NoWords(
        "not_recognised",
        "There is sound that comes and goes as speech does, but no word of it was recognised: it "
        "may be unclear, music, or words that this model does not know.",
    )
