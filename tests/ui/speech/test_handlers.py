import base64
import json
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.utils import deep_hash
from speaking import RATE_HZ, speak, write_wav
from waiting import PATIENCE_S

from foundry.errors import ArtifactError
from foundry.models import hub
from foundry.speech import Transcript
from foundry.speech.decoding.letters import Letters
from foundry.speech.live import LiveState
from foundry.speech.score import score_transcript
from foundry.speech.words import Alphabet, FrameClock, Span, Word, place_words
from foundry.ui.components.variants.answers import Answered, VariantAnswer
from foundry.ui.speech import asking, transcribing
from foundry.ui.speech import live as live_section
from foundry.ui.speech import model as speech_model
from foundry.ui.speech import picture as speech_picture
from foundry.ui.speech import score as score_section
from foundry.ui.speech import tab as speech_tab
from foundry.ui.speech import view as speech_view
from foundry.ui.speech.channels import on_stretch
from foundry.ui.speech.inside import look, section
from foundry.ui.speech.microphone import FORGET, decode_piece

SAID = "seven three one four"


@pytest.fixture
def clip(tmp_path):
    return str(write_wav(tmp_path / "said.wav", speak(SAID)[0]))


def update_of(output):
    """What a handler changes about a component."""
    return output._constructor_args[0]


def final(stream):
    *_, last = stream
    return last


def text_of(html):
    """What a browser shows of it."""
    pieces = []
    parser = HTMLParser()
    parser.handle_data = pieces.append
    parser.feed(html)
    return " ".join(" ".join(pieces).split())


# ---- transcribing ----


def test_a_recording_becomes_words_picture_files_and_captions(clip):
    status, transcript, figures, group, picture, score, *others = final(
        transcribing.on_transcribe(clip, speech_model.SHIPPED, "greedy")
    )
    *files, audio, text, _, _, _ = others
    assert "Done" in status
    assert SAID in text_of(transcript)
    assert "real-time factor" in figures
    assert update_of(group)["visible"]
    assert "data:image/png" in picture
    # Of other words than these.
    assert score == ""
    assert text == SAID
    assert update_of(audio)["subtitles"][0]["text"] == SAID
    txt, srt, vtt, words = (Path(file).read_text() for file in files)
    assert txt == f"{SAID}\n"
    assert srt.startswith("1\n00:00:00,2")
    assert vtt.startswith("WEBVTT")
    assert json.loads(words)["text"] == SAID


def test_a_chosen_model_and_beam_search_are_used(clip):
    *_, text, _, _, _ = final(transcribing.on_transcribe(clip, None, "beam"))
    assert text == SAID


def test_progress_is_shown_on_the_way(tiny_speech_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(transcribing, "_UPDATE_S", 0.0)
    noise = 0.1 * np.random.default_rng(0).standard_normal(60 * RATE_HZ)
    path = write_wav(tmp_path / "a.wav", noise)
    *steps, _ = transcribing.on_transcribe(str(path), str(tiny_speech_dir), "greedy")
    shown = [text_of(step[0]) for step in steps]
    assert any("of 1:00" in line for line in shown)


def test_silence_is_said_to_be_silent(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(RATE_HZ))
    _, transcript, *_, audio, text, _, _, _ = final(
        transcribing.on_transcribe(str(path), None, "greedy")
    )
    assert "No words" in transcript
    assert (update_of(audio)["subtitles"], text) == ([], "")


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_hardly_any_sound_is_no_sound(tmp_path, samples):
    path = write_wav(tmp_path / "a.wav", np.zeros(samples))
    assert "No words" in final(transcribing.on_transcribe(str(path), None, "greedy"))[1]


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "empty"), (b"Not sound.", "not a sound file")]
)
def test_what_cannot_be_heard_gets_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    with pytest.raises(gr.Error, match=sentence):
        list(transcribing.on_transcribe(str(path), None, "greedy"))


def test_a_transcription_that_fails_says_so_where_it_said_that_it_was_listening(
    clip, tiny_speech_dir
):
    steps = transcribing.on_transcribe(clip, str(tiny_speech_dir), "greedy", "pruned")
    status = text_of(next(steps)[0])
    assert status.startswith("Failed “") and "has no variant “pruned”" in status
    with pytest.raises(gr.Error, match="has no variant “pruned”"):
        next(steps)


def test_transcribe_without_sound_says_what_to_do():
    with pytest.raises(gr.Error, match="no sound yet"):
        list(transcribing.on_transcribe(None, None, "greedy"))


def test_the_picture_shows_a_minute_of_a_long_recording_and_goes_on_with_the_player(tmp_path):
    waveform = np.resize(speak(SAID)[0], 75 * RATE_HZ)
    path = write_wav(tmp_path / "a.wav", waveform)
    last = final(transcribing.on_transcribe(str(path), None, "greedy"))
    picture, drawn = last[4], last[-1]
    assert "From 0:00.0 to 1:00 of 1:15" in text_of(picture)
    for time_s in (60.0, 74.9, 75.0, 1e9):
        later = on_stretch(drawn, SimpleNamespace(time_s=time_s))
        assert "From 1:00 to 1:15 of 1:15" in text_of(later)
        assert '<span style="left:0.000%">60.0 s</span>' in later
    assert on_stretch(drawn, SimpleNamespace(time_s=12.3)) == picture
    assert on_stretch(None, SimpleNamespace(time_s=12.3)) == gr.skip()


def new_sound(path, answered=None):
    return asking.on_new_sound(path, None, "dense", answered or Answered())


def test_a_new_sound_puts_the_old_words_away():
    answered = Answered().add("the sound before", {"dense": VariantAnswer("seven", 1.0, 1)})
    status, transcript, figures, group, audio, text, score, kept, *others, asked = new_sound(
        None, answered
    )
    switch, answered, bars, progress, *buttons = others
    assert asked == gr.skip()
    # What is asked for next is not by channel because the sound before was.
    assert update_of(switch) == {"value": False, "visible": False}
    assert answered.answers == {} and "seven" not in bars and progress == ""
    assert kept is None
    assert (status, figures, text, score) == ("", "", "", "")
    assert [update_of(button) for button in buttons] == [{"interactive": True}, {"visible": False}]
    assert transcript == speech_view.EMPTY
    assert not update_of(group)["visible"]
    assert update_of(audio)["subtitles"] is None


def test_what_is_short_is_answered_unasked_and_what_is_long_when_asked(clip, tmp_path):
    assert new_sound(clip)[-1] != gr.skip()
    assert asking.on_other_way("Speech", clip, "Speech")[0] != gr.skip()
    assert asking.on_other_way("Speech", clip, "Draw")[0] == gr.skip()
    assert asking.on_other_way("Speech", None, "Speech")[0] == gr.skip()
    # What is no sound is asked for, too: the answer says what is wrong with it.
    (tmp_path / "text.wav").write_text("This is a text file.")
    assert new_sound(str(tmp_path / "text.wav"))[-1] != gr.skip()
    long = write_wav(tmp_path / "long.wav", np.zeros(301 * 16_000, np.float32))
    status, *_, asked = new_sound(str(long))
    assert asked == gr.skip()
    assert "5:01 of sound: press Transcribe." in status


def test_a_pressed_word_moves_the_player():
    event = gr.EventData(None, {"start_s": 1.25, "end_s": 1.5, "channel": 0})
    audio, chosen = speech_tab.on_word(event)
    assert update_of(audio)["playback_position"] == 1.25
    assert replace(chosen, pressed_at=None) == section.Chosen(1.25, 1.5, 0)
    # Pressed again, it is looked into again: Gradio passes on only what has changed.
    assert deep_hash(speech_tab.on_word(event)[1]) != deep_hash(chosen)


# ---- letters ----


def test_a_pressed_word_shows_its_letters_its_reading_and_its_rivals(clip):
    *_, kept, first, _ = final(transcribing.on_transcribe(clip, None, "beam"))
    chart, steps, rivals, stretch = section.on_look(kept, replace(first, pressed_at=1.0))
    drawn = json.loads(chart)
    frames = stretch.end - stretch.start
    cells = np.frombuffer(base64.b64decode(drawn["cells"]), np.uint8)
    cells = cells.reshape(len(drawn["symbols"]), frames)
    assert len(drawn["free"]) == len(drawn["path"]) == frames
    # The path as heard is the strongest cell of every frame.
    assert all(
        cells[row, frame] == cells[:, frame].max() for frame, row in enumerate(drawn["free"])
    )
    assert "seven" in [word["word"] for word in drawn["words"]]
    assert "seven" in text_of(steps)
    assert text_of(rivals).startswith("What else it may have been seven")
    later = section.on_move(1, kept, first, stretch)[-1]
    assert later.start > stretch.start
    assert section.on_move(-1, kept, first, stretch)[-1].start == 0


def test_greedy_letters_have_one_path_and_rivals_of_any_spelling(clip):
    *_, kept, first, _ = final(transcribing.on_transcribe(clip, None, "greedy"))
    chart, steps, rivals, _ = section.on_look(kept, replace(first, pressed_at=1.0))
    assert json.loads(chart)["path"] is None
    assert "With the word list" not in steps
    assert "seven" in text_of(rivals)


@pytest.mark.parametrize("width_s", [0.025, 0.06])
def test_a_word_that_begins_with_its_only_letter_has_rivals(width_s):
    alphabet, clock = Alphabet(("_", "|", "a", "b"), 0, "|"), FrameClock(0.02, width_s)
    recogniser = SimpleNamespace(alphabet=alphabet, clock=clock, beam=None)
    log_probs = np.full((300, 4), -5.0, np.float16)
    log_probs[:, 0] = 0.0
    loudness = np.zeros(700, np.float32)
    for frame in range(0, 300, 7):
        labels = np.zeros(300, np.int16)
        labels[frame] = 2
        (word,) = place_words([Span("a", frame, frame, 1.0)], clock, loudness)
        letters = Letters(log_probs, labels)
        shown = look.rivals_html(letters, word.start_s, word.end_s, recogniser, "greedy")
        assert "What else it may have been" in shown, frame


def test_letters_that_are_gone_are_said_to_be(clip):
    *_, kept, first, _ = final(transcribing.on_transcribe(clip, None, "beam"))
    gone = replace(kept, folders=("/nowhere",))
    assert "transcribe it again" in section.on_look(gone, first)[1]
    assert section.on_look(None, None)[0] == ""


@pytest.mark.parametrize("samples", [0, 100])
def test_less_sound_than_a_letter_takes_has_none_and_is_not_gone(tmp_path, samples):
    path = write_wav(tmp_path / "a.wav", np.zeros(samples))
    *_, kept, first, _ = final(transcribing.on_transcribe(str(path), None, "beam"))
    chart, note, rivals, stretch = section.on_look(kept, first)
    assert (chart, rivals, stretch) == ("", "", None)
    assert "shorter than what one letter is heard in" in note
    # Nothing to move to; what is said stays.
    assert section.on_move(1, kept, first, stretch) == [gr.skip()] * 3


def test_of_what_comes_after_the_first_hour_the_page_says_that_it_is_not_kept(clip, monkeypatch):
    monkeypatch.setattr("foundry.ui.speech.inside.kept.MAX_KEPT_S", 1.0)
    *_, kept, first, drawn = final(transcribing.on_transcribe(clip, None, "beam"))
    assert section.on_look(kept, first)[0]
    last = drawn.transcript.words[-1]
    chosen = section.Chosen(last.start_s, last.end_s, 0, pressed_at=1.0)
    chart, note, rivals, stretch = section.on_look(kept, chosen)
    assert (chart, rivals, stretch) == ("", "", None)
    assert "The letters of the first hour are kept" in note


def test_score_handler():
    assert "25.0%" in score_section.on_score("seven three nine four", SAID)
    with pytest.raises(gr.Error, match="no word"):
        score_section.on_score(" ", SAID)


# ---- models ----


def test_choosing_a_model_loads_it(tiny_speech_dir):
    status, _, decoding = final(speech_model.on_choose(str(tiny_speech_dir)))
    assert "Ready" in status
    assert "million parameters" in status
    # It has no word list, so the other decoding cannot be chosen.
    assert update_of(decoding) == {"interactive": False, "value": "greedy"}
    *_, decoding = final(speech_model.on_choose("wav2vec2-commands"))
    assert update_of(decoding) == {"interactive": True, "value": "beam"}


@pytest.mark.parametrize("name", ["no/../such", "/nowhere", "a b c"])
def test_a_model_that_is_not_there_leaves_the_shipped_one(name):
    status, model, _ = final(speech_model.on_choose(name))
    assert "Going on with the shipped model" in status
    assert update_of(model)["value"] == speech_model.SHIPPED


def test_without_network_the_sentence_says_so(monkeypatch):
    shown = threading.Event()

    def unreachable(repo_id, on_progress):
        on_progress(0.5, f"Downloading {repo_id}: 1 of 2 MB")
        assert shown.wait(PATIENCE_S)
        raise ArtifactError(f"“{repo_id}” could not be downloaded.")

    monkeypatch.setattr(hub, "_download", unreachable)
    monkeypatch.setattr(hub, "find_downloaded", lambda repo_id: None)
    for status, *_ in speech_model.on_choose(speech_model.FREE_ENGLISH):
        if "1 of 2 MB" in status and "width:50.0%" in status:
            shown.set()
    assert "could not be downloaded" in status


def test_free_english_is_the_default_once_it_is_here_and_offered_until_then(monkeypatch, tmp_path):
    monkeypatch.setattr(speech_model, "find_downloaded", lambda repo_id: None)
    *nothing, was_here, get = speech_model.on_visit(False, None, "dense")
    assert nothing == [gr.skip()] * 3
    assert was_here
    assert update_of(get)["visible"]
    monkeypatch.setattr(speech_model, "find_downloaded", lambda repo_id: tmp_path)
    _, model, decoding, was_here, get = speech_model.on_visit(False, None, "dense")
    assert update_of(model)["value"] == speech_model.FREE_ENGLISH
    assert not update_of(decoding)["interactive"]
    assert was_here
    assert not update_of(get)["visible"]
    # A second visit does not undo what was chosen since.
    assert speech_model.on_visit(True, None, "dense")[:4] == [*[gr.skip()] * 3, True]
    # Nor is a model chosen that has not the variant that was chosen on another tab.
    assert speech_model.on_visit(False, None, "pruned")[:4] == [*[gr.skip()] * 3, True]


@pytest.mark.parametrize("come", ["by the tab", "by the bars"])
def test_a_variant_that_the_model_does_not_have_brings_the_shipped_one(tiny_speech_dir, come):
    name = str(tiny_speech_dir)
    if come == "by the tab":
        status, model, decoding, *_ = speech_model.on_visit(True, name, "pruned")
    else:
        status, model, decoding = final(speech_model.on_variant("Speech", name, "pruned", "Speech"))
    assert "has no variant “pruned”" in status and "Going on with the shipped model." in status
    assert update_of(model)["value"] == speech_model.SHIPPED
    assert update_of(decoding) == {"interactive": True, "value": "beam"}


def test_another_variant_of_a_model_leaves_the_decoding_as_it_was_chosen():
    answer = final(speech_model.on_variant("Speech", speech_model.SHIPPED, "pruned", "Speech"))
    assert "Ready" in answer[0] and answer[1:] == [gr.skip()] * 2
    assert list(speech_model.on_variant("Speech", None, "pruned", "Draw")) == [[gr.skip()] * 3]


def test_what_visitors_may_not_download_is_not_offered(monkeypatch):
    monkeypatch.setattr(speech_model, "find_downloaded", lambda repo_id: None)
    monkeypatch.setenv(hub.ALLOW_HUB_VARIABLE, "0")
    assert not update_of(speech_model.offer_free_english())["visible"]


# ---- live ----


def piece(samples, rate="16000", which="more"):
    encoded = base64.b64encode((samples * 32767).astype("<i2").tobytes()).decode()
    return f"{rate} {which} {encoded}"


def test_the_microphone_is_heard_piece_by_piece():
    waveform = np.concatenate([speak(SAID, 0.4)[0], np.zeros(RATE_HZ, np.float32)])
    state, texts = None, []
    for start in range(0, len(waveform), 4_000):
        state, text, answer = live_section.on_sound(
            state, piece(waveform[start : start + 4_000]), None
        )
        texts.append(text_of(text))
        assert answer == ""
    assert texts[-1] == SAID
    assert any(0 < len(text) < len(SAID) for text in texts)
    state, text, _ = live_section.on_sound(state, piece(waveform[:0], which="last"), None)
    assert "partial" not in text
    forgotten = live_section.on_sound(state, FORGET, None)
    assert forgotten == (None, speech_view.live_html(None), "")


def test_a_silent_or_missing_piece_changes_nothing():
    assert live_section.on_sound(None, "", None) == (None, speech_view.live_html(None), "")
    state = live_section.on_sound(None, "48000 more ", None)[0]
    assert state == LiveState()


def test_live_falls_back_to_the_shipped_model():
    state, _, _ = live_section.on_sound(None, piece(np.zeros(4_000)), "/no/such/model")
    assert state.now_s == 0.25


def test_a_piece_arrives_as_it_was_sent():
    samples = np.linspace(-1, 1, 999, dtype=np.float32)
    arrived = decode_piece(piece(samples, "44100", "last"))
    np.testing.assert_allclose(arrived.samples, samples, atol=1e-4)
    assert (arrived.rate_hz, arrived.is_last) == (44_100, True)


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "16000 more",
        "16000 more !!!",
        "16000 more AA==",
        "nan more AAAA",
        "inf more AAAA",
        "1e300 more AAAA",
        "10 more AAAA",
        "16000 perhaps AAAA",
        "16000 more " + "A" * 4_000_000,
        {"a": 1},
        7,
    ],
)
def test_what_the_microphone_does_not_send_is_refused(value):
    with pytest.raises(gr.Error, match="did not arrive whole"):
        live_section.on_sound(None, value, None)


# ---- HTML ----

EVIL = "<script>alert(1)</script>&\"'"


def test_nothing_a_model_or_a_visitor_says_becomes_html():
    words = (Word(EVIL, 0.0, 1.0, 0.5),)
    pages = [
        speech_view.transcript_html(Transcript(words, 1.0)),
        speech_view.score_html(score_transcript("one", "two")),
        speech_view.live_html(LiveState(sentences=(words,), settled=words, partial=words)),
        speech_picture.draw_sound(np.ones(RATE_HZ, np.float32), words, 1.0),
    ]
    for page in pages:
        assert "<script" not in page
    assert all("&lt;script&gt;" in page for page in (pages[0], pages[2], pages[3]))


def test_confidence_has_three_colours_and_is_said():
    words = [Word("a", 0, 1, 0.95), Word("b", 1, 2, 0.7), Word("c", 2, 3, 0.1)]
    html = speech_view.transcript_html(Transcript(tuple(words), 3.0))
    for word, band in zip(words, ("sure", "likely", "unsure"), strict=True):
        assert f'class="{band}"' in speech_view.word_button(word)
        assert f'title="{word.confidence:.0%}, ' in html


def test_a_long_pause_starts_a_paragraph():
    words = (Word("a", 0, 1, 1), Word("b", 1.5, 2, 1), Word("c", 65.0, 66, 1))
    html = speech_view.transcript_html(Transcript(words, 70.0))
    assert text_of(html).startswith("0:00.0 a b 1:05 c")


def test_only_the_last_sentences_of_a_long_session_are_sent_to_the_page():
    sentence = (Word("go", 0, 1, 1),)
    assert speech_view.live_html(LiveState(sentences=(sentence,) * 500)).count("<p>") == 30


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [(0, "0:00.0"), (7.38, "0:07.3"), (60, "1:00"), (754.2, "12:34"), (3723, "1:02:03")],
)
def test_clock(time_s, shown):
    assert speech_view.clock(time_s) == shown


def test_words_beyond_the_picture_are_left_out():
    word = Word("late", 5.0, 5.5, 1)
    picture = speech_picture.draw_sound(np.ones(RATE_HZ, np.float32), [word], 6.0)
    assert ">late<" not in picture
    early = speech_picture.draw_sound(
        np.ones(RATE_HZ, np.float32), [replace(word, start_s=0.5, end_s=9.0)], 6.0
    )
    assert "left:50.000%;width:50.000%" in early
    # It began in the stretch before.
    later = speech_picture.draw_sound(
        np.ones(RATE_HZ, np.float32), [replace(word, start_s=0.5, end_s=1.25)], 6.0, start_s=1.0
    )
    assert "left:0.000%;width:25.000%" in later


@pytest.mark.parametrize("num_samples", [0, 1, 2, 160, 100_000])
def test_any_length_can_be_drawn(num_samples):
    rng = np.random.default_rng(0)
    for waveform in (np.zeros(num_samples), rng.standard_normal(num_samples)):
        speech_picture.draw_sound(waveform.astype(np.float32), [], num_samples / RATE_HZ)
