import librosa
import numpy as np
import pytest

from foundry.speech.spectrogram import compute_envelope, compute_spectrogram

RATE_HZ = 16_000


@pytest.mark.parametrize("pitch_hz", [300, 1_000, 3_000, 6_000])
def test_a_sine_lights_the_band_of_its_pitch(pitch_hz):
    sine = np.sin(2 * np.pi * pitch_hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    brightest = compute_spectrogram(sine, 100)[:, 50].argmax()
    # 80 triangles between 82 mel-spaced edges: the peak of the n-th is the edge after it.
    peaks_hz = librosa.mel_frequencies(82, fmin=60.0, fmax=RATE_HZ / 2)[1:-1]
    nearest = np.abs(peaks_hz - pitch_hz).argmin()
    assert abs(brightest - nearest) <= 1


@pytest.mark.slow("imports librosa")
def test_it_is_the_picture_that_librosa_makes():
    sound = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    hop = -(-RATE_HZ // 100)
    power = librosa.feature.melspectrogram(
        y=sound, sr=RATE_HZ, n_fft=512, hop_length=hop, n_mels=80, fmin=60.0
    )
    expected = 1 + librosa.power_to_db(power, ref=np.max, top_db=70.0) / 70.0
    assert compute_spectrogram(sound, 100) == pytest.approx(expected, abs=1e-5)


def test_the_loudest_is_1_and_silence_0():
    sound = np.zeros(RATE_HZ, np.float32)
    sound[:4_000] = np.sin(np.arange(4_000))
    picture = compute_spectrogram(sound, 100)
    assert picture.max() == 1
    assert not picture[:, 60:].any()


@pytest.mark.parametrize("num_samples", [1, 100, 5_000])
def test_short_and_silent_sound_has_a_picture_too(num_samples):
    picture = compute_spectrogram(np.zeros(num_samples, np.float32), 2)
    assert np.isfinite(picture).all()
    assert picture.shape[0] == 80


def test_the_envelope_holds_the_extremes_of_every_stretch():
    sound = np.array([0.5, -1.0, 0.25, 0.0], np.float32)
    assert compute_envelope(sound, 2).tolist() == [[-1.0, 0.0], [0.5, 0.25]]
