"""What sound looks like: loudness over time, and energy over time and pitch."""

import numpy as np

from foundry.speech.audio import SAMPLE_RATE_HZ

_WINDOW = 512  # samples: 32 ms
# Digital silence has no loudest moment to measure from.
_FLOOR = 1e-10
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
    from transformers import audio_utils

    bands = audio_utils.mel_filter_bank(
        num_frequency_bins=_WINDOW // 2 + 1,
        num_mel_filters=_NUM_BANDS,
        min_frequency=_LOWEST_HZ,
        max_frequency=SAMPLE_RATE_HZ / 2,
        sampling_rate=SAMPLE_RATE_HZ,
        norm="slaney",
        mel_scale="slaney",
    )
    power = audio_utils.spectrogram(
        waveform,
        audio_utils.window_function(_WINDOW),
        frame_length=_WINDOW,
        hop_length=max(1, -(-len(waveform) // num_columns)),
        power=2.0,
        pad_mode="constant",
        mel_filters=bands,
    )
    loudest = max(float(power.max()), _FLOOR)
    energy_db = audio_utils.power_to_db(power, reference=loudest, db_range=_DYNAMIC_DB)
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
