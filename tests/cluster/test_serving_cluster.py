"""The app on a cluster of three nodes: answers as the local one's, whatever is killed meanwhile."""

import os
import signal
import socket
import threading
from contextlib import contextmanager

import pytest
import torch
from gradio_client import Client, handle_file
from nodes import start_cluster
from PIL import Image
from waiting import PATIENCE_S, call_in_a_thread, wait_until

from foundry.benchmark.harness.deployed import list_replicas
from foundry.data.pictures import load_image
from foundry.digits import read_drawing
from foundry.models import load_model, load_pretrained
from foundry.models.remote import RemotePredictor
from foundry.runs.cluster import ray_session
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.sentiment import score_text, wrap_classifier

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

APP = "foundry"
BERT, LENET = "bert-sentiment-dense", "lenet-dense"
TEXTS = ["A warm and funny film.", "An awful film, far too long.", "Not bad at all."]
TOLERANCE = 1e-3
# Between an answer and the next question of the same client.
PAUSE_S = 0.1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    from ray import serve

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNS_DIR_VARIABLE, str(tmp_path_factory.mktemp("runs")))
        # Replicas run on the other two, so that the one that is lost has one.
        nodes = start_cluster(num_head_cpus=0, num_cpus=2)
        with ray_session("Serving", nodes.address):
            yield nodes
            serve.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def url(cluster):
    from ray import serve

    from foundry.serving.deployment import build_serving

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # On one machine the proxies of all nodes would share the port, and one goes with its node.
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    app = build_serving(
        {
            BERT: {
                "autoscaling_config": None,
                "num_replicas": 2,
                "max_replicas_per_node": 1,
                "health_check_period_s": 1.0,
            },
            LENET: {
                "autoscaling_config": {
                    "min_replicas": 0,
                    "max_replicas": 1,
                    "downscale_delay_s": 0.5,
                    "look_back_period_s": 1.0,
                    "metrics_interval_s": 0.5,
                }
            },
        }
    )
    serve.run(app, name=APP)
    return f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def probs():
    """Text -> label -> probability, computed in this process."""
    loaded = load_pretrained("bert-sentiment", "sentiment")
    model = wrap_classifier(loaded.model, loaded.processor)
    return {text: score_text(model, text).probs for text in TEXTS}


def probs_in(answer):
    return {each["label"]: each["confidence"] for each in answer["confidences"]}


class Tally:
    """What some clients met."""

    def __init__(self):
        self.num_right, self.wrong, self.lost = 0, [], []

    def check(self, answer, expected):
        if answer == pytest.approx(expected, abs=TOLERANCE):
            self.num_right += 1
        else:
            self.wrong.append((answer, expected))


@contextmanager
def clients(*ask):
    """Ask, each several times a second in a thread, until the end of the block; yields the tally.

    Without a rest they would keep the processors from what is started anew meanwhile.
    """
    tally, done = Tally(), threading.Event()

    def run(one):
        while not done.wait(PAUSE_S):
            try:
                one(tally)
            except Exception as error:
                tally.lost.append(repr(error))

    threads = [threading.Thread(target=run, args=(one,)) for one in ask]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        done.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def through_the_page(url, text, expected):
    page = Client(url, verbose=False)

    def ask(tally):
        answer = page.predict(text, "bert-sentiment", "dense", api_name="/score_sentiment")
        tally.check(probs_in(answer), expected)

    return ask


def through_the_handle(text):
    from ray import serve

    from foundry.serving.replica import fingerprint

    loaded = load_pretrained("bert-sentiment", "sentiment")
    ids = torch.tensor([loaded.processor(text)["input_ids"]])
    inputs = ids, torch.ones_like(ids)
    expected = loaded.predict(*inputs)[0].tolist()
    handle = serve.get_deployment_handle(BERT, APP)
    # Nothing is computed here: an answer that no replica gives is lost.
    predict = RemotePredictor(BERT, handle, fingerprint("bert-sentiment"), lambda: None, PATIENCE_S)
    return lambda tally: tally.check(predict(*inputs)[0].tolist(), expected)


def test_the_page_answers_as_the_local_app_does(url, probs, tmp_path):
    page = Client(url, verbose=False)
    for text, expected in probs.items():
        answer = page.predict(text, "bert-sentiment", "dense", api_name="/score_sentiment")
        assert probs_in(answer) == pytest.approx(expected, abs=TOLERANCE)
    drawing = tmp_path / "one.png"
    picture = Image.new("L", (280, 280), 255)
    picture.paste(0, (130, 50, 150, 230))
    picture.save(drawing)
    here = read_drawing(load_model("lenet"), load_image(drawing))
    answer = page.predict(handle_file(drawing), "lenet", "dense", api_name="/classify_digit")
    assert answer["label"] == str(here.digit)
    found = probs_in(answer)
    assert [found[str(digit)] for digit in range(10)] == pytest.approx(here.probs, abs=TOLERANCE)
    # What no replica runs, the page's own process does.
    assert page.predict(handle_file(drawing), "lenet", "int8", api_name="/classify_digit")["label"]


def test_a_deployment_goes_down_to_nothing_and_comes_back(url):
    from ray import serve

    from foundry.serving.replica import fingerprint

    handle = serve.get_deployment_handle(LENET, APP)
    # A replica that has to be started takes longer on a busy machine than the page would wait.
    predict = RemotePredictor(LENET, handle, fingerprint("lenet"), lambda: None, PATIENCE_S)
    image = torch.zeros(1, 1, 28, 28)
    expected = load_model("lenet")(image)
    wait_until(lambda: not list_replicas(APP, LENET), "no replica")
    assert torch.allclose(call_in_a_thread(predict, image), expected, atol=TOLERANCE)
    assert list_replicas(APP, LENET)


def test_a_killed_replica_and_a_killed_node_cost_no_answer(cluster, url, probs):
    ask = [through_the_page(url, text, probs[text]) for text in TEXTS[:2]]
    ask += [through_the_handle(text) for text in TEXTS[:2]]
    with clients(*ask) as tally:

        def wait_for_answers():
            before = tally.num_right
            wait_until(lambda: tally.num_right >= before + 40 or tally.lost, "answers")

        wait_for_answers()
        killed = list_replicas(APP, BERT)[0]
        os.kill(killed["pid"], signal.SIGKILL)
        wait_for_answers()
        wait_until(
            lambda: (
                len(now := list_replicas(APP, BERT)) == 2
                and killed["pid"] not in {each["pid"] for each in now}
            ),
            "a new replica",
        )
        (page,) = list_replicas(APP, "page")
        lost = next(node for node in cluster.worker_nodes if node.node_id != page["node_id"])
        assert lost.node_id in {each["node_id"] for each in list_replicas(APP, BERT)}
        cluster.remove_node(lost, allow_graceful=False)
        wait_for_answers()
    assert (tally.lost, tally.wrong) == ([], [])
    assert tally.num_right >= 120


def test_a_killed_page_comes_back(url, probs):
    (before,) = list_replicas(APP, "page")
    os.kill(before["pid"], signal.SIGKILL)

    def is_another():
        return [each["pid"] for each in list_replicas(APP, "page")] not in ([], [before["pid"]])

    wait_until(is_another, "another page")
    tally = Tally()
    through_the_page(url, TEXTS[0], probs[TEXTS[0]])(tally)
    assert tally.num_right == 1
