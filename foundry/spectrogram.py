"""What sound looks like: loudness over time, and energy over time and pitch."""

import librosa
import numpy as np

from foundry.audio import SAMPLE_RATE_HZ

_WINDOW = 512  # samples: 32 ms
_NUM_BANDS = 80
_LOWEST_HZ = 60.0
_DYNAMIC_DB = 70.0


def compute_spectrogram(waveform: np.ndarray, num_columns: int) -> np.ndarray:
    """Measure the energy in mel bands.

    Args:
        waveform: Mono float32 (samples,) at 16 kHz.
        num_columns: Moments at which to measure, evenly spread, at most; one more at the end.

    Returns:
        Float32 (bands, columns) in [0, 1], low bands first: 1 is the loudest, 0 is 70 dB below.
    """
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=SAMPLE_RATE_HZ,
        n_fft=_WINDOW,
        hop_length=max(1, -(-len(waveform) // num_columns)),
        n_mels=_NUM_BANDS,
        fmin=_LOWEST_HZ,
    )
    energy_db = librosa.power_to_db(power, ref=np.max, top_db=_DYNAMIC_DB)
    return np.clip(1 + energy_db / _DYNAMIC_DB, 0, 1).astype(np.float32)


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
