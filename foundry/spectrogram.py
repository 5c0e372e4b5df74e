"""What sound looks like: loudness over time, and energy over time and pitch."""

import numpy as np
from transformers.audio_utils import mel_filter_bank

from foundry.audio import SAMPLE_RATE_HZ

_WINDOW = 400  # samples: 25 ms
_NUM_BANDS = 80
_DYNAMIC_DB = 70.0


def compute_spectrogram(waveform: np.ndarray, num_columns: int) -> np.ndarray:
    """Measure the energy in mel bands.

    Args:
        waveform: Mono float32 (samples,) at 16 kHz.
        num_columns: Moments at which to measure, evenly spread.

    Returns:
        Float32 (bands, columns) in [0, 1], low bands first: 1 is the loudest, 0 is 70 dB below.
    """
    padded = np.pad(waveform, (_WINDOW // 2, _WINDOW))
    starts = np.linspace(0, len(waveform), num_columns, endpoint=False).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[starts]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32), axis=1)) ** 2
    bank = mel_filter_bank(
        num_frequency_bins=_WINDOW // 2 + 1,
        num_mel_filters=_NUM_BANDS,
        min_frequency=60.0,
        max_frequency=SAMPLE_RATE_HZ / 2,
        sampling_rate=SAMPLE_RATE_HZ,
    )
    energy_db = 10 * np.log10(power @ bank + 1e-10).T
    return np.clip(1 + (energy_db - energy_db.max()) / _DYNAMIC_DB, 0, 1).astype(np.float32)


def compute_envelope(waveform: np.ndarray, num_columns: int) -> np.ndarray:
    """Find the lowest and highest sample of every stretch.

    Args:
        waveform: Float32 (samples,), at least one.
        num_columns: Stretches of equal length.

    Returns:
        Float32 (2, columns): lowest and highest, as shares of the loudest sample.
    """
    edges = np.linspace(0, len(waveform), num_columns, endpoint=False).astype(int)
    extremes = [ufunc.reduceat(waveform, edges) for ufunc in (np.minimum, np.maximum)]
    return np.stack(extremes) / max(float(np.abs(waveform).max()), 1e-9)
