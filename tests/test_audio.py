import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from foundry.audio import SAMPLE_RATE_HZ, open_audio
from foundry.errors import InputError


def read_all(path):
    return np.concatenate(list(open_audio(path).read_blocks()))


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 192_000])
def test_a_sine_keeps_its_frequency_and_level_at_any_rate(tmp_path, rate_hz):
    time_s = np.arange(2 * rate_hz) / rate_hz
    soundfile.write(tmp_path / "sine.wav", 0.5 * np.sin(2 * np.pi * 440 * time_s), rate_hz)
    heard = read_all(tmp_path / "sine.wav")
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    assert len(heard) == pytest.approx(len(wanted), abs=2)
    middle = slice(2_000, 30_000)
    assert np.abs(heard[middle] - wanted[middle]).max() < 2e-3


@settings(max_examples=15, deadline=None)
@given(channels=st.integers(1, 5), subtype=st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "FLOAT"]))
def test_channels_are_mixed_down_in_any_sample_format(tmp_path_factory, channels, subtype):
    path = tmp_path_factory.mktemp("audio") / "mixed.wav"
    one = np.linspace(-0.5, 0.5, 16_000)
    soundfile.write(path, np.repeat(one[:, None], channels, axis=1), 16_000, subtype=subtype)
    assert np.abs(read_all(path) - one).max() < 0.01


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am a text\n" * 100, b"RIFF\xff\xff\xff\xffWAVE"]
)
def test_what_is_no_sound_gets_a_sentence(tmp_path, content):
    path = tmp_path / "no.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"no\.wav"):
        read_all(path)


def test_samples_that_are_not_numbers_are_silence(tmp_path):
    samples = np.full(16_000, 0.25, np.float32)
    samples[5_000:6_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    assert np.isfinite(read_all(tmp_path / "nan.wav")).all()
