import torch
from hypothesis import given
from hypothesis import strategies as st

from foundry.training.sharding import ALONE, Shard

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
    parameter.grad = torch.arange(3.0)
    assert ALONE.sum_gradients([parameter], 1.0, 0.25) == 0.25
    assert parameter.grad.tolist() == [0, 1, 2]
    assert ALONE.agree(1.5, 2.0) == (1.5, 2.0)
    assert ALONE.weight(7) == 1.0
    assert torch.arange(7)[ALONE.rows(7)].tolist() == list(range(7))
