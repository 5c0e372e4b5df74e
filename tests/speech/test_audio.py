import shutil
import struct
import subprocess
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from speaking import needs_ffmpeg

from foundry.errors import InputError
from foundry.speech import audio
from foundry.speech.audio import SAMPLE_RATE_HZ, open_audio, resample
from foundry.speech.formats import ffmpeg

PITCH_HZ = 440.0
SECONDS = 1.5


def sine(rate_hz, seconds=SECONDS, amplitude=0.5):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return amplitude * np.sin(2 * np.pi * PITCH_HZ * time_s)


def read_all(path):
    return np.concatenate([np.zeros(0, np.float32), *open_audio(path).read_blocks()])


def assert_is_the_sine(waveform, tolerance):
    """Compare with the sine drawn at 16 kHz; the ends ring and are left out."""
    assert waveform.dtype == np.float32
    assert abs(len(waveform) - SECONDS * SAMPLE_RATE_HZ) <= 1
    expected = sine(SAMPLE_RATE_HZ)
    inner = slice(800, min(len(waveform), len(expected)) - 800)
    assert np.abs(waveform[inner] - expected[inner]).max() < tolerance


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_rate_and_any_number_of_channels_give_the_same_sine(tmp_path, rate_hz, channels):
    path = tmp_path / "sine.wav"
    soundfile.write(path, np.tile(sine(rate_hz)[:, None], channels), rate_hz, subtype="FLOAT")
    assert open_audio(path).duration_s == pytest.approx(SECONDS, abs=1e-3)
    assert_is_the_sine(read_all(path), 1e-3)


@given(start_s=st.just(0.0) | st.floats(0, 2 * SECONDS), limit_s=st.floats(0, 2 * SECONDS))
def test_a_stretch_is_that_of_the_whole(start_s, limit_s, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "stretch.wav"
    if not path.exists():
        soundfile.write(path, sine(48_000), 48_000)
    with pytest.MonkeyPatch.context() as patch:
        # Many blocks, whose edges lie anywhere in the stretch.
        patch.setattr(audio, "_BLOCK_SAMPLES", 5_000)
        whole = read_all(path)
        stretch = open_audio(path).read_stretch(start_s, limit_s)
    first, end = (round(time_s * SAMPLE_RATE_HZ) for time_s in (start_s, start_s + limit_s))
    assert np.array_equal(stretch, whole[first:end])


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_U8", 0.02),
        ("a.wav", "PCM_16", 1e-3),
        ("a.wav", "PCM_24", 1e-3),
        ("a.wav", "PCM_32", 1e-3),
        ("a.wav", "DOUBLE", 1e-3),
        ("a.wav", "ULAW", 0.03),
        ("a.flac", "PCM_16", 1e-3),
        ("a.aiff", "PCM_16", 1e-3),
        ("a.ogg", "VORBIS", 0.05),
    ],
)
def test_every_format_gives_the_same_sine(tmp_path, name, subtype, tolerance):
    soundfile.write(tmp_path / name, sine(16_000), 16_000, subtype=subtype)
    assert_is_the_sine(read_all(tmp_path / name), tolerance)


@pytest.mark.parametrize(
    ("name", "format", "subtype"),
    [("a.opus", "OGG", "OPUS"), ("a.mp3", "MP3", "MPEG_LAYER_III")],
)
def test_lossy_formats_keep_the_pitch_and_about_the_length(tmp_path, name, format, subtype):
    soundfile.write(tmp_path / name, sine(48_000), 48_000, format=format, subtype=subtype)
    waveform = read_all(tmp_path / name)
    assert len(waveform) / SAMPLE_RATE_HZ == pytest.approx(SECONDS, abs=0.1)
    spectrum = np.abs(np.fft.rfft(waveform[:SAMPLE_RATE_HZ]))
    assert spectrum.argmax() == pytest.approx(PITCH_HZ, abs=1)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.aac", "a.mka"])
def test_what_libsndfile_does_not_read_ffmpeg_does(tmp_path, name):
    soundfile.write(tmp_path / "a.wav", sine(48_000), 48_000)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", tmp_path / name]
    subprocess.run(command, check=True)
    waveform = read_all(tmp_path / name)
    assert len(waveform) / SAMPLE_RATE_HZ == pytest.approx(SECONDS, abs=0.15)
    assert np.abs(np.fft.rfft(waveform[:SAMPLE_RATE_HZ])).argmax() == pytest.approx(440, abs=1)


def test_without_ffmpeg_a_sentence_says_what_can_be_read(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x18ftypM4A " + bytes(100))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"needs ffmpeg.*WAV, FLAC"):
        open_audio(tmp_path / "a.m4a")


@needs_ffmpeg
@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x18ftypM4A " + bytes(500),
        b"\x1aE\xdf\xa3" + bytes(500),
        b"\xff\xf1" + bytes(500),
        b"#!AMR\n" + bytes(range(256)),
    ],
)
def test_broken_files_for_ffmpeg_are_refused_or_short(tmp_path, content):
    path = tmp_path / "broken.m4a"
    path.write_bytes(content)
    try:
        assert len(read_all(path)) < 10 * SAMPLE_RATE_HZ
    except InputError as error:
        assert "broken.m4a" in str(error)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"This is a text file, whatever it is called.", "not a sound file"),
        (b"RIFF", "not a sound file"),
        (b"#EXTM3U\n/etc/passwd\n", "not a sound file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a sound file"),
    ],
)
def test_what_is_not_sound_is_refused_with_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as refused:
        open_audio(path)
    assert "speech.wav" in str(refused.value)


def test_what_comes_before_a_stretch_is_not_kept_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", 1 << 14)
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(120 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    recording = open_audio(path)
    tracemalloc.start()
    try:
        assert len(recording.read_stretch(119.0, 1.0)) == SAMPLE_RATE_HZ
        # All of it is 7.7 MB.
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("error")
def test_looking_at_a_file_leaves_nothing_open(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(16_000), 16_000)
    open_audio(tmp_path / "a.wav")


def test_a_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        open_audio(tmp_path / "gone.wav")


def test_a_header_without_samples_gives_no_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16_000)
    assert len(read_all(tmp_path / "a.wav")) == 0


def wav_bytes(tmp_path, num_samples=8_000):
    path = tmp_path / "good.wav"
    soundfile.write(path, sine(16_000, num_samples / 16_000), 16_000, subtype="PCM_16")
    return path.read_bytes()


@pytest.mark.parametrize("kept", [45, 100, 1_001, 8_000])
def test_a_truncated_file_gives_what_is_left(tmp_path, kept):
    (tmp_path / "a.wav").write_bytes(wav_bytes(tmp_path)[:kept])
    assert len(read_all(tmp_path / "a.wav")) == (kept - 44) // 2


@needs_ffmpeg
def test_a_flac_that_was_written_to_a_pipe_is_read_though_it_does_not_know_its_length(tmp_path):
    path = tmp_path / "piped.flac"
    soundfile.write(path, sine(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    data = bytearray(path.read_bytes())
    # The format's specification: of STREAMINFO, which is at 8, the 36 bits before the checksum.
    data[8 + 13] &= 0xF0
    data[8 + 14 : 8 + 18] = bytes(4)
    path.write_bytes(data)
    assert_is_the_sine(read_all(path), 1e-3)


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["webm", "flac"])
def test_the_length_of_what_was_written_to_a_pipe_is_known_before_it_is_decoded(tmp_path, kind):
    """What is long is not transcribed unasked, nor a second time to compare."""
    soundfile.write(tmp_path / "a.wav", sine(48_000), 48_000)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-f", kind, "-"]
    path = tmp_path / f"piped.{kind}"
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert open_audio(path).duration_s == pytest.approx(SECONDS, abs=0.1)


@needs_ffmpeg
@pytest.mark.parametrize("block_samples", [1 << 20, 1_000])
def test_a_flac_that_breaks_off_gives_what_is_left(tmp_path, monkeypatch, block_samples):
    path = tmp_path / "broken.flac"
    monkeypatch.setattr("foundry.speech.audio._BLOCK_SAMPLES", block_samples)
    soundfile.write(path, sine(SAMPLE_RATE_HZ, 3.0), SAMPLE_RATE_HZ)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with soundfile.SoundFile(path) as file, pytest.raises(soundfile.LibsndfileError):
        file.read()
    # FLAC's frames have 4,096 samples; the one in which it breaks off is lost.
    waveform = read_all(path)
    assert 2 * SAMPLE_RATE_HZ - 2 * 4_096 < len(waveform) <= 2 * SAMPLE_RATE_HZ
    assert waveform == pytest.approx(sine(SAMPLE_RATE_HZ, 3.0)[: len(waveform)], abs=1e-3)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"broken\.flac” is damaged and cannot be read to its end"):
        read_all(path)


@pytest.mark.parametrize(("offset", "format"), [(4, "<I"), (40, "<I")])
def test_a_header_that_promises_more_gives_what_is_there(tmp_path, offset, format):
    content = bytearray(wav_bytes(tmp_path))
    struct.pack_into(format, content, offset, 0x7FFFFFF0)
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_all(tmp_path / "a.wav")) == 8_000


@pytest.mark.parametrize("rate_hz", [0, 1, 2**31 - 1])
def test_an_absurd_rate_is_refused(tmp_path, rate_hz):
    content = bytearray(wav_bytes(tmp_path))
    struct.pack_into("<I", content, 24, rate_hz)
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InputError):
        open_audio(tmp_path / "a.wav")


@pytest.mark.slow("many files")
@given(
    position=st.integers(0, 43),
    garbage=st.binary(min_size=1, max_size=8),
    kept=st.integers(44, 16_044),
)
def test_no_damaged_header_does_more_than_be_refused(tmp_path, position, garbage, kept):
    content = bytearray(wav_bytes(tmp_path))
    content[position : position + len(garbage)] = garbage
    path = tmp_path / "damaged.wav"
    path.write_bytes(bytes(content[:kept]))
    try:
        waveform = read_all(path)
    except InputError:
        return
    assert np.isfinite(waveform).all()


def test_samples_that_are_not_numbers_are_silence(tmp_path):
    broken = sine(16_000)
    broken[4_000:4_100] = np.nan
    broken[9_000], broken[9_001], broken[9_002] = np.inf, -np.inf, 3e38
    soundfile.write(tmp_path / "a.wav", broken, 16_000, subtype="FLOAT")
    waveform = read_all(tmp_path / "a.wav")
    assert np.isfinite(waveform).all()
    assert np.abs(waveform[4_020:4_080]).max() < 1e-3
    assert np.isfinite(np.square(waveform)).all()


def test_what_is_beyond_float32_is_loud_rather_than_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", 1e300 * sine(16_000), 16_000, subtype="DOUBLE")
    waveform = read_all(tmp_path / "a.wav")
    assert waveform.dtype == np.float32
    assert np.isfinite(waveform).all() and np.abs(waveform).mean() > 1e5


def test_a_long_recording_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros(32_000), 16_000)
    monkeypatch.setattr(audio, "MAX_DURATION_S", 1.0)
    with pytest.raises(InputError, match="longer than"):
        open_audio(tmp_path / "a.wav")


def test_a_recording_that_hides_its_length_is_stopped_on_the_way(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros(32_000), 16_000)
    opened = open_audio(tmp_path / "a.wav")
    monkeypatch.setattr(audio, "MAX_DURATION_S", 1.0)
    with pytest.raises(InputError, match="longer than"):
        list(opened.read_blocks())


def test_blocks_are_bounded_and_seamless(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.tile(sine(44_100)[:, None], 2), 44_100, subtype="FLOAT")
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", 5_000)
    blocks = list(open_audio(tmp_path / "a.wav").read_blocks())
    # 2,500 samples of either channel, and what the filter held back.
    assert max(len(block) for block in blocks) < 2_500
    assert_is_the_sine(np.concatenate(blocks), 1e-3)


def test_a_short_piece_is_resampled_like_a_file():
    assert_is_the_sine(resample(sine(48_000).astype(np.float32), 48_000), 1e-3)


# ---- headers that were never finished ----


def unwritten(tmp_path, file_format, places):
    """Write a sine whose header has, at each (offset, struct format, value), something else."""
    path = tmp_path / "killed.wav"
    soundfile.write(path, sine(16_000), 16_000, format=file_format, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    for offset, code, value in places:
        struct.pack_into(code, content, offset, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("file_size", [0, 2**32 - 1])
@pytest.mark.parametrize("data_size", [0, 2**32 - 1])
def test_a_wav_file_without_sizes_is_read_to_its_end(tmp_path, file_size, data_size):
    places = [(4, "<I", file_size), (40, "<I", data_size)]
    assert_is_the_sine(read_all(unwritten(tmp_path, "WAV", places)), 1e-3)


@pytest.mark.parametrize("size", [0, 2**64 - 1])
def test_an_rf64_file_without_sizes_is_read_to_its_end(tmp_path, size):
    places = [(offset, "<Q", size) for offset in (20, 28)]
    assert_is_the_sine(read_all(unwritten(tmp_path, "RF64", places)), 1e-3)


@pytest.mark.parametrize("size", [0, 24, 2**64 - 1])
def test_a_w64_file_without_sizes_is_read_to_its_end(tmp_path, size):
    # Its data chunk is at 104: 40 of the file's head, 24 and 40 of the format.
    places = [(16, "<Q", size), (120, "<Q", size)]
    assert_is_the_sine(read_all(unwritten(tmp_path, "W64", places)), 1e-3)


def test_a_w64_file_with_a_chunk_that_ends_nowhere_is_a_sentence(tmp_path):
    # The format's chunk, as long as eight bytes can say.
    with pytest.raises(InputError):
        read_all(unwritten(tmp_path, "W64", [(56, "<Q", 2**64 - 16)]))


def test_chunks_after_an_empty_recording_are_not_its_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16_000, subtype="PCM_16")
    content = (tmp_path / "a.wav").read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO"
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_all(tmp_path / "a.wav")) == 0


# ---- what ffmpeg may and may not read ----


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.caf", ["-c:a", "libopus"]),
        ("a.wav", ["-c:a", "g722"]),
        ("a.wav", ["-ar", "8000", "-c:a", "g726", "-b:a", "32k"]),
        ("a.mov", []),
    ],
)
def test_ffmpeg_tells_the_format_by_looking(tmp_path, name, options):
    soundfile.write(tmp_path / "sine.flac", sine(16_000), 16_000)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "sine.flac", *options, tmp_path / name]
    subprocess.run(command, check=True)
    if name == "a.mov":
        content = (tmp_path / name).read_bytes()
        # In place of `ftyp`, so that no place in the file moves.
        (tmp_path / name).write_bytes(content[:4] + b"free" + content[8:])
    waveform = read_all(tmp_path / name)
    assert len(waveform) / SAMPLE_RATE_HZ == pytest.approx(SECONDS, abs=0.15)
    assert np.abs(np.fft.rfft(waveform[:SAMPLE_RATE_HZ])).argmax() == pytest.approx(440, abs=1)


@needs_ffmpeg
def test_an_id3_tag_before_adts_is_passed_over(tmp_path):
    soundfile.write(tmp_path / "sine.flac", sine(16_000), 16_000)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "sine.flac", tmp_path / "a.aac"]
    subprocess.run(command, check=True)
    tag = b"ID3\x04\0\0\0\0\0\x14" + bytes(20)
    (tmp_path / "tagged.aac").write_bytes(tag + (tmp_path / "a.aac").read_bytes())
    waveform = read_all(tmp_path / "tagged.aac")
    assert np.abs(np.fft.rfft(waveform[:SAMPLE_RATE_HZ])).argmax() == pytest.approx(440, abs=1)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.wav", "a.m3u8", "a.ffconcat", "a.mp4", "a.sdp", "a.mpd"])
@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "{}\n",
    ],
)
def test_no_playlist_leads_to_another_file(tmp_path, name, playlist):
    soundfile.write(tmp_path / "secret.flac", sine(16_000), 16_000)
    path = tmp_path / name
    path.write_text(playlist.format(tmp_path / "secret.flac"))
    with pytest.raises(InputError, match="not a sound file"):
        read_all(path)


@needs_ffmpeg
def test_the_sentence_names_what_this_ffmpeg_reads(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("No sound at all.")
    with pytest.raises(InputError, match=r"with the ffmpeg that is here.*WebM"):
        open_audio(tmp_path / "a.txt")
    monkeypatch.setattr(ffmpeg, "list_formats", lambda: ffmpeg.name_formats(" D  caf  Apple CAF\n"))
    with pytest.raises(InputError, match=r"with the ffmpeg that is here CAF\.$"):
        open_audio(tmp_path / "a.txt")
