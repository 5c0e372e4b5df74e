import threading

import gradio as gr
import pytest
from drawing import SEVEN, data_url, draw_strokes, photograph
from waiting import PATIENCE_S

from foundry.errors import InputError
from foundry.models import VARIANTS
from foundry.ui.components.clips import CLIPS
from foundry.ui.components.model_choice import load_any_predictor
from foundry.ui.components.variants.answers import Answered
from foundry.ui.draw import photo as draw_photo
from foundry.ui.draw import tab as draw_tab
from foundry.ui.draw import variants as draw_variants
from foundry.ui.draw.maps import on_look
from foundry.ui.sentiment import tab as sentiment_tab
from foundry.ui.sentiment import variants as sentiment_variants
from foundry.ui.speech import model as speech_model
from foundry.ui.speech import transcribing
from foundry.ui.speech import variants as speech_variants

DRAWING = data_url(draw_strokes(SEVEN))
CLIP = str(CLIPS / "digits.flac")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_drawing_is_read_by_every_variant(runs_folder, variant):
    bars, note, answered, _ = draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", variant)
    assert "<b>7</b>" in bars
    assert "data:image" in on_look("cpu", DRAWING, "lenet", "alice", variant)
    assert "ink to probabilities" in note
    assert set(answered.answers) == {"dense", variant}
    assert all(one.text == "7" for one in answered.answers.values())


def test_a_photo_is_read_by_every_variant(runs_folder, mnist, tmp_path):
    photo = tmp_path / "photo.png"
    digits = mnist.test.images[:3].numpy()
    photograph(digits, [(40, 60), (180, 60), (320, 60)], 460, 200).save(photo)
    expected = "".join(str(label) for label in mnist.test.labels[:3].tolist())
    for variant in VARIANTS:
        sentence = draw_photo.on_photo("cpu", str(photo), "lenet", "alice", variant)[1]
        assert expected in sentence
        assert ("reads the same" in sentence) == (variant != "dense")


def test_all_four_are_compared_and_what_was_answered_stays(runs_folder):
    *_, (answered, _, _) = draw_variants.on_compare(
        "cpu", DRAWING, "lenet", "alice", "dense", Answered()
    )
    assert list(answered.answers) == list(VARIANTS)
    sizes = [one.num_bytes for one in answered.answers.values()]
    # Float32 weights take four bytes, those of int8 one and their scales.
    assert sizes[0] == 4 * 61_706
    assert sizes == sorted(sizes, reverse=True)
    *_, kept, again = draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", "pruned", answered)
    assert list(kept.answers) == list(VARIANTS)
    assert 'data-variant="pruned" aria-checked="true"' in again
    with pytest.raises(gr.Error, match="nothing to compare"):
        list(draw_variants.on_compare("cpu", None, "lenet", "alice", "dense", Answered()))


def test_a_disagreement_is_said(runs_folder, monkeypatch):
    real = draw_variants.classify_digits

    def turned(model, images):
        probs = real(model, images)
        # The network that is not dense answers another digit.
        return probs if model.__class__.__name__ == "TorchPredictor" else probs[:, ::-1]

    monkeypatch.setattr(draw_variants, "classify_digits", turned)
    bars = draw_tab.on_draw("cpu", DRAWING, "lenet", "alice", "int8")[-1]
    assert bars.count('class="other"') == 1


def test_making_a_variant_ready_says_how_far_it_is(runs_folder, monkeypatch):
    def load(*args):
        *_, on_progress = args
        on_progress(0.5, "Calibrating int8 on 300 inputs")
        assert seen.wait(PATIENCE_S)

    monkeypatch.setattr("foundry.ui.components.pretrained_choice._REFRESH_S", 0.01)
    monkeypatch.setattr(draw_tab, "load_any_predictor", load)
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
    answer, _, _, bars = sentiment_tab.on_type("fine", str(tiny_bert_dir), "pruned-int8")
    assert bars.count(" disabled") == 2
    assert "dense, int8" in answer
    *_, (status, *_) = speech_model.on_choose(str(tiny_speech_dir), "pruned")
    assert "dense, int8" in status
    with pytest.raises(InputError, match="dense, pruned, int8, pruned-int8"):
        load_any_predictor("lenet", "alice", "cpu", "int4")


def test_a_text_is_scored_by_int8_and_compared():
    text = "The battery lasts two days and the screen is lovely."
    answer, _, answered, _ = sentiment_tab.on_type(text, "bert-sentiment")
    assert "positive" in answer
    assert set(answered.answers) == {"dense"}
    answer, _, answered, _ = sentiment_tab.on_type(text, "bert-sentiment", "int8", answered)
    assert "positive" in answer
    assert {one.text for one in answered.answers.values()} == {"positive"}
    assert answered.answers["int8"].num_bytes < answered.answers["dense"].num_bytes / 3
    *_, (answered, _, _) = sentiment_variants.on_compare(text, "bert-sentiment", "int8", Answered())
    assert list(answered.answers) == list(VARIANTS)
    with pytest.raises(gr.Error, match="type a text"):
        list(sentiment_variants.on_compare(" ", "bert-sentiment", "int8", Answered()))


def test_a_text_of_many_pieces_is_not_scored_twice():
    text = "It was fine, I think. " * 200
    _, note, answered, _ = sentiment_tab.on_type(text, "bert-sentiment", "int8")
    assert "overlapping pieces" in note
    assert set(answered.answers) == {"int8"}


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
    assert skipped == [gr.skip()] * 3


def test_speech_is_heard_by_int8_and_compared():
    *_, last = transcribing.on_transcribe(CLIP, "wav2vec2-commands", "beam", "int8")
    assert last[-4] == "seven three one four"
    assert ", int8" in last[0]
    answered, _ = speech_variants.on_heard(CLIP, None, "beam", "int8", False, Answered())
    assert list(answered.answers) == ["dense", "int8"]
    assert {one.text for one in answered.answers.values()} == {"seven three one four"}
    _, bars = speech_variants.on_variant_bars(None, "dense", answered)
    assert 'data-variant="dense" aria-checked="true"' in bars
    assert speech_variants.on_heard(CLIP, None, "beam", "int8", True, Answered())[0] == Answered()
    with pytest.raises(gr.Error, match="nothing to compare"):
        list(speech_variants.on_compare(None, None, "beam", "int8", Answered()))
