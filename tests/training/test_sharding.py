import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foundry.training.sharding import ALONE, Learned, Shard, differentiate

sizes = st.tuples(st.integers(1, 40), st.integers(1, 9))


@given(sizes)
def test_every_row_is_one_workers(size):
    num_rows, world_size = size
    batch = torch.arange(num_rows)
    shards = [Shard(rank, world_size) for rank in range(world_size)]
    working = [shard for shard in shards if shard.weight(num_rows)]
    rows = torch.cat([batch[shard.rows(num_rows)] for shard in working])
    assert sorted(rows.tolist()) == batch.tolist()
    # Who has none is given one all the same, which counts for nothing.
    assert all(len(batch[shard.rows(num_rows)]) > 0 for shard in shards)


@given(sizes, st.integers(0, 2**32 - 1))
def test_the_weighted_mean_of_the_shares_is_that_of_the_batch(size, seed):
    num_rows, world_size = size
    losses = torch.rand(
        num_rows, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    shards = [Shard(rank, world_size) for rank in range(world_size)]
    total = sum(s.weight(num_rows) * losses[s.rows(num_rows)].mean() for s in shards)
    torch.testing.assert_close(total, losses.mean())


def test_alone_nothing_is_sent_or_changed():
    parameter = torch.nn.Parameter(torch.ones(3))
    assert ALONE.sum_gradients([parameter], [Learned(0.25, [torch.arange(3.0)])]) == 0.25
    assert parameter.grad.tolist() == [0, 1, 2]
    assert ALONE.agree(1.5, 2.0) == (1.5, 2.0)
    assert ALONE.weight(7) == 1.0
    assert torch.arange(7)[ALONE.rows(7)].tolist() == list(range(7))


@given(sizes, st.integers(1, 5))
def test_the_parts_of_a_share_are_that_share(size, num_parts):
    num_rows, world_size = size
    batch = torch.arange(num_rows)
    for rank in range(world_size):
        shard = Shard(rank, world_size)
        parts = [part for part in shard.split(num_parts) if part.weight(num_rows)]
        rows = torch.cat([batch[:0], *(batch[part.rows(num_rows)] for part in parts)])
        whole = batch[shard.rows(num_rows)] if shard.weight(num_rows) else batch[:0]
        assert sorted(rows.tolist()) == whole.tolist()
        assert sum(part.weight(num_rows) for part in parts) == pytest.approx(shard.weight(num_rows))


@given(st.integers(1, 20), st.integers(1, 6))
def test_the_gradients_of_the_parts_add_up_to_that_of_the_batch(num_rows, num_parts):
    draw = torch.Generator().manual_seed(num_rows)
    inputs = torch.rand(num_rows, 3, dtype=torch.float64, generator=draw)
    weights, unused = (torch.nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2))

    def loss(rows):
        return (inputs[rows] @ weights).square().mean()

    learned = [
        differentiate(
            loss(part.rows(num_rows)), loss(part.rows(num_rows)), part.weight(num_rows),
            [weights, unused],
        )
        for part in ALONE.split(num_parts)
    ]  # fmt: skip
    total = ALONE.sum_gradients([weights, unused], learned)
    whole = loss(slice(None))
    assert total == pytest.approx(whole.item())
    torch.testing.assert_close(weights.grad, torch.autograd.grad(whole, weights)[0])
    assert unused.grad is None


def test_a_gradient_lies_in_memory_as_its_parameter_does():
    parameter = torch.nn.Parameter(torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last))
    ALONE.sum_gradients([parameter], [Learned(0.0, [torch.ones(2, 3, 4, 4)])])
    assert parameter.grad.stride() == parameter.stride()
