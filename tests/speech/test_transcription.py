import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from speaking import COMMANDS, RATE_HZ, speak, write_wav
from tiny_wav2vec2 import SYMBOLS, write_tiny_wav2vec2

from foundry.errors import InputError
from foundry.speech import load_recogniser, transcribe, transcribe_stream
from foundry.speech.audio import open_audio
from foundry.speech.chunks import ChunkPlan, cut_chunks
from foundry.speech.decoding.beam import BIGRAM_FILE, BeamOptions, Bigram, write_bigram
from foundry.speech.transcription import BEAM, compute_log_probs

# A third of the default, so that a few seconds of speech are several chunks.
SHORT_PLAN = ChunkPlan(core_s=4.0, context_s=2.0)


# Words that a synthesiser says clearly.
STEADY = ("seven", "three", "one")


@pytest.fixture(scope="module")
def tiny(tiny_speech_dir):
    return load_recogniser(str(tiny_speech_dir))


def hear(recogniser, waveform, tmp_path, decoding="greedy", plan=None, rate_hz=RATE_HZ):
    audio = open_audio(write_wav(tmp_path / "speech.wav", waveform, rate_hz, "FLOAT"))
    if plan is None:
        return transcribe(recogniser, audio, decoding)
    *_, last = transcribe_stream(recogniser, audio, decoding, plan)
    return last.transcript


def batch_decode(recogniser, waveform):
    """What transformers itself makes of it."""
    processor, model = recogniser.pretrained.processor, recogniser.pretrained.model
    inputs = processor(waveform, sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits
    return " ".join(processor.batch_decode(logits.argmax(-1))[0].split())


def noise(seed, seconds, level=0.1):
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


# ---- the same text as transformers ----


@pytest.mark.parametrize("seed", range(5))
def test_a_random_model_gives_the_text_that_transformers_gives(tiny, seed, tmp_path):
    waveform = noise(seed, 1.0 + seed)
    transcript = hear(tiny, waveform, tmp_path)
    assert transcript.text == batch_decode(tiny, waveform)
    assert len(transcript.text) > 10


@pytest.mark.parametrize("stock", [False, True])
def test_any_front_end_will_do(tmp_path, stock):
    """Group norm and no normalisation are what base models have."""
    stock_front_end = {
        "conv_dim": (8,) * 7,
        "conv_kernel": (10, 3, 3, 3, 3, 2, 2),
        "conv_stride": (5, 2, 2, 2, 2, 2, 2),
        "feat_extract_norm": "group",
        "do_stable_layer_norm": False,
    }
    folder = write_tiny_wav2vec2(tmp_path / "model", **(stock_front_end if stock else {}))
    recogniser = load_recogniser(str(folder))
    assert recogniser.grid.width == (400 if stock else 960)
    waveform = noise(1, 3.0)
    assert hear(recogniser, waveform, tmp_path).text == batch_decode(recogniser, waveform)


@pytest.mark.parametrize("text", ["seven", "three one four", "yes", "go left"])
def test_the_shipped_model_gives_the_text_that_transformers_gives(
    shipped_recogniser, text, tmp_path
):
    waveform, _ = speak(text)
    transcript = hear(shipped_recogniser, waveform, tmp_path)
    assert transcript.text == batch_decode(shipped_recogniser, waveform) == text


# ---- long sound ----


def test_chunks_give_the_text_of_the_whole_for_a_local_model(tmp_path):
    """Without attention over distance nothing but the cutting could make a difference."""
    folder = write_tiny_wav2vec2(tmp_path / "model", num_hidden_layers=0)
    recogniser = load_recogniser(str(folder))
    waveform = noise(3, 18.0)
    whole = hear(recogniser, waveform, tmp_path)
    assert whole.text == batch_decode(recogniser, waveform)
    for core_s in (1.0, 2.5, 7.0):
        plan = ChunkPlan(core_s, context_s=0.5)
        cut = hear(recogniser, waveform, tmp_path, plan=plan)
        assert cut.text == whole.text
        assert [word.start_s for word in cut.words] == [word.start_s for word in whole.words]


@pytest.mark.slow("minutes of speech")
@settings(max_examples=12)
@given(
    before_s=st.floats(0.0, 4.0),
    core_s=st.floats(2.0, 6.0),
    order=st.permutations(STEADY * 3),
)
def test_where_speech_is_cut_makes_no_difference(
    shipped_recogniser, before_s, core_s, order, tmp_path
):
    waveform, _ = speak(" ".join(order), before_s=before_s)
    whole = hear(shipped_recogniser, waveform, tmp_path)
    plan = ChunkPlan(core_s, context_s=2.0)
    cut = hear(shipped_recogniser, waveform, tmp_path, plan=plan)
    assert cut.text == whole.text
    for word, same in zip(cut.words, whole.words, strict=True):
        assert word.start_s == pytest.approx(same.start_s, abs=0.06)


@pytest.mark.parametrize("pause_s", [0.1, 0.3, 0.7])
def test_words_are_within_60_ms_of_where_they_were_put(shipped_recogniser, pause_s, tmp_path):
    text = "three one seven one seven three"
    waveform, times = speak(text, pause_s)
    transcript = hear(shipped_recogniser, waveform, tmp_path)
    assert transcript.text == text
    for word, (start_s, end_s) in zip(transcript.words, times, strict=True):
        assert word.start_s == pytest.approx(start_s, abs=0.06)
        assert word.end_s == pytest.approx(end_s, abs=0.06)


@pytest.mark.slow("minutes of speech")
def test_two_minutes_are_heard_to_the_end(shipped_recogniser, tmp_path):
    text = "seven three one " * 45
    waveform, times = speak(text.strip(), 0.6)
    transcript = hear(shipped_recogniser, waveform, tmp_path)
    # No letter is lost or doubled at a seam.
    assert transcript.text.replace(" ", "") == text.replace(" ", "")
    assert transcript.duration_s == pytest.approx(len(waveform) / RATE_HZ)
    assert transcript.words[-1].start_s == pytest.approx(times[-1][0], abs=0.06)
    ends = [time for word in transcript.words for time in (word.start_s, word.end_s)]
    assert ends == sorted(ends)
    assert ends[-1] <= transcript.duration_s


@pytest.mark.slow("much speech")
def test_a_quiet_speaker_is_heard_beside_a_loud_one(shipped_recogniser, tmp_path):
    """Each is given to the model as loud as the sound around, not as the whole recording."""
    text = " ".join(["seven three one"] * 25)
    loud, _ = speak(text)
    words = hear(shipped_recogniser, np.concatenate([loud, 0.01 * loud]), tmp_path).words
    # Where the level changes both are in one window; what is well inside either is as clear.
    inside = [word.word for word in words if word.start_s > len(loud) / RATE_HZ + 25]
    assert len(inside) > 10
    assert set(inside) == {"seven", "three", "one"}


def test_progress_goes_forward_and_the_last_event_has_the_transcript(tiny, tmp_path):
    audio = open_audio(write_wav(tmp_path / "a.wav", noise(0, 30.0)))
    events = list(transcribe_stream(tiny, audio, plan=SHORT_PLAN))
    done = [event.done_s for event in events]
    assert len(events) > 5
    assert done == sorted(done)
    assert all(0 < event.done_s <= event.duration_s for event in events)
    assert [event.transcript is None for event in events[:-1]] == [True] * (len(events) - 1)
    assert events[-1].transcript.duration_s == 30.0
    # What is shown on the way is what is kept.
    shown = "".join(event.newest for event in events).replace(" ", "")
    assert set(shown) <= set("".join(SYMBOLS))


def test_closing_the_stream_cancels_it(tiny, tmp_path, monkeypatch):
    audio = open_audio(write_wav(tmp_path / "a.wav", noise(0, 60.0)))
    calls = []
    monkeypatch.setattr(
        "foundry.speech.transcription.compute_log_probs",
        lambda *args: calls.append(1) or compute_log_probs(*args),
    )
    stream = transcribe_stream(tiny, audio, plan=SHORT_PLAN)
    next(stream)
    stream.close()
    # The seam between two chunks needs both; nothing after them was heard.
    assert len(calls) == 2


# ---- nothing to hear ----


@pytest.mark.parametrize("num_samples", [0, 1, 100, 959])
def test_too_short_for_a_frame_is_an_empty_transcript(tiny, num_samples, tmp_path):
    transcript = hear(tiny, np.full(num_samples, 0.1, np.float32), tmp_path)
    assert transcript.words == ()
    assert transcript.duration_s == pytest.approx(num_samples / RATE_HZ)


def test_digital_silence_is_not_even_given_to_the_model(tiny, tmp_path):
    # This model answers everything with letters.
    assert hear(tiny, np.zeros(3 * RATE_HZ, np.float32), tmp_path).text == ""


def chords(seconds):
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    notes = [sum(np.sin(2 * np.pi * f * time_s) for f in chord) for chord in ((262, 330, 392),)]
    return (0.1 * notes[0]).astype(np.float32)


@pytest.mark.parametrize(
    "waveform",
    [
        np.zeros(2 * RATE_HZ, np.float32),
        noise(0, 3.0, 0.3),
        noise(1, 3.0, 0.001),
        np.cumsum(noise(2, 3.0, 0.001)).astype(np.float32),
        chords(3.0),
        np.full(2 * RATE_HZ, 0.5, np.float32),
    ],
    ids=["silence", "noise", "quiet noise", "rumble", "chord", "constant"],
)
def test_the_shipped_model_invents_no_words(shipped_recogniser, waveform, tmp_path):
    assert hear(shipped_recogniser, waveform, tmp_path).text == ""


@pytest.mark.parametrize("gain", [0.02, 1.0, 2.0])
def test_loudness_and_clipping_do_not_matter(shipped_recogniser, gain, tmp_path):
    waveform, _ = speak("seven three one four")
    loudest = 1 / np.abs(waveform).max()
    clipped = np.clip(gain * loudest * waveform, -1, 1)
    assert hear(shipped_recogniser, clipped, tmp_path).text == "seven three one four"


# ---- beam search ----


def test_a_word_list_beside_the_model_is_used(tmp_path):
    folder = write_tiny_wav2vec2(tmp_path / "model")
    write_bigram(Bigram.count(["a bc", "d"]), BeamOptions(0.5, 0.0), folder)
    transcript = hear(load_recogniser(str(folder)), noise(0, 5.0), tmp_path, BEAM)
    assert {word.word for word in transcript.words} <= {"a", "bc", "d"}
    assert all(0 <= word.confidence <= 1 for word in transcript.words)


def test_the_shipped_word_list_spells_what_was_said(shipped_recogniser, tmp_path):
    waveform, times = speak("one four seven three", 0.3)
    transcript = hear(shipped_recogniser, waveform, tmp_path, BEAM)
    assert transcript.text == "one four seven three"
    for word, (start_s, end_s) in zip(transcript.words, times, strict=True):
        assert (word.start_s, word.end_s) == pytest.approx((start_s, end_s), abs=0.06)
    assert set(COMMANDS) <= set(shipped_recogniser.beam.bigram.words)


def test_beam_search_without_a_word_list_is_explained(tiny, tmp_path):
    with pytest.raises(InputError, match=BIGRAM_FILE):
        hear(tiny, noise(0, 1.0), tmp_path, BEAM)
    with pytest.raises(InputError, match="greedy, beam"):
        hear(tiny, noise(0, 1.0), tmp_path, "telepathy")


# ---- models that will not do ----


def test_a_model_for_text_is_refused(tiny_bert_dir):
    with pytest.raises(InputError, match="speech"):
        load_recogniser(str(tiny_bert_dir))


def test_a_model_whose_words_have_no_end_is_refused(tmp_path):
    folder = write_tiny_wav2vec2(tmp_path / "model")
    vocabulary, config = folder / "vocab.json", folder / "tokenizer_config.json"
    vocabulary.write_text(vocabulary.read_text().replace('"|"', '"~"'))
    named = json.loads(config.read_text())
    # Now the tokenizer adds a delimiter of its own, which the model has no symbol for.
    del named["added_tokens_decoder"]["2"]
    config.write_text(json.dumps(named))
    with pytest.raises(InputError, match="spells words"):
        load_recogniser(str(folder))


def test_chunks_carry_their_level_to_the_model(tiny, tmp_path):
    waveform = 5.0 + noise(0, 2.0)
    (chunk,) = cut_chunks([waveform], tiny.grid, ChunkPlan(), RATE_HZ)
    inputs = tiny.pretrained.processor(waveform, sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.inference_mode():
        expected = tiny.pretrained.model(inputs.input_values).logits[0].log_softmax(-1)
    np.testing.assert_allclose(compute_log_probs(tiny, chunk), expected, rtol=1e-3)
