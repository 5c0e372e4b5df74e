import json

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from speaking import RATE_HZ, speak, write_wav

SAID = "seven three one four"


@pytest.fixture
def client(app_url):
    return Client(app_url, verbose=False)


@pytest.fixture
def clip(tmp_path):
    return write_wav(tmp_path / "said.wav", speak(SAID)[0])


def transcribe(client, path, *options):
    return client.predict(
        handle_file(str(path)) if path else None, *options, api_name="/transcribe"
    )


def refusal(client, path, *options):
    with pytest.raises(AppError) as refused:
        transcribe(client, path, *options)
    message = str(refused.value)
    assert "Traceback" not in message
    assert "show_error" not in message  # Gradio's words for an error nobody foresaw
    return message


def test_the_contract(client, clip):
    answer = transcribe(client, clip, "wav2vec2-commands", "dense")
    assert list(answer) == ["text", "words", "duration_s", "model", "variant"]
    assert answer["text"] == SAID
    assert [word["word"] for word in answer["words"]] == SAID.split()
    assert set(answer["words"][0]) == {
        "word",
        "start_s",
        "end_s",
        "confidence",
        "doubtful",
    }
    times = [time for word in answer["words"] for time in (word["start_s"], word["end_s"])]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= answer["duration_s"]
    assert answer["duration_s"] == pytest.approx(soundfile.info(clip).duration, abs=0.001)
    assert (answer["model"], answer["variant"]) == ("wav2vec2-commands", "dense")
    json.dumps(answer)


def test_every_parameter_but_the_sound_has_a_default(client, clip):
    assert transcribe(client, clip)["text"] == SAID
    endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    names = [parameter["parameter_name"] for parameter in endpoint["/transcribe"]["parameters"]]
    assert names == ["audio_file", "model", "variant", "decoding"]


def test_beam_search(client, clip):
    assert transcribe(client, clip, "wav2vec2-commands", "dense", "beam")["text"] == SAID


def test_refusals_say_what_is_accepted(client, clip, tmp_path):
    assert "There is no sound file" in refusal(client, None)
    assert "choose one of dense" in refusal(client, clip, "wav2vec2-commands", "crushed")
    assert "greedy, beam" in refusal(client, clip, "wav2vec2-commands", "dense", "telepathy")
    assert "neither a folder" in refusal(client, clip, "no such model")
    empty, text = tmp_path / "empty.wav", tmp_path / "text.wav"
    empty.write_bytes(b"")
    text.write_text("This is a text file.")
    assert "empty" in refusal(client, empty)
    assert "not a sound file" in refusal(client, text)


@pytest.mark.parametrize(
    ("waveform", "rate_hz"),
    [
        (np.zeros(0), 16_000),
        (np.zeros(16_000), 16_000),
        (np.full(16_000, np.nan), 16_000),
        (np.zeros((192_000, 5)), 192_000),
        (np.ones(50), 8_000),
    ],
    ids=["zero length", "silence", "not numbers", "5 channels at 192 kHz", "6 ms"],
)
def test_nothing_to_hear_is_an_empty_transcript(client, tmp_path, waveform, rate_hz):
    path = write_wav(tmp_path / "a.wav", waveform, rate_hz, "FLOAT")
    answer = transcribe(client, path)
    assert (answer["text"], answer["words"]) == ("", [])
    assert answer["duration_s"] == pytest.approx(len(waveform) / rate_hz, abs=0.001)
    assert answer["reason"] in ("silence", "too_short")
    assert answer["reason_text"].startswith("The recording is")


def test_channel_by_channel(client, clip, tmp_path):
    left = soundfile.read(clip)[0]
    right = np.zeros_like(left)
    right[len(left) // 2 :] = speak("yes stop")[0][: len(left) - len(left) // 2]
    path = write_wav(tmp_path / "call.wav", np.stack([left, right], 1))
    answer = client.predict(handle_file(path), api_name="/transcribe_channels")
    assert [part["channel"] for part in answer["channels"]] == [1, 2]
    assert answer["channels"][0]["text"] == SAID
    assert answer["channels"][1]["text"].startswith("yes")
    assert "channels" not in transcribe(client, path)


def test_any_shape_of_sound_is_heard(client, tmp_path):
    waveform = soundfile.read(write_wav(tmp_path / "a.wav", speak(SAID)[0]))[0]
    upsampled = np.repeat(waveform, 6)  # 96 kHz, however roughly
    five = np.tile(upsampled[:, None], 5)
    path = write_wav(tmp_path / "b.wav", five, 6 * RATE_HZ, "PCM_24")
    assert transcribe(client, path)["text"] == SAID


def test_a_truncated_recording_is_heard_as_far_as_it_goes(client, clip, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    answer = transcribe(client, cut)
    assert answer["text"] in (SAID, "seven three one", "seven three")


def test_plumbing_of_the_tab_cannot_be_called_by_name(client):
    for name in ("on_transcribe", "on_sound", "on_choose", "on_score", "load_example"):
        with pytest.raises(Exception, match=name):
            client.predict(api_name=f"/{name}")
