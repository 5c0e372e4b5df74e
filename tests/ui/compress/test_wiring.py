"""`/compress` and `/compare` through `gradio_client`, with a real worker.

A compression goes to its end in the README's example.
"""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from waiting import wait_until

# A whole compression, also on a busy machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False)


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
