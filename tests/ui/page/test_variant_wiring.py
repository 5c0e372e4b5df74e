from pathlib import Path

import pytest
from drawing import SEVEN, draw_strokes
from gradio_client import Client, handle_file
from refusals import refusal
from speaking import speak, write_wav

VARIANTS = ["dense", "pruned", "int8", "pruned-int8"]


@pytest.fixture
def client(app_url):
    return Client(app_url, verbose=False)


@pytest.fixture
def drawing(tmp_path):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    return handle_file(tmp_path / "seven.png")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_digit_is_classified_by_every_variant(client, drawing, variant):
    answer = client.predict(drawing, "lenet", variant, api_name="/classify_digit")
    assert answer["label"] == "7"


def test_variants_are_not_the_same_network(client, drawing):
    confidences = [
        client.predict(drawing, "lenet", variant, api_name="/classify_digit")["confidences"][0]
        for variant in VARIANTS
    ]
    assert len({round(top["confidence"], 6) for top in confidences}) == len(VARIANTS)


def test_a_text_is_scored_by_int8(client):
    answers = [
        client.predict(
            "A wonderful little film.", "bert-sentiment", variant, api_name="/score_sentiment"
        )["confidences"][0]
        for variant in ("dense", "int8")
    ]
    assert [answer["label"] for answer in answers] == ["positive"] * 2
    assert answers[0]["confidence"] != answers[1]["confidence"]
    assert answers[0]["confidence"] == pytest.approx(answers[1]["confidence"], abs=0.05)


def test_many_texts_are_scored_by_int8(client, tmp_path):
    (tmp_path / "lines.txt").write_text("A wonderful film.\nAwful from start to end.\n")
    scored = client.predict(
        handle_file(tmp_path / "lines.txt"),
        "",
        "bert-sentiment",
        "int8",
        api_name="/score_sentiment_batch",
    )
    lines = Path(scored).read_text("utf-8-sig").splitlines()
    assert "positive" in lines[1]
    assert "negative" in lines[2]


def test_speech_is_transcribed_by_int8(client, tmp_path):
    path = write_wav(tmp_path / "speech.wav", speak("seven three one")[0])
    answer = client.predict(handle_file(path), "wav2vec2-commands", "int8", api_name="/transcribe")
    assert answer["text"] == "seven three one"
    assert answer["variant"] == "int8"


@pytest.mark.parametrize("variant", ["int4", "", "Dense", None, 8, ["int8"]])
def test_an_unknown_variant_is_refused_with_the_list(client, drawing, variant):
    sentence = refusal(client.predict, drawing, "lenet", variant, api_name="/classify_digit")
    assert "dense, pruned, int8, pruned-int8" in sentence


def test_a_model_without_a_pruned_checkpoint_says_so(
    client, tiny_bert_dir, tiny_speech_dir, tmp_path
):
    asked = [
        ("/score_sentiment", ("fine", str(tiny_bert_dir), "pruned")),
        (
            "/transcribe",
            (
                handle_file(write_wav(tmp_path / "a.wav", speak("one")[0])),
                str(tiny_speech_dir),
                "pruned",
            ),
        ),
    ]
    for endpoint, arguments in asked:
        sentence = refusal(client.predict, *arguments, api_name=endpoint)
        assert "no pruned checkpoint" in sentence
        assert "dense, int8" in sentence
