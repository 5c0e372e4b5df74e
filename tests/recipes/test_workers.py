"""Workers without Ray: two processes of torch's own against one."""

import argparse
import contextlib
import itertools
import multiprocessing
from unittest import mock

import numpy as np
import pytest
import torch
from tiny_bert import BASE_WEIGHT_STD, write_tiny_bert
from transformers import BertModel

from foundry.data import DataSet, Split, load_mnist
from foundry.errors import InputError, in_a_sentence
from foundry.recipes.sentiment.__main__ import FULL, main
from foundry.recipes.sentiment.data.corpus import Example
from foundry.recipes.sentiment.finetune import finetune
from foundry.recipes.sentiment.pretrained import build_classifier, load_tokenizer
from foundry.recipes.speech.batches import BatchSource
from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ, ClipStore, write_store
from foundry.recipes.speech.model import build_config, build_model
from foundry.recipes.speech.train import TrainConfig as SpeechConfig
from foundry.recipes.speech.train import TrainState as SpeechState
from foundry.recipes.speech.train import train as train_speech
from foundry.recipes.workers import add_worker_options, read_worker_options, train_on_workers
from foundry.runs.cluster import HOW_TO_INSTALL
from foundry.training import TrainConfig, TrainState, train
from foundry.training.sharding import ALONE, Shard

NUM_WORKERS = 2
# The last batch has one image, and one worker none.
LENET = TrainConfig(epochs=2, batch_size=100, num_train_images=501, rotation_deg=10)
# Dropout is each worker's own.
BERT = dict(epochs=2, batch_size=7, dropout=0.0, patience=9)


def losses_of_lenet(shard, folder):
    mnist = load_mnist()
    mnist = DataSet(mnist.train, Split(mnist.val.images[:200], mnist.val.labels[:200]), mnist.test)
    return [
        loss
        for event in train(TrainState(LENET), mnist, shard)
        for loss in (event.train_loss, event.val_loss)
        if loss is not None
    ]


def losses_of_sentiment(shard, folder):
    words = ("good", "bad")
    examples = [Example(f"the film {i} is {words[i % 2]}", i % 2) for i in range(30)]
    base = folder / "bert"
    model = build_classifier(base, 0.0)
    config = FULL.__class__(**BERT)
    own = folder / f"sentiment-{shard.world_size}-{shard.rank}"
    events = finetune(model, load_tokenizer(base), examples, examples, config, own, shard=shard)
    return [
        loss for event in events for loss in (event.train_loss, event.val_loss) if loss is not None
    ]


def losses_of_speech(shard, folder):
    store = ClipStore(folder / "speech")
    source = BatchSource([(store, clip) for clip in store.clips], [], seed=3, scale=0.2)
    state = SpeechState(build_model(build_config(hidden_dim=64, num_layers=1), seed=0))
    config = SpeechConfig(60.0, warmup_steps=5, num_workers=0)
    own = folder / f"speech-{shard.world_size}-{shard.rank}"
    events = train_speech(state, source, config, own, lambda model: {}, shard=shard)
    return [event.train_loss for event in itertools.islice(events, 5)]


LOSSES = {
    "lenet": losses_of_lenet,
    "sentiment": losses_of_sentiment,
    "speech": losses_of_speech,
}


def all_losses(shard, folder):
    """In float32: what a share of a batch adds up to does not depend on how it is cut."""
    with mock.patch("torch.autocast", lambda *_, **__: contextlib.nullcontext()):
        return {name: losses(shard, folder) for name, losses in LOSSES.items()}


def work(rank, folder, losses):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=NUM_WORKERS
    )
    losses.put((rank, all_losses(Shard(rank, NUM_WORKERS), folder)))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    write_tiny_bert(folder / "bert", BertModel, BASE_WEIGHT_STD)
    rng = np.random.default_rng(0)
    clips = [
        ("fsdd", f"speaker {n % 4}", ("one", "two")[n % 2], rng.normal(0, 0.1, SAMPLE_RATE_HZ // 4))
        for n in range(16)
    ]
    write_store(folder / "speech", [(*names, wave.astype(np.float32)) for *names, wave in clips])
    return folder


@pytest.fixture(scope="module")
def of_one(folder):
    return all_losses(ALONE, folder)


@pytest.fixture(scope="module")
def of_two(folder):
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    workers = [spawn.Process(target=work, args=(rank, folder, queue)) for rank in range(2)]
    for worker in workers:
        worker.start()
    losses = dict(queue.get(timeout=250) for _ in workers)
    for worker in workers:
        worker.join()
    return losses


@pytest.mark.parametrize("name", LOSSES)
def test_two_workers_lose_what_one_does(name, of_one, of_two):
    assert len(of_one[name]) > 4
    assert of_two[0][name] == pytest.approx(of_one[name], rel=1e-4)
    # All end up with the same numbers, to the last bit.
    assert of_two[0][name] == of_two[1][name]


def parse(*argv):
    parser = argparse.ArgumentParser(prog="recipe")
    parser.add_argument("--prune", action="store_true")
    add_worker_options(parser)
    return parser, parser.parse_args(argv)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--workers", "0"], "a whole number from 1"),
        (["--storage", "here"], "--workers N, which is missing"),
        (["--workers", "2", "--prune"], "leave --workers out"),
        (["--workers", "2", "--address", "h:1"], "need --storage"),
    ],
)
def test_options_without_sense_are_refused_in_a_sentence(argv, sentence, monkeypatch, capsys):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    parser, args = parse(*argv)
    with pytest.raises(SystemExit) as ended, in_a_sentence(parser):
        read_worker_options(args)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_without_workers_ray_is_left_alone(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "nowhere:1")
    assert read_worker_options(parse()[1]) is None


@pytest.mark.parametrize("storage", ["{}/file/folder", "nosuch://bucket/folder"])
def test_storage_that_cannot_be_written_to_is_named(tmp_path, storage, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "file").touch()
    storage = storage.format(tmp_path)
    workers = read_worker_options(parse("--workers", "1", "--storage", storage)[1])
    with pytest.raises(InputError, match="cannot be written to") as refused:
        next(train_on_workers(lambda shard, folder: iter([]), workers, "name", tmp_path))
    assert storage in str(refused.value)


def test_without_ray_a_recipe_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("foundry.runs.cluster.is_ray_installed", lambda: False)
    workers = read_worker_options(parse("--workers", "1")[1])
    with pytest.raises(InputError, match="needs Ray") as refused:
        next(train_on_workers(lambda shard, folder: iter([]), workers, "name", tmp_path))
    assert HOW_TO_INSTALL in str(refused.value)


def test_a_recipe_ends_with_the_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(tmp_path), "--out", str(tmp_path), "--workers", "-1"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("python -m foundry.recipes.sentiment: --workers is")
