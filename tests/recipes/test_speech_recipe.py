"""The speech recipe, end to end on tones and part by part."""

import itertools
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

from foundry.recipes.speech import batches
from foundry.recipes.speech.__main__ import MIN_WORD_COUNT, build_bigram
from foundry.recipes.speech.batches import STAGES, BatchSource, collate
from foundry.recipes.speech.card import CardFacts, render_card
from foundry.recipes.speech.data import augment
from foundry.recipes.speech.data.accents import ACCENTED_VOICES, plan_held_out_voices, plan_voices
from foundry.recipes.speech.data.corpus import (
    DIGITS,
    SAMPLE_RATE_HZ,
    Clip,
    ClipStore,
    is_digit_string,
    split_by_speaker,
    write_store,
)
from foundry.recipes.speech.data.synthesis import (
    plan_other_words,
    plan_sentences,
    plan_words,
)
from foundry.recipes.speech.evaluate import build_dev_sets, evaluate, score
from foundry.recipes.speech.model import (
    ALPHABET,
    NUM_CONSTANTS,
    another_vocal_tract,
    build_config,
    build_filterbank,
    build_model,
    build_processor,
    encode_text,
    save_model,
)
from foundry.recipes.speech.prepare import Material
from foundry.recipes.speech.train import TrainConfig, TrainState, build_averaged_model, train
from foundry.speech.decoding.beam import BeamDecoder, BeamOptions, Bigram

WORD_TONES_HZ = {"one": 400.0, "two": 900.0, "go": 2000.0}


def speak(text: str, pitch: float = 1.0) -> np.ndarray:
    """A quarter of a second of one tone for each word."""
    time_s = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * WORD_TONES_HZ[word] * pitch * time_s) for word in text.split()]
    return (0.3 * np.concatenate(tones)).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    """Four FSDD speakers, six of Speech Commands, some sentences."""
    folder = tmp_path_factory.mktemp("store")
    items = []
    for speaker, word in itertools.product(range(4), ("one", "two")):
        items += [("fsdd", f"f{speaker}", word, speak(word, 1 + 0.02 * speaker))] * 3
    for speaker, word in itertools.product(range(6), WORD_TONES_HZ):
        items.append(("speech_commands", f"s{speaker}", word, speak(word, 1 + 0.01 * speaker)))
    for speaker, text in itertools.product(range(4), ("go one", "go two go", "two one two one")):
        items.append(("wuw", f"w{speaker}", text, speak(text)))
    write_store(folder, items)
    return ClipStore(folder)


@pytest.fixture(scope="module")
def source(store: ClipStore) -> BatchSource:
    """Small batches of the training clips."""
    train_clips, _ = split_by_speaker(store.clips)
    return BatchSource([(store, clip) for clip in train_clips], [], seed=3, scale=0.2)


def build_tiny_state() -> TrainState:
    """The real architecture, narrow and shallow."""
    return TrainState(build_model(build_config(hidden_dim=64, num_layers=1), seed=0))


# --- corpus -----------------------------------------------------------------------------------


def test_store_gives_back_what_was_written(store: ClipStore) -> None:
    clip = next(clip for clip in store.clips if clip.text == "go two go")
    np.testing.assert_allclose(store.waveform(clip), speak("go two go"), atol=2 / 32768)
    assert clip.duration_s == pytest.approx(0.75)


def test_no_held_out_speaker_is_in_training(store: ClipStore) -> None:
    train_clips, dev = split_by_speaker(store.clips)
    assert len(train_clips) + len(dev) == len(store.clips)
    assert not {clip.speaker for clip in train_clips} & {clip.speaker for clip in dev}
    for corpus, held_out in (("fsdd", 1), ("speech_commands", 1), ("wuw", 1)):
        assert len({clip.speaker for clip in dev if clip.corpus == corpus}) == held_out


@given(st.integers(2, 200), st.integers(1, 4))
def test_split_holds_out_the_promised_share(num_speakers: int, clips_each: int) -> None:
    clips = [
        Clip("speech_commands", f"s{speaker}", "go", 0, 1)
        for speaker in range(num_speakers)
        for _ in range(clips_each)
    ]
    train_clips, dev = split_by_speaker(clips)
    assert len({clip.speaker for clip in dev}) == math.ceil(0.15 * num_speakers)
    assert split_by_speaker(clips) == (train_clips, dev)


def test_a_corpus_in_which_few_say_digits_gives_more_speakers_up() -> None:
    clips = [Clip("speechocean762", f"s{speaker}", "go one", 0, 1) for speaker in range(209)]
    assert len(split_by_speaker(clips)[1]) == math.ceil(0.25 * 209)


def test_of_two_sources_without_names_the_smaller_is_held_out() -> None:
    sources = ["pv-unknown"] * 9 + ["mycroft-unknown"] * 2
    clips = [Clip("keywords", source, "alexa", 0, 1) for source in sources]
    train_clips, dev = split_by_speaker(clips)
    assert {clip.speaker for clip in train_clips} == {"pv-unknown"} and len(dev) == 2


def test_split_of_a_single_speaker_holds_out_sentences() -> None:
    clips = [Clip("dctts", "dctts", f"sentence {index // 2}", 0, 1) for index in range(40)]
    train_clips, dev = split_by_speaker(clips)
    assert len(dev) == 10
    assert not {clip.text for clip in train_clips} & {clip.text for clip in dev}


# --- augmentation -----------------------------------------------------------------------------

waveforms = st.builds(
    lambda seed, num_samples, gain: (
        np.float32(gain)
        * np.random.default_rng(seed).standard_normal(num_samples, dtype=np.float32)
    ),
    st.integers(0, 2**32 - 1),
    st.integers(400, 12_000),
    st.sampled_from([0.0, 1e-4, 0.1, 10.0]),
)


@settings(max_examples=25, deadline=None)
@given(waveforms, st.floats(0.7, 1.4), st.integers(0, 2**32 - 1))
def test_augmentation_keeps_length_and_stays_finite(
    waveform: np.ndarray, factor: float, seed: int
) -> None:
    before = waveform.copy()
    rng = np.random.default_rng(seed)
    faster = augment.change_speed(waveform, factor)
    assert abs(len(faster) - len(waveform) / factor) <= 2
    channel = augment.change_channel(waveform, rng)
    noisy = augment.add_noise(waveform, rng.standard_normal(len(waveform)), snr_db=10)
    level = augment.normalise_level(waveform, -23)
    for changed in (channel, noisy, level):
        assert changed.shape == waveform.shape
    for changed in (faster, channel, noisy, level):
        assert np.isfinite(changed).all()
    trimmed = augment.trim_silence(waveform, margin_s=0.05)
    assert 0 < len(trimmed) <= len(waveform)
    np.testing.assert_array_equal(waveform, before)


def test_change_speed_moves_a_tone_as_far() -> None:
    spectrum = np.abs(np.fft.rfft(augment.change_speed(speak("one"), 1.25)))
    peak_hz = spectrum.argmax() * SAMPLE_RATE_HZ / (len(speak("one")) / 1.25)
    assert peak_hz == pytest.approx(400 * 1.25, rel=0.02)


def test_add_noise_has_the_ratio_that_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    tone, noise = speak("one two"), rng.standard_normal(8000).astype(np.float32)
    added = augment.add_noise(tone, noise, snr_db=6.0) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(added**2)) == pytest.approx(6.0, abs=0.01)


def test_normalise_level_reaches_the_level_and_leaves_silence() -> None:
    rms = np.sqrt(np.mean(augment.normalise_level(speak("go"), -20.0) ** 2))
    assert rms == pytest.approx(0.1, rel=1e-4)
    assert not augment.normalise_level(np.zeros(100, np.float32), -20.0).any()


def test_a_narrow_band_has_nothing_that_8_khz_cannot_hold() -> None:
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    low, high = (np.sin(2 * np.pi * hz * time_s).astype(np.float32) for hz in (1000, 6000))
    heard = augment.narrow_band(low + high)
    assert len(heard) == SAMPLE_RATE_HZ
    np.testing.assert_allclose(heard[1000:-1000], low[1000:-1000], atol=0.01)


def test_a_deeper_trim_cuts_a_weak_beginning_off() -> None:
    tone = speak("one")
    silence = np.zeros_like(tone)
    sound = np.concatenate([silence, 0.1 * tone, tone, silence])
    assert len(augment.trim_silence(sound, 0.0)) == pytest.approx(2 * len(tone), rel=0.05)
    assert len(augment.trim_silence(sound, 0.0, 15)) == pytest.approx(len(tone), rel=0.05)


def test_trim_silence_keeps_the_tone() -> None:
    quiet = np.zeros(SAMPLE_RATE_HZ, np.float32)
    trimmed = augment.trim_silence(np.concatenate([quiet, speak("one"), quiet]), margin_s=0.1)
    assert len(trimmed) == pytest.approx((0.25 + 0.2) * SAMPLE_RATE_HZ, abs=320)


@settings(deadline=None)
@given(st.data())
def test_concatenation_is_as_long_as_its_parts(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(0, 3000), min_size=1, max_size=8))
    pauses = st.lists(st.floats(0, 1), min_size=len(lengths) + 1, max_size=len(lengths) + 1)
    pauses_s = data.draw(pauses)
    pieces = [np.ones(length, np.float32) for length in lengths]
    joined = augment.concatenate(pieces, pauses_s)
    assert len(joined) == sum(lengths) + sum(int(pause * SAMPLE_RATE_HZ) for pause in pauses_s)
    assert joined.dtype == np.float32 and np.abs(joined).max(initial=0) <= 1


def test_concatenation_needs_a_pause_on_every_side() -> None:
    with pytest.raises(ValueError, match="2 pieces need 3 pauses"):
        augment.concatenate([speak("one"), speak("two")], [0.0, 0.0])


@pytest.mark.parametrize("kind", augment.NOISE_KINDS)
@pytest.mark.parametrize("num_samples", [801, 16_000])
def test_noise_has_unit_power(kind: str, num_samples: int) -> None:
    noise = augment.build_noise(kind, num_samples, np.random.default_rng(1))
    assert noise.shape == (num_samples,) and noise.dtype == np.float32
    assert np.mean(noise**2) == pytest.approx(1.0, rel=0.01)


def test_unknown_noise_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="coloured, hum, clicks, music"):
        augment.build_noise("speech", 100, np.random.default_rng(0))


# --- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, STAGES[1][0] + 1, *range(STAGES[2][0], STAGES[2][0] + 8)])
def test_batches_depend_on_the_step_only(source: BatchSource, step: int) -> None:
    first, second = source[step], source[step]
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(second, name))
    assert int(first.label_lengths.sum()) == len(first.labels)
    assert torch.isfinite(first.input_values).all()
    assert first.input_values.numel() <= 0.2 * 36 * SAMPLE_RATE_HZ
    assert not torch.equal(first.input_values[0, :100], source[step + 1].input_values[0, :100])


def test_curriculum_starts_with_single_words(source: BatchSource) -> None:
    delimiter = encode_text(" ")[0]
    assert not any(delimiter in source[step].labels for step in range(5))
    late = [source[STAGES[2][0] + step] for step in range(10)]
    assert any(delimiter in batch.labels for batch in late)


def test_strings_that_were_said_as_a_whole_are_among_the_strings(
    store: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "RECORDED_SHARE", 1.0)
    step = STAGES[-1][0]
    spoken = {"two one two one"}
    source = BatchSource([(store, clip) for clip in store.clips], [], seed=3, scale=0.2)
    assert {clip.text for _, clip in source.digit_strings} == spoken
    rng = np.random.default_rng(step)
    waveform, text = source._draw_string(rng, 3)
    assert text in spoken and len(waveform) > 0


def test_collate_is_what_the_processor_does(tmp_path: Path) -> None:
    processor = build_processor(tmp_path)
    clips = [speak("one") * 0.2 + 0.1, speak("go two")]
    batch = collate([(clip, []) for clip in clips])
    expected = processor(clips, sampling_rate=SAMPLE_RATE_HZ, padding=True, return_tensors="pt")
    length = expected.input_values.shape[1]
    torch.testing.assert_close(
        batch.input_values[:, :length], expected.input_values, rtol=1e-4, atol=1e-4
    )
    assert torch.equal(batch.attention_mask[:, :length].int(), expected.attention_mask.int())
    assert not batch.attention_mask[:, length:].any()


# --- model ------------------------------------------------------------------------------------


def test_filterbank_hears_its_own_band_in_any_phase() -> None:
    bank = build_filterbank(64, 400)[:, 0].numpy()
    time_s = np.arange(400) / SAMPLE_RATE_HZ
    for phase in (0.0, 0.7, 1.9, 3.0):
        rectified = np.maximum(bank @ np.sin(2 * np.pi * 1000 * time_s + phase), 0)
        magnitudes = rectified.reshape(16, 4).sum(axis=1)
        # The 16 bands are 177 mel apart from 80 Hz on; 1000 Hz is 1000 mel.
        assert abs(magnitudes.argmax() - (1000 - 121.9) / 177.2) < 1


@given(warp=st.lists(st.floats(0.7, 1.3), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_a_warped_filterbank_hears_each_band_where_it_was_moved(warp: list[float]) -> None:
    bank = build_filterbank(64, 400, warp)[:, 0].numpy()
    mels = np.linspace(2595 * np.log10(1 + 80 / 700), 2595 * np.log10(1 + 7600 / 700), 16)
    factors = np.interp(mels, np.linspace(mels[0], mels[-1], len(warp)), warp)
    band = 7
    moved_hz = 700 * (10 ** (mels[band] / 2595) - 1) * factors[band]
    time_s = (np.arange(400) - 199.5) / SAMPLE_RATE_HZ
    heard = bank.reshape(16, 4, 400) @ np.cos(2 * np.pi * moved_hz * time_s)
    # As loud as a straight bank hears the middle of its own band, but for rounding.
    straight = build_filterbank(64, 400)[:, 0].numpy().reshape(16, 4, 400)
    own = straight[band] @ np.cos(2 * np.pi * moved_hz / factors[band] * time_s)
    width_ratio = np.sqrt(1 / factors[band])
    assert np.abs(heard[band]).max() == pytest.approx(np.abs(own).max() * width_ratio, rel=0.15)


def test_another_vocal_tract_is_gone_afterwards() -> None:
    model = build_tiny_state().model
    weight = model.wav2vec2.feature_extractor.conv_layers[0].conv.weight
    kept = weight.clone()
    with another_vocal_tract(model, np.random.default_rng(0)):
        first = weight.clone()
    assert torch.equal(weight, kept)
    with pytest.raises(KeyError), another_vocal_tract(model, np.random.default_rng(1)):
        assert not torch.equal(weight, kept) and not torch.equal(weight, first)
        # Channels that hold a constant go on to do so.
        assert not weight[-NUM_CONSTANTS:].any()
        raise KeyError
    assert torch.equal(weight, kept)


def test_filterbank_needs_four_phases() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        build_filterbank(63, 400)


def test_encoded_text_is_what_the_tokenizer_gives(tmp_path: Path) -> None:
    tokenizer = build_processor(tmp_path).tokenizer
    assert encode_text("don't go") == tokenizer("don't go").input_ids
    assert tokenizer.decode(encode_text("don't go"), group_tokens=False) == "don't go"


def test_saved_model_loads_by_from_pretrained(tmp_path: Path) -> None:
    model = build_tiny_state().model.eval()
    save_model(model, tmp_path)
    loaded = Wav2Vec2ForCTC.from_pretrained(tmp_path)
    processor = Wav2Vec2Processor.from_pretrained(tmp_path)
    inputs = processor(speak("one two go"), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
    assert loaded.dtype == torch.float32
    size_bytes = (tmp_path / "model.safetensors").stat().st_size
    assert size_bytes < 2.2 * model.num_parameters() + 20_000
    with torch.no_grad():
        torch.testing.assert_close(
            loaded(**inputs).logits, model(**inputs).logits, rtol=0.02, atol=0.02
        )


def test_default_model_fits_the_promised_size() -> None:
    with torch.device("meta"):
        model = Wav2Vec2ForCTC(build_config())
    assert model.num_parameters() * 2 <= 25e6
    assert math.prod(model.config.conv_stride) == 320


# --- scores ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "is_string"),
    [("one two", True), ("one", False), ("", False), ("one go", False), ("nine nine nine", True)],
)
def test_strings_of_digits(text: str, is_string: bool) -> None:
    assert is_digit_string(text) == is_string


def test_held_out_strings_are_judged_by_who_said_them(tmp_path: Path) -> None:
    items = [("fsdd", "f", "one", speak("one"))] * 9
    items += [("heidelberg_digits", "h", "two", speak("two"))] * 9
    items += [("speechocean762", "o", "one two", speak("one two"))]
    items += [("speechocean762", "o", "go one", speak("go one"))]
    write_store(tmp_path, items)
    store = ClipStore(tmp_path)
    sets = build_dev_sets(store, store.clips, seed=0)
    assert set(sets) == {"digit_strings", "studio_strings", "spoken_strings", "read", "wordless"}
    said = {name: " ".join(text for _, text in its).split() for name, its in sets.items()}
    assert said["digit_strings"] == ["one"] * 9 and said["studio_strings"] == ["two"] * 9
    assert said["spoken_strings"] == ["one", "two"] and said["read"] == ["go", "one"]


def test_scores_by_hand() -> None:
    figures = score(["one two", "go", ""], ["one too", "go", ""])
    # One of three words, one of nine characters (the space counts), two of three transcripts.
    assert figures["wer"] == pytest.approx(1 / 3)
    assert figures["cer"] == pytest.approx(1 / 9)
    assert figures["exact"] == pytest.approx(2 / 3)


def test_the_word_list_has_what_was_said_often(store: ClipStore) -> None:
    spoken = [clip for clip in store.clips if clip.corpus == "fsdd"]
    texts = ["three seven"] * MIN_WORD_COUNT + ["seldom"] * (MIN_WORD_COUNT - 1)
    bigram = build_bigram(Material(store, [], [], [(store, clip) for clip in spoken], [], texts))
    # The synthetic clips count too: twelve times “one”, twelve times “two”.
    assert bigram.words == ["one", "seven", "three", "two"]


# --- synthesis --------------------------------------------------------------------------------


def test_plans_are_repeatable_and_bounded() -> None:
    jobs = plan_words(["go", "stop"], seed=1)
    assert jobs == plan_words(["go", "stop"], seed=1)
    assert len(jobs) == 2 * 48 + 2_500
    assert {len(job.text.split()) for job in jobs} == set(range(1, 9))
    assert {job.engine for job in jobs} == {"espeak", "flite", "festival"}
    short = plan_sentences(["a b", "", "x" * 50], count=10, max_characters=20, seed=1)
    assert [job.text for job in short] == ["a b"]


def test_other_words_are_alone_and_none_of_the_vocabulary() -> None:
    sentences = ["go and see the harbour", "it's the harbour now", "a x9"]
    jobs = plan_other_words(sentences, ["go", "now"], count=10, seed=1)
    assert sorted(job.text for job in jobs) == ["and", "harbour", "see", "the"]
    assert jobs == plan_other_words(sentences, ["go", "now"], count=10, seed=1)
    assert len(plan_other_words(sentences, ["go"], count=2, seed=1)) == 2


def test_held_out_voices_are_held_out() -> None:
    jobs = plan_held_out_voices(seed=1)
    heard = {(job.engine, job.voice) for job in plan_voices(DIGITS, seed=1)}
    assert not heard & {(job.engine, job.voice) for job in jobs}
    for job in jobs:
        assert set(job.text.split()) <= set(DIGITS)
        assert len(job.input.split()) == len(job.text.split())


def test_every_voice_says_every_digit_in_its_own_spelling() -> None:
    jobs = plan_voices(["go", "stop", *DIGITS], seed=1)
    assert jobs == plan_voices(["go", "stop", *DIGITS], seed=1)
    assert {job.corpus for job in jobs} == {"voices"}
    for voice in {(job.engine, job.voice) for job in jobs}:
        own = [job for job in jobs if (job.engine, job.voice) == voice]
        assert set(DIGITS) <= {job.text for job in own}
        for job in own:
            assert len(job.input.split()) == len(job.text.split())
            if job.voice not in ACCENTED_VOICES:
                assert job.input == job.text
            assert job.voice not in ACCENTED_VOICES or "nine" not in job.input


# --- training ---------------------------------------------------------------------------------


def run(state: TrainState, source: BatchSource, num_steps: int, folder: Path) -> list[float]:
    """Train for some steps, then write the checkpoint."""
    config = TrainConfig(
        60.0, learning_rate=3e-3, warmup_steps=5, mask_after=3, vary_after=4, num_workers=0
    )
    events = train(state, source, config, folder, lambda model: {})
    losses = [event.train_loss for event in itertools.islice(events, num_steps)]
    state.save(folder)
    return losses


def test_resumed_training_goes_on_as_if_never_stopped(source: BatchSource, tmp_path: Path) -> None:
    whole, first = build_tiny_state(), build_tiny_state()
    losses = run(whole, source, 6, tmp_path / "whole")
    begun = run(first, source, 3, tmp_path / "parts")
    resumed = build_tiny_state()
    resumed.load(tmp_path / "parts")
    assert resumed.step == 3
    assert begun + run(resumed, source, 3, tmp_path / "parts") == losses
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
        assert torch.equal(whole.average[name], resumed.average[name]), name


def test_training_learns_tones_end_to_end(
    store: ClipStore, source: BatchSource, tmp_path: Path
) -> None:
    state = build_tiny_state()
    losses = run(state, source, 40, tmp_path)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    _, dev = split_by_speaker(store.clips)
    dev_sets = build_dev_sets(store, dev, seed=0)
    assert set(dev_sets) == {"digit_strings", "words", "wuw", "wordless"}
    assert all(1 <= len(text.split()) <= 8 for _, text in dev_sets["digit_strings"])
    model = build_averaged_model(state)
    greedy = evaluate(model, dev_sets)
    beam = evaluate(
        model, dev_sets, BeamDecoder(Bigram.count(["one two go"]), BeamOptions(0.5, 0.0), ALPHABET)
    )
    card = render_card(
        CardFacts(
            1, 0.1, False, 2, 1, 64, 0.5, 0.0, greedy, beam, store.clips, ["f0"], [("a", "b")]
        )
    )
    assert card.startswith("---\nlicense") and "| a | b |" in card
    assert f"{greedy['words']['wer']:.1%}" in card


def test_last_event_follows_a_checkpoint_and_carries_figures(
    source: BatchSource, tmp_path: Path
) -> None:
    state = build_tiny_state()
    config = TrainConfig(minutes=0.0, decay_minutes=1.0, num_workers=0)
    figures = {"words": {"wer": 0.5}}
    events = list(train(state, source, config, tmp_path, lambda model: figures))
    assert [event.step for event in events] == [1]
    assert events[-1].figures == figures
    assert events[-1].learning_rate == 0.0
    restored = build_tiny_state()
    restored.load(tmp_path)
    assert restored.step == 1 and asdict(events[-1])["elapsed_s"] == restored.elapsed_s
