import threading

import gradio as gr
import pytest
from drawing import SEVEN, data_url, draw_strokes, photograph
from waiting import PATIENCE_S

from foundry.models import VARIANTS
from foundry.ui.draw import tab as draw_tab
from foundry.ui.draw.maps import on_look
from foundry.ui.page.variant_switches import compare_answers, format_ms, on_switch
from foundry.ui.sentiment import tab as sentiment_tab
from foundry.ui.speech import model as speech_model
from foundry.ui.speech import tab as speech_tab

DRAWING = data_url(draw_strokes(SEVEN))
CLIP = str(speech_tab.CLIPS / "digits.flac")


@pytest.mark.parametrize("is_pruned", [False, True])
@pytest.mark.parametrize("is_quantized", [False, True])
def test_two_switches_make_one_variant(is_pruned, is_quantized):
    name, note = on_switch(is_pruned, is_quantized)
    assert VARIANTS[name].is_pruned == is_pruned
    assert VARIANTS[name].is_quantized == is_quantized
    # Of the model as it was trained there is nothing to say.
    assert ("foundry-note" in note) == (is_pruned or is_quantized)


def test_agreement_and_disagreement_are_told_apart():
    same = compare_answers("int8", "7", 0.1, "7", 0.3)
    assert "int8 0.10 ms, dense 0.30 ms" in same
    assert "same answer" in same
    other = compare_answers("pruned", "1", 12.3, "7", 250.4)
    assert "pruned 12 ms, dense 250 ms" in other
    assert "disagree: dense says 7" in other


@pytest.mark.parametrize(
    ("elapsed_ms", "text"), [(0.123, "0.12 ms"), (3.44, "3.4 ms"), (99.6, "100 ms")]
)
def test_times_have_the_digits_that_are_worth_reading(elapsed_ms, text):
    assert format_ms(elapsed_ms) == text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_drawing_is_read_by_every_variant(runs_folder, variant):
    bars, note = draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", variant)
    assert "<b>7</b>" in bars
    assert "data:image" in on_look("cpu", DRAWING, "lenet", "alice", variant)
    assert "ink to probabilities" in note
    assert (f"{variant} " in note and "same answer" in note) == (variant != "dense")


def test_a_photo_is_read_by_every_variant(runs_folder, mnist, tmp_path):
    photo = tmp_path / "photo.png"
    digits = mnist.test.images[:3].numpy()
    photograph(digits, [(40, 60), (180, 60), (320, 60)], 460, 200).save(photo)
    expected = "".join(str(label) for label in mnist.test.labels[:3].tolist())
    for variant in VARIANTS:
        sentence = draw_tab.on_photo("cpu", str(photo), "lenet", "alice", variant)[1]
        assert expected in sentence
        assert ("same answer" in sentence) == (variant != "dense")


def test_a_disagreement_is_said(runs_folder, monkeypatch):
    real = draw_tab.classify_digits

    def turned(model, images):
        probs = real(model, images)
        # The network that is not dense answers another digit.
        return probs if model.__class__.__name__ == "TorchPredictor" else probs[:, ::-1]

    monkeypatch.setattr(draw_tab, "classify_digits", turned)
    note = draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", "int8")[1]
    assert "They disagree: dense says 7" in note


def test_making_a_variant_ready_says_how_far_it_is(runs_folder, monkeypatch):
    def load(*args):
        *_, on_progress = args
        on_progress(0.5, "Calibrating int8 on 300 inputs")
        assert seen.wait(PATIENCE_S)

    monkeypatch.setattr("foundry.ui.components.pretrained_choice._REFRESH_S", 0.01)
    monkeypatch.setattr(draw_tab, "load_digit_predictor", load)
    told, seen = [], threading.Event()
    for sentence in draw_tab.on_variant("cpu", "lenet", "alice", "int8"):
        told.append(sentence)
        if sentence == "Calibrating int8 on 300 inputs: 50%":
            seen.set()
    assert seen.is_set()
    assert told[-1] == ""


def test_a_variant_that_a_model_lacks_is_a_sentence(runs_folder, tiny_bert_dir, tiny_speech_dir):
    *_, about = sentiment_tab.on_visit(str(tiny_bert_dir), "pruned")
    assert "no pruned checkpoint" in about
    assert "dense, int8" in about
    answer, _ = sentiment_tab.on_type("fine", str(tiny_bert_dir), "pruned-int8")
    assert "dense, int8" in answer
    *_, (status, *_) = speech_model.on_choose(str(tiny_speech_dir), "pruned")
    assert "dense, int8" in status
    with pytest.raises(gr.Error, match="dense, pruned, int8, pruned-int8"):
        draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", "int4")


def test_a_text_is_scored_by_int8_and_compared():
    text = "The battery lasts two days and the screen is lovely."
    dense = sentiment_tab.on_type(text, "bert-sentiment")
    answer, note = sentiment_tab.on_type(text, "bert-sentiment", "int8")
    assert "positive" in dense[0]
    assert "positive" in answer
    assert "The model" not in dense[1]
    assert "int8 " in note
    assert "same answer" in note


def test_a_text_of_many_pieces_is_not_scored_twice():
    _, note = sentiment_tab.on_type("It was fine, I think. " * 200, "bert-sentiment", "int8")
    assert "overlapping pieces" in note
    assert "dense" not in note


def test_a_variant_is_made_ready_only_where_it_is_wanted(monkeypatch):
    asked = []

    def watch(name, task, variant):
        asked.append((task, variant))
        return iter(())

    monkeypatch.setattr(sentiment_tab, "watch_loading", watch)
    prepare = sentiment_tab.on_variant
    list(prepare("Sentiment", "bert-sentiment", "int8", "", "Draw"))
    assert asked == []
    list(prepare("Sentiment", "bert-sentiment", "int8", "", "Sentiment"))
    list(prepare("Sentiment", "bert-sentiment", "int8", "fine", "Draw"))
    assert asked == [("sentiment", "int8")] * 2
    (skipped,) = speech_model.on_variant("Speech", "wav2vec2-commands", "int8", "Draw")
    assert skipped == gr.skip()


def test_speech_is_heard_by_int8_and_compared():
    for variant in ("dense", "int8"):
        *_, last = speech_tab.on_transcribe(CLIP, "wav2vec2-commands", "beam", variant)
        assert last[-1] == "seven three one four"
        assert ("same answer" in last[2]) == (variant == "int8")
        assert (", int8" in last[0]) == (variant == "int8")
