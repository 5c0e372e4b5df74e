import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foundry.data import load_mnist
from foundry.errors import ArtifactError
from foundry.training import TrainConfig, TrainState, train
from foundry.training.snapshots import (
    Snapshots,
    list_snapshots,
    load_snapshot,
    plan_steps,
    read_step,
)

SMALL = TrainConfig(num_train_images=600, batch_size=16, epochs=2)


def follow(state, folder, until=10_000):
    snapshots = Snapshots(state, folder)
    for event in train(state, load_mnist()):
        snapshots.keep(state)
        if event.step >= until:
            break
    return [path.name for path in list_snapshots(folder)]


@given(num_steps=st.integers(1, 1_000_000), num_bytes=st.integers(1, 50_000_000))
def test_a_plan_has_both_ends_and_its_bounds(num_steps, num_bytes):
    steps = plan_steps(num_steps, num_bytes)
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, num_steps)
    assert len(steps) <= 40
    assert len(steps) == 2 or len(steps) * num_bytes <= 20_000_000


def test_a_plan_is_dense_where_a_network_learns_fastest():
    steps = plan_steps(4_000, 100_000)
    assert len(steps) == 40
    gaps = [after - before for before, after in itertools.pairwise(steps)]
    assert gaps == sorted(gaps)
    assert sum(step <= 400 for step in steps) > 10


def test_the_first_and_the_last_are_the_run_s_ends(tmp_path):
    state = TrainState(SMALL)
    first = {name: t.half().float() for name, t in state.copy_weights().items()}
    follow(state, tmp_path)
    paths = list_snapshots(tmp_path)
    assert [read_step(paths[0]), read_step(paths[-1])] == [0, state.num_steps]
    last = {name: t.half().float() for name, t in state.copy_weights().items()}
    for path, weights in ((paths[0], first), (paths[-1], last)):
        model = load_snapshot(path, SMALL)
        assert not model.training
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, weights[name])


def test_a_run_that_was_interrupted_has_those_of_one_that_was_not(tmp_path):
    whole = follow(TrainState(SMALL), tmp_path / "whole")
    follow(TrainState(SMALL), tmp_path / "parts", until=50)
    # Killed there, with an older checkpoint: training goes on from step 20.
    again = TrainState(SMALL)
    for event in train(again, load_mnist()):
        if event.step >= 20:
            break
    assert follow(again, tmp_path / "parts") == whole
    assert not list((tmp_path / "parts").glob("partial-*"))


def test_a_run_taken_step_by_step_has_no_more_of_them(tmp_path):
    state = TrainState(SMALL)
    snapshots = Snapshots(state, tmp_path)
    seen = []
    for event in train(state, load_mnist(), is_stepping=True):
        snapshots.keep(state, is_asked_for=True)
        seen.append(event.step)
        assert read_step(list_snapshots(tmp_path)[-1]) == event.step
    assert seen == list(range(1, state.num_steps + 1))
    assert len(list_snapshots(tmp_path)) <= 40


def test_a_damaged_one_is_named(tmp_path):
    follow(TrainState(SMALL), tmp_path, until=1)
    (path, *_) = list_snapshots(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=path.name):
        load_snapshot(path, SMALL)
