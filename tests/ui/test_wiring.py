import json
import math
import re
import zipfile
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from drawing import ONE, SEVEN, draw_strokes, png_claiming, redraw, write_shapes
from gradio_client import Client, handle_file
from PIL import Image
from refusals import refusal
from waiting import PATIENCE_S, wait_until

from foundry.benchmark.harness.live import Onlooker
from foundry.models import load_model
from foundry.training.runs import read_run

# The specification: what /train ends with, at least.
RESULT_KEYS = {
    "run_id",
    "status",
    "epochs",
    "val_accuracy",
    "test_accuracy",
    "images_per_s",
    "elapsed_s",
}
# Longer than any test lets it run.
ENDLESS = {"num_train_images": 5_000, "batch_size": 8, "epochs": 100}
UNKNOWN_RUN = "20200101-000000-00000000"


def connect(url):
    return Client(url, verbose=False)


@pytest.fixture
def client(app_url):
    return connect(app_url)


def outputs_until(job, condition, what):
    """Wait until the newest output of a streaming job fulfils a condition."""
    return wait_until(
        lambda: job.outputs() and condition(job.outputs()[-1]) and job.outputs()[-1], what
    )


# Each with the values that a program sends: Gradio refuses a call over HTTP that sends fewer.
CONTRACT = {
    "/train": 18,
    "/add_dataset": 2,
    "/stop_run": 1,
    "/list_runs": 0,
    "/classify_digit": 3,
    "/explain_digit": 3,
    "/replay": 2,
    "/attack_digit": 5,
    "/read_digits": 3,
    "/search": 17,
    "/score_sentiment": 3,
    "/score_sentiment_batch": 4,
    "/explain_sentiment": 2,
    "/classify_image": 3,
    "/teach": 1,
    "/fine_tune": 1,
    "/transcribe": 4,
    "/transcribe_channels": 4,
    "/compress": 6,
    "/compare": 1,
}


def test_the_named_endpoints_are_the_contract_and_nothing_else(client):
    endpoints = client.view_api(return_format="dict", print_info=False)
    named = endpoints["named_endpoints"]
    assert {name: len(one["parameters"]) for name, one in named.items()} == CONTRACT
    assert not endpoints["unnamed_endpoints"]


def test_a_data_set_is_added_and_trained_on_by_its_owner_only(app_url, tmp_path):
    alice, bob = connect(app_url), connect(app_url)
    write_shapes(tmp_path / "shapes.zip")
    with zipfile.ZipFile(tmp_path / "shapes.zip") as archive:
        (tmp_path / "disc.png").write_bytes(archive.read("disc/40.png"))
    added = alice.predict(handle_file(tmp_path / "shapes.zip"), api_name="/add_dataset")
    assert added["classes"] == ["disc", "square"]
    assert added["counts"] == {"train": [16, 16], "val": [2, 2], "test": [2, 2]}
    assert "set aside" in added["problems"][0]
    result = alice.submit(epochs=1, dataset=added["dataset"], api_name="/train").result()
    assert result["status"] == "done"
    assert result["majority_share"] == 0.5
    stolen = refusal(bob.predict, dataset=added["dataset"], api_name="/train")
    assert "You have no data set" in stolen
    picture, run_id = handle_file(tmp_path / "disc.png"), result["run_id"]
    for variant in ("dense", "int8"):
        answer = alice.predict(picture, run_id, variant, api_name="/classify_digit")
        assert {one["label"] for one in answer["confidences"]} == {"disc", "square"}
    explained = alice.predict(picture, run_id, "square", api_name="/explain_digit")
    assert explained["classes"] == ["disc", "square"]
    assert np.shape(explained["attributions"]) == (28, 28)
    *_, last = alice.predict(run_id, picture, api_name="/replay")
    assert len(last["probs"]) == 2
    attacked = alice.predict(picture, run_id, "", "fgsm", 0.1, api_name="/attack_digit")
    assert len(attacked["probs_after"]) == 2
    refused = refusal(alice.predict, picture, run_id, "7", "fgsm", 0.1, api_name="/attack_digit")
    assert "disc, square are accepted" in refused
    assert bob.predict(api_name="/list_runs") == []


def test_a_file_that_is_no_data_set_is_refused(client, tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    sentence = refusal(client.predict, handle_file(tmp_path / "a.csv"), api_name="/add_dataset")
    assert "785" in sentence
    assert "no file" in refusal(client.predict, None, api_name="/add_dataset")


def test_plumbing_cannot_be_called_by_name(client):
    for name in (
        "on_start",
        "on_stop",
        "on_resume",
        "on_draw",
        "on_photo",
        "on_type",
        "on_explain",
    ):
        with pytest.raises(Exception, match=name):
            client.predict(api_name=f"/{name}")


def test_every_parameter_of_train_has_a_default(client):
    endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/train"]
    assert all(parameter["parameter_has_default"] for parameter in endpoint["parameters"])
    names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
    # The specification gives the first six in this order.
    assert names[:6] == ["model", "epochs", "batch_size", "optimizer", "learning_rate", "seed"]


def test_training_streams_progress_and_ends_with_the_result(client, tmp_path):
    job = client.submit(epochs=3, num_train_images=1000, batch_size=16, seed=7, api_name="/train")
    final = job.result(timeout=PATIENCE_S)
    progress = [output["progress"] for output in job.outputs()]
    assert set(final) >= RESULT_KEYS
    assert (final["status"], final["epochs"], final["progress"]) == ("done", 3, 1.0)
    assert 0.5 < final["test_accuracy"] <= 1
    assert final["images_per_s"] > 0
    # It said something on the way, and never went back.
    assert len(progress) > 2
    assert progress == sorted(progress)
    assert {output["run_id"] for output in job.outputs()} == {final["run_id"]}
    json.dumps(final)

    # The caller finds it again, and can use the model it made.
    listed = client.predict(api_name="/list_runs")
    assert [run["run_id"] for run in listed] == [final["run_id"]]
    assert listed[0]["test_accuracy"] == final["test_accuracy"]
    assert read_run(final["run_id"]).config.seed == 7
    assert load_model(read_run(final["run_id"]).best_folder) is not None

    # And how it came to what it reads.
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    sent = final["run_id"], handle_file(tmp_path / "seven.png")
    learned = client.predict(*sent, api_name="/replay")
    steps = [one["step"] for one in learned]
    assert steps == sorted(steps) and len(steps) > 10
    assert (steps[0], steps[-1]) == (0, 3 * math.ceil(1000 / 16))
    for one in learned:
        assert len(one["probs"]) == 10 and sum(one["probs"]) == pytest.approx(1, abs=1e-4)
    # Nobody else does.
    stranger = Client(client.src, verbose=False)
    assert "You have no run" in refusal(stranger.predict, *sent, api_name="/replay")
    assert "no image" in refusal(client.predict, sent[0], None, api_name="/replay")


def test_a_run_is_seen_and_stopped_by_its_own_caller_only(app_url):
    alice, bob = connect(app_url), connect(app_url)
    job = alice.submit(**ENDLESS, api_name="/train")
    run_id = outputs_until(job, lambda output: output["progress"] > 0, "progress")["run_id"]

    assert bob.predict(api_name="/list_runs") == []
    anothers = refusal(bob.predict, run_id=run_id, api_name="/stop_run")
    unknown = refusal(bob.predict, run_id=UNKNOWN_RUN, api_name="/stop_run")
    assert anothers.replace(run_id, UNKNOWN_RUN) == unknown

    assert [run["status"] for run in alice.predict(api_name="/list_runs")] == ["running"]

    stopped = alice.predict(run_id=run_id, api_name="/stop_run")
    assert stopped["status"] == "stopped"
    assert set(stopped) >= RESULT_KEYS
    assert job.result(timeout=PATIENCE_S)["status"] == "stopped"
    assert "not under way" in refusal(alice.predict, run_id=run_id, api_name="/stop_run")


def test_a_client_that_hangs_up_does_not_end_its_run(app_url):
    caller = connect(app_url)
    job = caller.submit(**ENDLESS, api_name="/train")
    run_id = outputs_until(job, lambda output: output["progress"] > 0, "progress")["run_id"]
    job.cancel()
    reached = read_run(run_id).progress
    wait_until(lambda: read_run(run_id).progress > reached, "the run to go on")
    assert caller.predict(run_id=run_id, api_name="/stop_run")["status"] == "stopped"


@pytest.mark.parametrize("run_id", ["", "../../etc", "x" * 5000, UNKNOWN_RUN, None, 3, ["a"], {}])
def test_what_is_no_run_of_ones_own_is_refused(client, run_id):
    assert "You have no run" in refusal(client.predict, run_id=run_id, api_name="/stop_run")
    sent = {"run_id": run_id, "image_file": None}
    assert "You have no run" in refusal(client.predict, **sent, api_name="/replay")


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("epochs", -1),
        ("epochs", 2.5),
        ("epochs", None),
        ("epochs", True),
        ("epochs", 10**400),
        ("learning_rate", "abc"),
        ("learning_rate", "NaN"),
        ("learning_rate", 1e308),
        ("batch_size", [64]),
        ("num_train_images", 60_000),
        ("model", "resnet"),
        ("model", None),
        ("optimizer", {"name": "adam"}),
        ("seed", -1),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_bad_knob_is_refused_with_what_is_accepted(client, knob, value):
    sentence = refusal(client.predict, **{knob: value}, api_name="/train")
    assert sentence.startswith(f"{knob} is ")
    assert "accepted" in sentence
    assert client.predict(api_name="/list_runs") == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(app_url, number):
    # The Python client does not send these; others may.
    body = f'{{"learning_rate": {number}}}'
    posted = httpx.post(
        f"{app_url}gradio_api/call/v2/train",
        content=body,
        headers={"content-type": "application/json"},
        timeout=PATIENCE_S,
    )
    if posted.status_code == 200:
        event_id = posted.json()["event_id"]
        answer = httpx.get(f"{app_url}gradio_api/call/train/{event_id}", timeout=PATIENCE_S).text
        assert "event: error" in answer
        assert "learning_rate is " in answer
        assert "accepted" in answer
    else:
        assert posted.status_code == 422
    assert "Traceback" not in posted.text


def test_a_drawn_seven_is_classified(client, tmp_path):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    answer = client.predict(
        image_file=handle_file(tmp_path / "seven.png"), model="lenet", api_name="/classify_digit"
    )
    # gr.Label's form: the label, and every class with its confidence.
    assert answer["label"] == "7"
    confidences = {item["label"]: item["confidence"] for item in answer["confidences"]}
    assert set(confidences) == {str(digit) for digit in range(10)}
    assert sum(confidences.values()) == pytest.approx(1, abs=1e-4)
    assert max(confidences, key=confidences.get) == "7"


def test_the_model_has_a_default(client, tmp_path, mnist):
    redraw(mnist.test.images[1].numpy()).save(tmp_path / "digit.png")
    answer = client.predict(
        image_file=handle_file(tmp_path / "digit.png"), api_name="/classify_digit"
    )
    assert answer["label"] == str(mnist.test.labels[1].item())


def test_all_digits_of_a_photo_are_read_with_their_places(client, tmp_path):
    one, seven = draw_strokes(ONE), draw_strokes(SEVEN)
    sheet = Image.new("L", (1680, 1120), 255)
    for picture, place in ((one, (0, 0)), (seven, (840, 0)), (seven, (0, 560))):
        sheet.paste(picture.resize((560, 560)), place)
    sheet.save(tmp_path / "sheet.png")
    answer = client.predict(image_file=handle_file(tmp_path / "sheet.png"), api_name="/read_digits")
    assert answer["number"] == "177"
    assert answer["lines"] == ["17", "7"]
    assert answer["note"] == ""
    assert [digit["digit"] for digit in answer["digits"]] == [1, 7, 7]
    assert all(0 < digit["probability"] <= 1 for digit in answer["digits"])
    # In pixels of what was sent, which was larger than what is worked with.
    expected = [[258, 98, 302, 462], [990, 140, 1242, 452], [150, 700, 402, 1012]]
    for digit, box in zip(answer["digits"], expected, strict=True):
        assert np.abs(np.subtract(digit["box"], box)).max() < 12


def test_a_picture_without_ink_has_no_digits(client, tmp_path):
    Image.new("L", (200, 100), 255).save(tmp_path / "blank.png")
    answer = client.predict(image_file=handle_file(tmp_path / "blank.png"), api_name="/read_digits")
    assert answer == {"number": "", "lines": [], "digits": [], "note": "No ink was found."}


def test_no_image_is_refused_with_a_sentence(client):
    sentence = refusal(client.predict, image_file=None, api_name="/classify_digit")
    assert "no image" in sentence
    assert "PNG" in sentence


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.pdf", b"%PDF-1.7\n%%EOF\n"),
        ("renamed.png", b"%PDF-1.7\n%%EOF\n"),
        ("note.txt", b"seven"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("empty.png", b""),
        ("truncated.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_with_what_is_accepted(
    client, tmp_path, name, content
):
    (tmp_path / name).write_bytes(content)
    sentence = refusal(
        client.predict, image_file=handle_file(tmp_path / name), api_name="/classify_digit"
    )
    assert "picture" in sentence


def test_a_hundred_megapixels_are_refused(client, tmp_path):
    (tmp_path / "huge.png").write_bytes(png_claiming(10_000, 10_000))
    sentence = refusal(
        client.predict, image_file=handle_file(tmp_path / "huge.png"), api_name="/classify_digit"
    )
    assert "too large" in sentence
    assert "megapixels" in sentence


def test_a_blank_picture_is_refused_with_a_sentence(client, tmp_path):
    draw_strokes([]).save(tmp_path / "blank.png")
    sentence = refusal(
        client.predict, image_file=handle_file(tmp_path / "blank.png"), api_name="/classify_digit"
    )
    assert "No ink" in sentence


@pytest.mark.parametrize("model", ["resnet", "../lenet", "", None, ["lenet"], UNKNOWN_RUN])
def test_an_unknown_model_is_refused_with_the_list(client, tmp_path, model):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    sentence = refusal(
        client.predict,
        image_file=handle_file(tmp_path / "seven.png"),
        model=model,
        api_name="/classify_digit",
    )
    assert "There is no model" in sentence
    assert "lenet" in sentence


def test_the_page_is_served_whole_from_this_machine(app_url):
    page = httpx.get(app_url, timeout=PATIENCE_S)
    assert page.status_code == 200
    assert '"title":"Foundry"' in page.text
    parts = re.findall(r"<(?:script|link)\b[^>]*\b(?:src|href)=[\"']?([^\"' >]+)", page.text)
    assert any(part.endswith(".js") for part in parts)
    assert [part for part in parts if urlsplit(part).netloc] == []


def test_a_browser_keeps_the_pages_scripts_and_nothing_else(app_url):
    page = httpx.get(app_url, timeout=PATIENCE_S).text
    script = re.search(r"assets/[\w-]+\.js", page)[0]
    answer = httpx.get(f"{app_url}{script}", timeout=PATIENCE_S)
    assert "immutable" in answer.headers["cache-control"]
    for path in ("", "config", "theme.css", "assets/nowhere.js"):
        answer = httpx.get(f"{app_url}{path}", timeout=PATIENCE_S)
        assert "immutable" not in answer.headers.get("cache-control", "")


def test_the_server_still_answers_after_all_that(client, tmp_path):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    for _ in range(3):
        refusal(client.predict, epochs=-1, api_name="/train")
    answer = client.predict(
        image_file=handle_file(tmp_path / "seven.png"), api_name="/classify_digit"
    )
    assert answer["label"] == "7"


def test_the_onlooker_of_the_benchmark_sees_its_run(app_url):
    onlooker = Onlooker(app_url, UNKNOWN_RUN, "somebody")
    try:
        wait_until(lambda: onlooker.num_asked >= 2, "two looks")
    finally:
        # Says why it could not.
        onlooker.close()
