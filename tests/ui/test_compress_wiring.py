"""`/compress` and `/compare` through `gradio_client`, with a real worker."""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from waiting import wait_until

# A whole compression, also on a busy machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False)


def test_a_compression_streams_and_ends_with_its_row(client):
    job = client.submit("lenet", 0.5, 8, 1, api_name="/compress")
    row = job.result(timeout=800)
    *progress, last = job.outputs()
    assert last == row
    assert (row["model"], row["variant"], row["engine"]) == ("lenet", "pruned-int8", "OpenVINO")
    # Channels 3 and 8, neurons 60 and 42, counted by hand: see tests/test_compress.py.
    assert row["parameters"] == 78 + 608 + 12_060 + 2_562 + 430
    assert row["size_bytes"] < 30_000 and row["quality"] > 0.9
    assert row["speedup_low"] <= row["speedup"] <= row["speedup_high"]
    shares = [one["progress"] for one in progress]
    assert shares == sorted(shares)
    assert {"recover", "measure"} <= {one["stage"] for one in progress}


def test_compare_gives_the_table(client):
    rows = client.predict("lenet", api_name="/compare")
    assert rows[0]["variant"] == "dense"
    assert {"int8", "pruned", "pruned-int8", "bfloat16"} <= {row["variant"] for row in rows}


def test_a_compression_is_stopped_by_its_own_caller_only(client, app_url):
    job = client.submit("lenet", 0.5, 8, 10, api_name="/compress")
    wait_until(lambda: any(one["stage"] for one in job.outputs()), "the first stage")
    run_id = job.outputs()[0]["run_id"]
    with pytest.raises(AppError, match="You have no run"):
        Client(app_url, verbose=False).predict(run_id, api_name="/stop_run")
    assert client.predict(run_id, api_name="/stop_run")["status"] == "stopped"
    with pytest.raises(AppError, match="not under way"):
        client.predict(run_id, api_name="/stop_run")
    with pytest.raises(AppError, match="The compression was stopped"):
        job.result(timeout=800)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resnet", 0.5, 8), "There is no model “resnet”; choose one of lenet"),
        (("lenet", 1.5, 8), "pruning_ratio is 1.5"),
        (("lenet", 0.5, 4), "weight_bits is 4"),
        (("bert-sentiment", 0.5, 8), "set pruning_ratio and sparsity to 0"),
    ],
)
def test_a_bad_value_is_a_sentence(client, arguments, said):
    with pytest.raises(AppError, match=said):
        client.predict(*arguments, api_name="/compress")
