"""Changes to a waveform that leave its words as they are. Every function returns a new array."""

from collections.abc import Sequence

import numpy as np
import scipy.fft
import soxr

from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ

FADE_SAMPLES = 80


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Play faster or slower; pitch and formants move with the tempo, as with another speaker.

    Args:
        waveform: float32 [samples].
        factor: > 1 is faster and higher.

    Returns:
        float32 array of about samples / factor.
    """
    return soxr.resample(waveform, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ, quality="LQ")


def narrow_band(waveform: np.ndarray) -> np.ndarray:
    """Take out what a rate of 8 kHz cannot hold.

    Args:
        waveform: float32 [samples] at 16 kHz.

    Returns:
        float32 array [samples], for an even number of them.
    """
    half = soxr.resample(waveform, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2)
    return soxr.resample(half, SAMPLE_RATE_HZ // 2, SAMPLE_RATE_HZ)


def trim_silence(waveform: np.ndarray, margin_s: float, depth_db: float = 30.0) -> np.ndarray:
    """Cut the quiet ends off.

    Args:
        waveform: float32 [samples].
        margin_s: kept on both sides of what is loud, >= 0, in seconds.
        depth_db: how far below the loudest hundredth of a second is quiet, > 0. A weak first or
            last consonant is lost with less than 30, as it is by many a recorder's gate.

    Returns:
        float32 array, a part of ``waveform``; all of it where nothing stands out.
    """
    frame = SAMPLE_RATE_HZ // 100
    count = len(waveform) // frame
    if count < 3:
        return waveform.copy()
    energy = np.square(waveform[: count * frame].reshape(count, frame)).mean(axis=1)
    # Below the loudest frame, or 6 dB above the quietest tenth in a noisy recording.
    threshold = max(energy.max() * 10 ** (-depth_db / 10), np.quantile(energy, 0.1) * 4)
    loud = np.flatnonzero(energy > threshold)
    if len(loud) == 0:
        return waveform.copy()
    margin = int(margin_s * SAMPLE_RATE_HZ)
    start = max(0, loud[0] * frame - margin)
    return waveform[start : (loud[-1] + 1) * frame + margin].copy()


def concatenate(pieces: Sequence[np.ndarray], pauses_s: Sequence[float]) -> np.ndarray:
    """Put pieces one after another with silence between them.

    Args:
        pieces: float32 arrays [samples].
        pauses_s: silence before each piece and after the last: one more than pieces, >= 0.

    Returns:
        float32 array [sum of all].

    Raises:
        ValueError: if the two lengths do not fit.
    """
    if len(pauses_s) != len(pieces) + 1:
        raise ValueError(f"{len(pieces)} pieces need {len(pieces) + 1} pauses, not {len(pauses_s)}")
    parts = [np.zeros(int(pauses_s[0] * SAMPLE_RATE_HZ), np.float32)]
    for piece, pause_s in zip(pieces, pauses_s[1:], strict=True):
        faded = piece.astype(np.float32)
        fade = np.linspace(0, 1, min(FADE_SAMPLES, len(piece)), dtype=np.float32)
        faded[: len(fade)] *= fade
        faded[len(faded) - len(fade) :] *= fade[::-1]
        parts += [faded, np.zeros(int(pause_s * SAMPLE_RATE_HZ), np.float32)]
    return np.concatenate(parts)


def normalise_level(waveform: np.ndarray, level_db: float) -> np.ndarray:
    """Scale to a given root mean square.

    Args:
        waveform: float32 [samples].
        level_db: wanted level relative to full scale.

    Returns:
        float32 array; silence stays silence.
    """
    rms = float(np.sqrt(np.mean(np.square(waveform)))) if len(waveform) else 0.0
    return waveform * np.float32(10 ** (level_db / 20) / rms) if rms > 1e-6 else waveform.copy()


def change_channel(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass through a random microphone, and sometimes a room, a telephone, a band gap.

    All of these are linear, so that one pair of Fourier transforms serves them together.

    Args:
        waveform: float32 [samples].
        rng: decides the response.

    Returns:
        float32 array [samples].
    """
    tail = SAMPLE_RATE_HZ // 2
    size = scipy.fft.next_fast_len(len(waveform) + tail, real=True)
    frequencies_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, size // 2 + 1, dtype=np.float32)
    knots_hz = np.array([0, 150, 400, 900, 1800, 3000, 4500, 8000], np.float32)
    gains_db = rng.normal(0, 4, len(knots_hz)) + rng.uniform(-4, 4) * np.log2(1 + knots_hz / 500)
    response = np.interp(frequencies_hz, knots_hz, 10 ** (gains_db / 20)).astype(np.float32)
    if rng.random() < 0.45:
        low_hz, high_hz = rng.choice([20, rng.uniform(100, 350)]), rng.uniform(3000, 3950)
        rise = np.clip((frequencies_hz - low_hz * 0.6) / (low_hz * 0.4), 0, 1)
        response *= rise * np.clip((high_hz * 1.05 - frequencies_hz) / (high_hz * 0.05), 0, 1)
    if rng.random() < 0.3:
        centre_hz = rng.uniform(200, 4000)
        inside = np.abs(frequencies_hz - centre_hz) < 0.12 * centre_hz
        response[inside] *= 0.05
    spectrum = scipy.fft.rfft(waveform, size) * response
    if rng.random() < 0.35:
        spectrum *= scipy.fft.rfft(build_room(rng, tail), size)
    return scipy.fft.irfft(spectrum, size)[: len(waveform)].astype(np.float32)


def build_room(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    """Make an impulse response: the direct sound, then noise that dies away exponentially.

    Args:
        rng: decides reverberation time (0.1 to 0.7 s) and distance.
        num_samples: length.

    Returns:
        float32 array [num_samples], the direct sound of 1 first.

    Source:
        J. D. Polack, La transmission de l'energie sonore dans les salles (1988): the statistical
        model of reverberation.
    """
    reverberation_s = rng.uniform(0.1, 0.7)
    time_s = np.arange(num_samples, dtype=np.float32) / SAMPLE_RATE_HZ
    decay = np.exp(-6.9 * time_s / reverberation_s)
    response = rng.standard_normal(num_samples, dtype=np.float32) * decay
    direct_to_reverberant_db = rng.uniform(-2, 15)
    scale = 10 ** (-direct_to_reverberant_db / 20) / np.sqrt(np.square(response).sum())
    response *= np.float32(scale)
    response[: int(rng.uniform(0.001, 0.02) * SAMPLE_RATE_HZ)] = 0
    response[0] = 1
    return response


def add_noise(waveform: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Mix noise in at a given ratio.

    Args:
        waveform: float32 [samples].
        noise: float32 [samples].
        snr_db: power of ``waveform`` over that of the noise.

    Returns:
        float32 array [samples].
    """
    power = float(np.mean(np.square(waveform))) + 1e-10
    noise_power = float(np.mean(np.square(noise))) + 1e-10
    return waveform + noise * np.float32(np.sqrt(power / noise_power * 10 ** (-snr_db / 10)))


def build_noise(kind: str, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Make sound in which nobody speaks.

    Args:
        kind: one of ``NOISE_KINDS``.
        num_samples: length.
        rng: decides everything else.

    Returns:
        float32 array [num_samples] of about unit power.

    Raises:
        ValueError: if ``kind`` is none of them.
    """
    time_s = np.arange(num_samples) / SAMPLE_RATE_HZ
    if kind == "coloured":
        spectrum = scipy.fft.rfft(rng.standard_normal(num_samples, dtype=np.float32))
        slope = rng.uniform(0, 1.2)
        spectrum *= (1 + np.arange(len(spectrum))) ** -slope
        sound = scipy.fft.irfft(spectrum, num_samples)
        swell_hz = rng.uniform(0.1, 3)
        sound = sound * (1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * swell_hz * time_s))
    elif kind == "hum":
        base_hz = rng.choice([50.0, 60.0, rng.uniform(80, 400)])
        sound = 0.02 * rng.standard_normal(num_samples)
        for harmonic in range(1, 8):
            phase = rng.uniform(0, 2 * np.pi)
            gain = rng.uniform(0, 1) / harmonic
            sound = sound + gain * np.sin(2 * np.pi * base_hz * harmonic * time_s + phase)
    elif kind == "clicks":
        sound = 0.01 * rng.standard_normal(num_samples)
        decay = np.exp(-np.arange(800) / rng.uniform(20, 200))
        for position in rng.integers(0, num_samples, size=1 + num_samples // 6000):
            burst = (decay * rng.standard_normal(800))[: num_samples - position]
            sound[position : position + len(burst)] += burst * rng.uniform(0.2, 1)
    elif kind == "music":
        sound = _play_chords(time_s, rng)
    else:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(NOISE_KINDS)}")
    return (sound / (np.sqrt(np.mean(np.square(sound))) + 1e-9)).astype(np.float32)


NOISE_KINDS = ("coloured", "hum", "clicks", "music")


def _play_chords(time_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sound = np.zeros(len(time_s))
    beat = int(SAMPLE_RATE_HZ * rng.uniform(0.15, 0.7))
    root_hz = rng.uniform(80, 300)
    for start in range(0, len(time_s), beat):
        ends = time_s[start : start + 2 * beat]
        local_s = ends - ends[0]
        decay = np.exp(-local_s / rng.uniform(0.1, 0.8)) * np.minimum(1, local_s / 0.01)
        for semitones in rng.choice(24, size=int(rng.integers(1, 4)), replace=False):
            note_hz = root_hz * 2 ** (semitones / 12)
            for harmonic in range(1, 6):
                gain = rng.uniform(0.3, 1) / harmonic**1.5
                tone = np.sin(2 * np.pi * note_hz * harmonic * local_s)
                sound[start : start + len(ends)] += gain * decay * tone
    return sound
