"""Shared by all rings: MNIST once, a runs folder of its own for every test, a running app."""

import os
import socket
from pathlib import Path

# Before torch: its workers inherit this, and share the cores with the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from queues import build_queue
from short_run import SHORT_RUN
from waiting import PATIENCE_S

from foundry.data import Split, load_mnist
from foundry.models import load_model
from foundry.runs.folders import ACTIVE, RUNS_DIR_VARIABLE, read_status
from foundry.training.runs import create_run, list_runs

torch.set_num_threads(1)

# No deadline: on a busy machine an example may take any time without being wrong.
settings.register_profile(
    "foundry",
    deadline=None,
    max_examples=25,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("foundry")


# The folders whose files take longest. They come first, so that what is left to hand out at the end
# is short, and the processes of `.ci/run` end together.
LONGEST = ("cluster", "browser", "ui", "recipes", "compression", "models")


def pytest_collection_modifyitems(items):
    def rank(item):
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def no_runs_of_this_machine(tmp_path_factory):
    """What a test does not put elsewhere: every queue tidies up the runs that it finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNS_DIR_VARIABLE, str(tmp_path_factory.mktemp("runs-of-the-session")))
        yield


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture(scope="session")
def small_mnist(mnist):
    """MNIST with a validation split of 200 images, so that an epoch ends in no time."""
    val = Split(mnist.val.images[:200], mnist.val.labels[:200])
    return type(mnist)(train=mnist.train, val=val, test=mnist.test)


@pytest.fixture(scope="session")
def lenet():
    return load_model("lenet")


@pytest.fixture(scope="session")
def tiny_bert_dir(tmp_path_factory):
    """A folder with a tiny random sentiment classifier and its tokenizer."""
    from tiny_bert import write_tiny_bert
    from transformers import BertForSequenceClassification

    return write_tiny_bert(tmp_path_factory.mktemp("bert"), BertForSequenceClassification)


@pytest.fixture(scope="session")
def three_label_dir(tmp_path_factory):
    """A folder with a tiny random classifier that knows what is neutral."""
    from tiny_bert import write_tiny_bert
    from transformers import BertForSequenceClassification

    folder = tmp_path_factory.mktemp("three")
    return write_tiny_bert(folder, BertForSequenceClassification, num_labels=3)


@pytest.fixture(scope="session")
def tiny_bert(tiny_bert_dir):
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(tiny_bert_dir).eval()


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_bert_dir):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_bert_dir)


@pytest.fixture(scope="session")
def tiny_speech_dir(tmp_path_factory):
    """A folder with a tiny random speech recogniser and its processor."""
    from tiny_wav2vec2 import write_tiny_wav2vec2

    return write_tiny_wav2vec2(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="session")
def tiny_speech_processor(tiny_speech_dir):
    from transformers import Wav2Vec2Processor

    return Wav2Vec2Processor.from_pretrained(tiny_speech_dir)


@pytest.fixture(scope="session")
def shipped_recogniser():
    from foundry.speech import load_recogniser

    return load_recogniser("wav2vec2-commands")


@pytest.fixture
def runs_folder(tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(folder))
    return folder


def end_runs(queue):
    """Stop whatever a test left under way, so that no worker outlives it."""
    for run_id in list(queue._locks):
        if read_status(queue._jobs[run_id].folder).status in ACTIVE:
            try:
                queue.stop(run_id)
            except ValueError:
                # It ended by itself just now.
                continue
    for run_id in list(queue._locks):
        queue.wait(run_id, PATIENCE_S)


@pytest.fixture
def queue(runs_folder):
    queue = build_queue()
    yield queue
    end_runs(queue)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A run of `SHORT_RUN` that a real worker has taken to its end; all test processes share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with pytest.MonkeyPatch.context() as patch, FileLock(f"{folder}.lock"):
        patch.setenv(RUNS_DIR_VARIABLE, str(folder))
        if not list_runs():
            queue = build_queue()
            run = queue.start(create_run, SHORT_RUN, "somebody", "cpu")
            queue.wait(run.run_id, PATIENCE_S)
        (run,) = list_runs()
        return run


@pytest.fixture(scope="session")
def app_url(tmp_path_factory):
    """The address of the running app; it has a runs folder of its own."""
    from foundry.ui import build_app, launch

    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        patch.setenv(RUNS_DIR_VARIABLE, str(tmp_path_factory.mktemp("runs-of-the-app")))
        # Another app that ends on this machine takes its files with it, examples too.
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("files-of-the-app")))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        app = build_app("cpu")
        _, url, _ = launch(
            app,
            prevent_thread_lock=True,
            quiet=True,
            server_name="127.0.0.1",
            server_port=port,
        )
        yield url
        app.close()
