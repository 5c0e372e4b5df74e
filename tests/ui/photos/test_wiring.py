import pytest
from gradio_client import Client, handle_file
from patterns import draw_pattern, pattern_entries, write_zip
from refusals import refusal

from foundry.photos.teaching.projects import projects_dir
from foundry.ui.photos.examples import open_example


def test_a_program_gets_the_name_of_what_is_on_a_photo(app_url, tmp_path):
    open_example("A cup").save(tmp_path / "cup.png")
    client = Client(app_url, verbose=False)
    answer = client.predict(handle_file(tmp_path / "cup.png"), api_name="/classify_image")
    assert answer["label"] == "espresso" and len(answer["confidences"]) == 5


def test_a_program_teaches_classes_and_asks_them(app_url, tmp_path):
    sent = write_zip(tmp_path / "two.zip", pattern_entries())
    client = Client(app_url, verbose=False)
    taught = client.predict(handle_file(sent), api_name="/teach")
    assert taught["classes"] == ["stripes", "spots"] and taught["num_validated"] == 2
    assert taught["accuracy_low"] < taught["accuracy"] <= taught["accuracy_high"] <= 1
    draw_pattern("spots", 50).save(tmp_path / "spots.png")
    asked = handle_file(tmp_path / "spots.png"), taught["model"]
    answer = client.predict(*asked, api_name="/classify_image")
    assert answer["label"] == "spots"
    assert [one["label"] for one in answer["confidences"]] == ["spots", "stripes"]
    open_example("A rocket").save(tmp_path / "rocket.png")
    other = client.predict(
        handle_file(tmp_path / "rocket.png"), taught["model"], api_name="/classify_image"
    )
    assert other["label"] == "none of these"
    assert "no variant “int8”" in refusal(
        client.predict, *asked, "int8", api_name="/classify_image"
    )
    # The last block learns, too, as a run.
    job = client.submit(taught["model"], api_name="/fine_tune")
    tuned = job.result()
    assert (tuned["status"], tuned["epochs"]) == ("done", tuned["num_epochs"])
    assert tuned["num_validated"] == 2 >= tuned["num_right"]
    assert client.predict(*asked, api_name="/classify_image")["label"] == "spots"
    # Nobody else has them.
    stranger = Client(app_url, verbose=False)
    assert "You have no classes" in refusal(
        stranger.submit(taught["model"], api_name="/fine_tune").result
    )
    assert "You have no classes" in refusal(stranger.predict, *asked, api_name="/classify_image")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (pattern_entries(("spots",)), "2 to 10 classes are needed to tell pictures apart, not 1"),
        (pattern_entries() | {"../x.png": b""}, "leads out of"),
        ({f"{kind}/{i}.png": b"" for kind in "ab" for i in range(2_500)}, "5,000 pictures"),
    ],
)
def test_what_cannot_be_taught_is_a_sentence_and_leaves_nothing(app_url, tmp_path, entries, told):
    sent = write_zip(tmp_path / "sent.zip", entries)
    client = Client(app_url, verbose=False)
    before = {path.name for path in projects_dir().glob("*")}
    assert told in refusal(client.predict, handle_file(sent), api_name="/teach")
    assert {path.name for path in projects_dir().glob("*")} == before
    assert "no file" in refusal(client.predict, None, api_name="/teach")
