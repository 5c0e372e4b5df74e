import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from speaking import RATE_HZ, needs_ffmpeg, speak, write_wav

from foundry.errors import InputError
from foundry.speech import audio, loudness, transcribe
from foundry.speech.audio import open_audio
from foundry.speech.channels import Layout, choose_weights, mix_channels
from foundry.speech.loudness import measure_speech

SAID = "seven three one four"
# FL, FR, FC, LFE, BL, BR.
FIVE_ONE = 0x3F


def voice():
    return speak(SAID)[0]


def nothing():
    return np.zeros_like(voice())


def noise(level, seed=0):
    return level * np.random.default_rng(seed).standard_normal(len(voice())).astype(np.float32)


def hold(*pitches_hz, level=1.0):
    """Sines that sound all the time."""
    time_s = np.arange(len(voice())) / RATE_HZ
    sines = [np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in pitches_hz]
    return (level * np.mean(sines, axis=0)).astype(np.float32)


def delay(waveform, num_samples):
    return np.concatenate([np.zeros(num_samples, np.float32), waveform[:-num_samples]])


def weigh(*channels, layout=None):
    return choose_weights(measure_speech(np.stack(channels, 1), RATE_HZ), layout or Layout())


def mix(samples, rate_hz=RATE_HZ, sizes=(10**9,)):
    """Mix samples that come in blocks of the sizes given, over and over."""
    blocks, start = [], 0
    for place in range(10**9):
        if start >= len(samples):
            break
        blocks.append(samples[start : start + sizes[place % len(sizes)]])
        start += len(blocks[-1])
    return np.concatenate([np.zeros(0, np.float32), *mix_channels(blocks, rate_hz, Layout())])


RECORDINGS = {
    "upside down": lambda: [voice(), -voice()],
    "upside down and quieter": lambda: [voice(), -0.3 * voice()],
    "upside down in noise": lambda: [voice() + noise(0.003), -voice() + noise(0.003, 1)],
    "upside down and later": lambda: [voice(), -delay(voice(), 16)],
    "upside down, twice": lambda: [voice(), -voice(), voice(), -voice()],
    "left only": lambda: [voice(), nothing()],
    "right only, the left hisses": lambda: [noise(0.001), voice()],
    "the other is loud noise": lambda: [voice(), noise(0.5)],
    "the other hums": lambda: [voice(), hold(*range(50, 1_000, 50))],
    "the other holds a chord": lambda: [hold(262, 330, 392), voice()],
    "speech in one of eight": lambda: [nothing()] * 5 + [0.02 * voice()] + [nothing()] * 2,
    "effects without a mask": lambda: [nothing()] * 3 + [0.1 * voice(), nothing(), hold(40)],
    "beside effects and noise": lambda: [noise(0.3), noise(0.3, 1), 0.1 * voice(), hold(40)],
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_carries_speech_is_heard(shipped_recogniser, name, tmp_path):
    samples = np.stack(RECORDINGS[name](), 1)
    path = write_wav(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert transcribe(shipped_recogniser, open_audio(path), "beam").text == SAID


def extensible(path, samples, mask):
    """Write a WAV file with a channel mask, which is at 40 in libsndfile's header."""
    soundfile.write(path, samples, RATE_HZ, format="WAVEX", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[40:44] = mask.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def film():
    """Speech in the centre, ten times as loud music in front, and a boom that is no mere rumble."""
    boom = hold(60, 260, level=0.9) * np.hanning(len(voice())).astype(np.float32)
    rhythm = np.abs(np.sin(np.arange(len(voice())) * np.pi / 4_000)).astype(np.float32) ** 8
    music = 0.9 * rhythm * hold(262, 330, 392, 523)
    return np.stack([music, delay(music, 500), 0.1 * voice(), boom, nothing(), nothing()], 1)


def test_the_mask_says_which_channel_is_the_centre(shipped_recogniser, tmp_path):
    path = extensible(tmp_path / "a.wav", film(), FIVE_ONE)
    assert open_audio(path).layout == Layout(2, (3,))
    assert transcribe(shipped_recogniser, open_audio(path), "beam").text == SAID


def test_without_speech_in_the_centre_the_others_are_heard(shipped_recogniser, tmp_path):
    samples = np.stack([voice(), voice(), nothing(), hold(50), nothing(), nothing()], 1)
    path = extensible(tmp_path / "a.wav", samples, FIVE_ONE)
    assert transcribe(shipped_recogniser, open_audio(path), "beam").text == SAID


@pytest.mark.parametrize(
    ("name", "order"),
    [("a.flac", (0, 1, 2, 3, 4, 5)), ("a.ogg", (0, 2, 1, 4, 5, 3))],
)
def test_formats_with_one_order_need_no_mask(tmp_path, name, order):
    soundfile.write(tmp_path / name, film()[:, order], RATE_HZ)
    layout = open_audio(tmp_path / name).layout
    assert (layout.centre, layout.effects) == (order.index(2), (order.index(3),))


@needs_ffmpeg
def test_ffmpeg_knows_the_layout(shipped_recogniser, tmp_path):
    path = extensible(tmp_path / "a.wav", film(), FIVE_ONE)
    command = ["ffmpeg", "-v", "error", "-i", path, "-b:a", "384k", tmp_path / "a.m4a"]
    subprocess.run(command, check=True)
    opened = open_audio(tmp_path / "a.m4a")
    assert (opened.num_channels, opened.layout) == (6, Layout(2, (3,)))
    assert transcribe(shipped_recogniser, opened, "beam").text == SAID


@needs_ffmpeg
def test_ffmpeg_does_not_cancel_channels_that_are_upside_down(shipped_recogniser, tmp_path):
    path = write_wav(tmp_path / "a.wav", np.stack([voice(), -voice()], 1))
    command = ["ffmpeg", "-v", "error", "-i", path, "-c:a", "alac", tmp_path / "a.m4a"]
    subprocess.run(command, check=True)
    assert transcribe(shipped_recogniser, open_audio(tmp_path / "a.m4a"), "beam").text == SAID


@pytest.mark.parametrize(
    ("mask", "num_channels", "layout"),
    [
        (0x3, 2, Layout()),
        (0x4, 1, Layout()),
        (0x7, 3, Layout(2)),
        (0xF, 4, Layout(2, (3,))),
        (0xC, 2, Layout(None, (1,))),
        # Of more loudspeakers than channels the first ones count.
        (0x3F, 3, Layout(2)),
        (0, 6, Layout()),
        (0x63F, 8, Layout(2, (3,))),
    ],
)
def test_a_mask_by_hand(mask, num_channels, layout):
    assert Layout.of_mask(mask, num_channels) == layout


# ---- what was right stays as it was ----


@given(
    seed=st.integers(0, 1_000),
    gain=st.floats(0.3, 1.0),
    lag=st.integers(1, 40),
    level=st.floats(0, 0.01),
)
def test_ordinary_stereo_is_averaged_to_the_bit(seed, gain, lag, level):
    """The same voice on both sides, louder or sooner on one of them, in the noise of a room."""
    right = np.float32(gain) * delay(voice(), lag)
    samples = np.stack([voice() + noise(level, seed), right + noise(level, seed + 1)], 1)
    assert np.array_equal(mix(samples), samples.mean(axis=1))


def test_two_speakers_are_averaged_to_the_bit():
    other = np.resize(speak("yes stop go left right")[0], len(voice()))
    samples = np.stack([voice(), other], 1)
    assert np.array_equal(mix(samples), samples.mean(axis=1))


@pytest.mark.parametrize("num_channels", [2, 5, 40])
def test_without_speech_everything_is_averaged_to_the_bit(num_channels, tmp_path):
    samples = np.stack([noise(0.1, seed) for seed in range(num_channels)], 1)
    path = write_wav(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert np.array_equal(open_audio(path).read_stretch(0.0, 9.9), samples.mean(axis=1))


def test_mono_is_left_alone(tmp_path):
    path = write_wav(tmp_path / "a.wav", voice(), subtype="FLOAT")
    assert np.array_equal(open_audio(path).read_stretch(0.0, 9.9), voice())


# ---- streams ----


def changing(rate_hz):
    """Half a minute in which first the left side speaks, then both, the right one upside down."""
    said = np.resize(voice(), 30 * rate_hz)
    left, right = said.copy(), -said
    right[: 9 * rate_hz] = np.resize(noise(0.2), 9 * rate_hz)
    left[20 * rate_hz :] *= 1e-4
    return np.stack([left, right, np.zeros_like(left)], 1)


@pytest.mark.slow("many cuts")
@given(sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=6))
def test_how_blocks_are_cut_changes_nothing(sizes):
    samples = changing(4_000)
    assert np.array_equal(mix(samples, 4_000, sizes), mix(samples, 4_000))


@pytest.mark.parametrize("block_samples", [3_000, 100_000])
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
def test_how_much_is_read_at_once_changes_nothing(tmp_path, monkeypatch, block_samples, rate_hz):
    path = write_wav(tmp_path / "a.wav", changing(rate_hz), rate_hz)
    whole = open_audio(path).read_stretch(0.0, 99)
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", block_samples)
    assert np.array_equal(open_audio(path).read_stretch(0.0, 99), whole)


def test_a_changed_choice_does_not_click():
    rate_hz = 4_000
    mixed = mix(changing(rate_hz), rate_hz)
    steps = np.abs(np.diff(mixed))
    changes = round(8 * rate_hz) + np.arange(-80, 80)
    assert steps[changes].max() <= steps.max() * 0.9


def test_a_long_recording_is_held_in_pieces(monkeypatch):
    monkeypatch.setattr(loudness, "_SEGMENT_SAMPLES", 8_000)
    held = [
        sum(len(piece) for piece in segment)
        for segment in loudness.cut_segments([changing(4_000)] * 3, 4_000)
    ]
    assert max(held) == 8_000 // 3
    assert sum(held) == 3 * 30 * 4_000


def test_weights_add_up_and_say_what_is_upside_down():
    assert weigh(voice(), -voice()).tolist() == [0.5, -0.5]
    assert weigh(nothing(), voice()).tolist() == [0, 1]
    assert weigh(voice(), voice(), nothing(), hold(40)).tolist() == [0.5, 0.5, 0, 0]
    # Nothing but effects is better than nothing.
    assert weigh(voice(), voice(), layout=Layout(None, (0, 1))).tolist() == [0.5, 0.5]


# ---- channel by channel ----


@pytest.mark.parametrize(
    ("recording", "differ"),
    [
        (lambda: [voice()], False),
        (lambda: [voice(), voice()], False),
        (lambda: [voice(), -0.5 * voice()], False),
        (lambda: [voice(), delay(voice(), 16)], False),
        (lambda: [voice(), nothing()], False),
        (lambda: [nothing(), nothing()], False),
        (lambda: [nothing()] * 3 + [voice(), hold(40)], False),
        (lambda: [voice(), np.roll(voice(), RATE_HZ)], True),
        (lambda: [voice(), noise(0.1)], True),
        (lambda: [voice(), voice(), 0.1 * np.roll(voice(), RATE_HZ)], True),
        # More than can be transcribed one by one.
        (lambda: [np.roll(voice(), 2_000 * place) for place in range(9)], False),
    ],
)
def test_channels_differ_if_there_are_different_things_to_hear(tmp_path, recording, differ):
    path = write_wav(tmp_path / "a.wav", np.stack(recording(), 1), subtype="FLOAT")
    assert open_audio(path).do_channels_differ() == differ


def test_a_header_without_samples_has_no_channels_that_differ(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros((0, 2)))
    assert not open_audio(path).do_channels_differ()


def test_channels_are_files_of_their_own(tmp_path):
    samples = np.stack([voice(), noise(0.1), -voice()], 1)
    path = write_wav(tmp_path / "a.wav", samples, subtype="FLOAT")
    for channel, part in enumerate(open_audio(path).split_channels()):
        assert np.array_equal(part.read_stretch(0.0, 9.9), samples[:, channel])
    path = write_wav(tmp_path / "b.wav", np.zeros((100, 9)))
    with pytest.raises(InputError, match="has 9 channels; up to 8"):
        open_audio(path).split_channels()


@pytest.mark.parametrize("by_channel", [False, True])
def test_two_speakers_have_a_transcript_each(shipped_recogniser, tmp_path, by_channel):
    other = "yes stop go left"
    spoken = speak(other)[0]
    samples = np.zeros((max(len(voice()), len(spoken)), 2), np.float32)
    samples[: len(voice()), 0], samples[: len(spoken), 1] = voice(), spoken
    path = write_wav(tmp_path / "a.wav", samples)
    transcript = transcribe(shipped_recogniser, open_audio(path), "beam", by_channel)
    if not by_channel:
        assert transcript.channels == ()
        return
    assert [part.text for part in transcript.channels] == [SAID, other]
    assert transcript.duration_s == pytest.approx(len(samples) / RATE_HZ)
    assert sorted(transcript.text.split()) == sorted(f"{SAID} {other}".split())
    starts = [word.start_s for word in transcript.words]
    assert starts == sorted(starts)


def test_of_empty_channels_the_one_with_most_to_hear_says_why(shipped_recogniser, tmp_path):
    path = write_wav(tmp_path / "a.wav", np.stack([nothing(), noise(0.3)], 1), subtype="FLOAT")
    transcript = transcribe(shipped_recogniser, open_audio(path), "beam", by_channel=True)
    assert [part.no_words.reason for part in transcript.channels] == ["silence", "no_speech"]
    assert transcript.no_words == transcript.channels[1].no_words
