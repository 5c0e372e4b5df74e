from gradio_client import Client, handle_file

from foundry.ui.photos.examples import open_example


def test_a_program_gets_the_name_of_what_is_on_a_photo(app_url, tmp_path):
    open_example("A cup").save(tmp_path / "cup.png")
    client = Client(app_url, verbose=False)
    answer = client.predict(handle_file(tmp_path / "cup.png"), api_name="/classify_image")
    assert answer["label"] == "espresso" and len(answer["confidences"]) == 5
