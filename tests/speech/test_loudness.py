import numpy as np
import pytest

from foundry.speech.loudness import LoudnessMeter

RATE_HZ = 16_000


def measure(waveform, block=1_000):
    meter = LoudnessMeter(RATE_HZ)
    starts = range(0, len(waveform), block)
    blocks = [waveform[start : start + block] for start in starts]
    assert all(map(np.array_equal, meter.follow(blocks), blocks))
    assert meter.duration_s == len(waveform) / RATE_HZ
    return meter.loudness


def bursts():
    """Noise that comes and goes, and is not as far above nothing as below it."""
    noise = np.random.default_rng(0).standard_normal(2 * RATE_HZ)
    noise = np.where(noise > 0, 2 * noise, noise) * np.repeat([0, 0.2, 0, 0.1], RATE_HZ // 2)
    return noise.astype(np.float32)


@pytest.mark.parametrize("block", [1, 1_000, 100_000])
def test_loudness_is_the_root_mean_square_of_every_hop(block):
    waveform = bursts()[:10_000]
    expected = np.sqrt(np.square(waveform[:9_920].reshape(-1, 160)).mean(1))
    np.testing.assert_allclose(measure(waveform, block), expected, rtol=1e-3)
    assert measure(waveform[:159]).shape == (0,)


@pytest.mark.parametrize("offset", [0.05, -0.3])
def test_the_offset_of_a_converter_is_not_loud(offset):
    np.testing.assert_allclose(measure(bursts() + np.float32(offset)), measure(bursts()), atol=1e-5)
