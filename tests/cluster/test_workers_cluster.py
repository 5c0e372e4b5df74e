"""Training on several workers of a cluster of three nodes, with losses of workers and nodes."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import ray
import torch
from nodes import start_cluster
from sentiment_corpus import write_corpus
from tiny_bert import BASE_WEIGHT_STD, write_tiny_bert
from transformers import BertModel

from foundry.data import load_mnist
from foundry.errors import InputError
from foundry.recipes.sentiment.__main__ import FULL
from foundry.recipes.sentiment.__main__ import main as make_sentiment
from foundry.recipes.speech import __main__ as speech
from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ, write_store
from foundry.recipes.speech.model import build_config
from foundry.recipes.workers import WorkersConfig, train_on_workers
from foundry.training import TrainConfig, TrainState, train
from foundry.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

ROOT = Path(__file__).parent.parent.parent
# By attempt, from 0: inside the second epoch, and inside the third.
FATAL_STEPS = {0: 9, 1: 15}
CONFIG = TrainConfig(epochs=3, batch_size=100, num_train_images=520, rotation_deg=10)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Three nodes of one core; the first one is this process's."""
    # Workers unpickle this module's functions without having its file.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    cluster = start_cluster(num_head_cpus=1, num_cpus=1)
    ray.init(
        address=cluster.address,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        logging_level="ERROR",
        log_to_driver=False,
    )
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def build_state(folder):
    last = find_checkpoint(folder)
    state = load_checkpoint(last) if last else TrainState(CONFIG)
    # Rounded to bfloat16, a sum depends on how it is cut.
    state.precision = torch.float32
    return state


def train_share(ledger, shard, folder):
    """LeNet's loop; in the second epoch of the first attempt worker 1 kills itself.

    In the third epoch of the second attempt it waits for the end that somebody else brings it.
    """
    state = build_state(folder)
    node = ray.get_runtime_context().get_node_id()
    (ledger / f"from-{state.step}-{shard.rank}").write_text(node)
    for event in train(state, load_mnist(), shard):
        ends = event.val_accuracy is not None
        if ends:
            save_checkpoint(state, folder)
        yield event, ends
        epochs_kept = len(list(ledger.glob("from-*-0"))) - 1
        if event.step == FATAL_STEPS.get(epochs_kept):
            wait_until_kept(ledger / "storage" / "lenet", 6 * (epochs_kept + 1))
            if epochs_kept == 0 and shard.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            # Not one to outrun its own end.
            wait_for(ledger / "never")


def wait_until_kept(storage, step):
    """Wait until Ray would go on from a step: it notes that, then deletes what it kept before."""
    wait_for(storage / "checkpoint_manager_snapshot.json")
    while {path.name for path in storage.rglob("step-*")} != {f"step-{step:08d}"}:
        time.sleep(0.05)


def wait_for(path):
    while not path.exists():
        time.sleep(0.05)


def alone(folder):
    state = build_state(folder)
    return list(train(state, load_mnist())), state


def check_like_one(events, out, folder):
    expected, state = alone(folder)
    of_step = {event.step: event for event in expected}
    assert [e.step for e in events][-1] == state.num_steps
    assert {e.step for e in events} == set(of_step)
    for event in events:
        of_one = of_step[event.step]
        assert event.train_loss == pytest.approx(of_one.train_loss, rel=1e-3)
        if of_one.val_loss is not None:
            assert event.val_loss == pytest.approx(of_one.val_loss, rel=1e-3)
    finished = load_checkpoint(find_checkpoint(out))
    assert finished.step == state.num_steps
    for name, weights in state.model.state_dict().items():
        torch.testing.assert_close(finished.model.state_dict()[name], weights, atol=1e-3, rtol=1e-3)


def test_more_workers_than_cores_are_refused_in_a_sentence(cluster, tmp_path):
    workers = WorkersConfig(64, str(tmp_path))
    with pytest.raises(InputError, match=r"64 workers need as many cores, but .* has 3"):
        next(train_on_workers(partial(train_share, tmp_path), workers, "x", tmp_path))


def test_the_sentiment_recipe_trains_on_workers(cluster, tmp_path):
    base = write_tiny_bert(tmp_path / "base", BertModel, BASE_WEIGHT_STD)
    data = write_corpus(tmp_path / "data")
    out = tmp_path / "out"
    argv = ["--data", str(data), "--out", str(out), "--base", str(base)]
    fast = FULL.__class__(epochs=2, epoch_size=100, batch_size=8, peak_lr=3e-3)
    make_sentiment([*argv, "--num-seeds", "1", "--workers", "2"], fast, fast, None)
    assert (out / "model.safetensors").is_file()
    assert "seed 0" in (out / "README.md").read_text()


def test_the_speech_recipe_trains_on_workers(cluster, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    clips = [
        (corpus, f"{corpus} {n % 4}", text, rng.normal(0, 0.1, SAMPLE_RATE_HZ // 4))
        for n in range(8)
        for corpus, text in (("fsdd", "one"), ("speech_commands", "two"), ("wuw", "go one"))
    ]
    clips = [(*names, wave.astype(np.float32)) for *names, wave in clips]
    out = tmp_path / "out"
    synthetic = ("synthetic_words", "synthetic_sentences", "voices", "other_words", "accents")
    for name in ("recordings", *synthetic):
        write_store(out / "cache" / name, clips)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "ljspeech_prompts.txt").write_text("go two\n" * 10)
    tiny = build_config(hidden_dim=64, num_layers=1)
    monkeypatch.setattr(speech, "build_config", lambda: tiny)
    argv = ["speech", "--data", str(tmp_path), "--out", str(out), "--minutes", "0.01"]
    monkeypatch.setattr(sys, "argv", [*argv, "--workers", "2"])
    speech.main()
    assert (out / "checkpoint.safetensors").is_file()
    assert (out / "model" / "model.safetensors").is_file()
    assert '"step": 1' in (out / "events.jsonl").read_text()


def test_training_outlives_a_killed_worker_and_then_a_node(cluster, tmp_path):
    here = ray.get_runtime_context().get_node_id()
    workers = WorkersConfig(2, f"local://{tmp_path}/storage")
    loop = partial(train_share, tmp_path)
    events = []
    for event in train_on_workers(loop, workers, "lenet", tmp_path / "out"):
        events.append(event)
        if event.step == FATAL_STEPS[1] and not list(tmp_path.glob("from-12-*")):
            wait_until_kept(tmp_path / "storage" / "lenet", 12)
            at_work = {path.read_text() for path in tmp_path.glob("from-6-*")} - {here}
            lost = next(node for node in cluster.worker_nodes if node.node_id in at_work)
            cluster.remove_node(lost, allow_graceful=False)
    check_like_one(events, tmp_path / "out", tmp_path)
    # Each attempt went on from the last whole epoch, not from the beginning.
    assert {path.name for path in tmp_path.glob("from-*")} == {
        f"from-{step}-{rank}" for step in (0, 6, 12) for rank in (0, 1)
    }
    # What is finished in the storage is only fetched.
    assert list(train_on_workers(loop, workers, "lenet", tmp_path / "again")) == []
    assert find_checkpoint(tmp_path / "again").name == find_checkpoint(tmp_path / "out").name
