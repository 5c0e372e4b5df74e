"""`/search` through `gradio_client`, with a real worker on Ray."""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False)


def test_a_search_streams_and_ends_with_its_table(client):
    job = client.submit(
        minutes=0,
        num_trials=3,
        epochs=1,
        batch_size=[64, 128],
        num_train_images=500,
        api_name="/search",
    )
    last = job.result(timeout=800)
    *progress, _ = job.outputs()
    assert (last["status"], last["progress"], last["num_trials"]) == ("done", 1.0, 3)
    assert all("trials" not in one for one in progress)
    first = last["trials"][0]
    assert first["val_accuracy"] == last["best_accuracy"] > 0.3
    assert 64 <= first["batch_size"] <= 128 and first["parameters"] == 61_706
    assert {one["state"] for one in last["trials"]} <= {"done", "stopped early"}
    shares = [one["progress"] for one in progress]
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"learning_rate": [0.1, 0.01]}, "the lowest has to come first"),
        ({"batch_size": 64}, "a range is accepted"),
        ({"minutes": 0}, "A search needs an end"),
        ({"model": ["resnet"]}, "model is “resnet”"),
    ],
)
def test_a_bad_value_is_a_sentence(client, arguments, said):
    with pytest.raises(AppError, match=said):
        client.predict(**arguments, api_name="/search")
