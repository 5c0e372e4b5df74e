import threading
from dataclasses import replace

import pytest
import torch

from foundry.training import TrainConfig, TrainState, step, train
from foundry.training.evaluation import evaluate
from foundry.training.threads import Threads

CPU = torch.device("cpu")
SMALL = TrainConfig(num_train_images=500, epochs=2, batch_size=64, learning_rate=2e-3)
VARIETY = {
    "default": SMALL,
    "everything drawn": replace(
        SMALL, dropout=0.3, rotation_deg=10, shift_px=2, scale=0.1, epsilon=0.1
    ),
    "sgd": replace(SMALL, optimizer="sgd", schedule="constant", learning_rate=0.02),
    "cnn": replace(SMALL, model="cnn", epochs=1, dropout=0.3),
    "lstm": replace(SMALL, model="lstm", width=0.25, epochs=1, dropout=0.3),
    "transformer": replace(SMALL, model="transformer", width=0.25, epochs=1, dropout=0.3),
    # The last batch is one image: some parts have none.
    "a lonely image": replace(SMALL, num_train_images=513),
}


@pytest.fixture
def allow(monkeypatch):
    """Set how many threads PyTorch may use; afterwards as many as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.slow("trains three times")
@pytest.mark.parametrize("config", VARIETY.values(), ids=VARIETY)
def test_the_number_of_threads_changes_no_bit(config, allow, small_mnist, monkeypatch):
    monkeypatch.setattr(step, "NUM_PARTS", 4)
    runs = []
    for num_threads in (1, 2, 4):
        allow(num_threads)
        state = TrainState(config)
        events = [replace(e, images_per_s=0, elapsed_s=0) for e in train(state, small_mnist)]
        runs.append((events, state.model.state_dict()))
    events, weights = runs[0]
    for other_events, other_weights in runs[1:]:
        assert other_events == events
        assert all(torch.equal(other_weights[name], weights[name]) for name in weights)


def test_evaluation_does_not_depend_on_the_number_of_threads(allow, lenet, mnist):
    found = []
    for num_threads in (1, 2, 4):
        allow(num_threads)
        found.append(evaluate(lenet, mnist.val))
    for other in found[1:]:
        assert (other.loss, other.accuracy) == (found[0].loss, found[0].accuracy)
        assert torch.equal(other.probs, found[0].probs)


def test_parts_and_results_keep_their_order(allow):
    allow(3)
    with Threads(7, CPU) as threads:
        assert threads.map(lambda part: 10 * part, range(7)) == list(range(0, 70, 10))
        assert threads.run(lambda: "done") == "done"


@pytest.mark.parametrize(("allowed", "num_parts"), [(1, 4), (3, 2), (2, 9)])
def test_there_are_as_many_as_allowed_and_each_computes_alone(allow, allowed, num_parts):
    allow(allowed)
    num_threads = min(allowed, num_parts)
    meeting = threading.Barrier(num_threads, timeout=30)

    def look(_):
        # All of them have to be here for any to go on.
        meeting.wait()
        return threading.get_ident(), torch.get_num_threads()

    with Threads(num_parts, CPU) as threads:
        seen = threads.map(look, range(num_threads))
    assert len({ident for ident, _ in seen}) == num_threads
    assert threading.get_ident() not in dict(seen)
    assert {computing for _, computing in seen} == {1}


def test_whoever_asked_keeps_its_threads_and_so_do_those_that_begin_later(allow):
    allow(3)
    found = []

    def begin():
        torch.rand(100_000).sum()
        found.append(torch.get_num_threads())

    with Threads(2, CPU):
        later = threading.Thread(target=begin)
        later.start()
        later.join()
    assert found == [3]
    assert torch.get_num_threads() == 3


def test_on_a_gpu_the_caller_does_all():
    with Threads(2, torch.device("cuda")) as threads:
        assert threads.map(lambda _: threading.get_ident(), range(2)) == [threading.get_ident()] * 2
        assert threads.run(threading.get_ident) == threading.get_ident()


def test_what_a_part_raises_reaches_the_caller():
    with Threads(2, CPU) as threads, pytest.raises(ZeroDivisionError):
        threads.map(lambda part: 1 // part, range(2))


def test_a_training_that_nobody_follows_to_its_end_leaves_no_thread(small_mnist):
    before = set(threading.enumerate())
    events = train(TrainState(SMALL), small_mnist)
    next(events)
    assert set(threading.enumerate()) > before
    events.close()
    assert set(threading.enumerate()) == before
