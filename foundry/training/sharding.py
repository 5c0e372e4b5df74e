"""A share of every batch: what several workers need to train as one would.

Each worker draws the whole batch's order, takes its share of the rows, and learns from the
gradients of all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Shard:
    """Which of the workers this process is; alone unless told otherwise.

    Several of them need torch's process group to be up.

    Attributes:
        rank: From 0 to one less than `world_size`.
        world_size: Workers in all, at least 1.
    """

    rank: int = 0
    world_size: int = 1

    def rows(self, num_rows: int) -> slice:
        """Say which rows of a batch are this worker's.

        Args:
            num_rows: Rows of the whole batch, at least 1.

        Returns:
            Every `world_size`-th row; the first one if there are fewer rows than workers, since no
            network takes an empty batch. `weight` is 0 then.
        """
        return slice(self.rank, None, self.world_size) if self.rank < num_rows else slice(1)

    def weight(self, num_rows: int) -> float:
        """Give this worker's share of a batch, in [0, 1]; those of all workers add up to 1.

        Args:
            num_rows: Rows of the whole batch, at least 1.
        """
        return len(range(self.rank, num_rows, self.world_size)) / num_rows

    def sum_gradients(
        self, parameters: Iterable[nn.Parameter], weight: float, loss: float
    ) -> float:
        """Replace every gradient by the weighted sum over the workers; all must call it.

        Args:
            parameters: In the same order everywhere. What no worker has a gradient of is left
                without one.
            weight: What this worker's count for; 1 in all.
            loss: This worker's.

        Returns:
            The weighted sum of the losses.
        """
        if self.world_size == 1:
            return loss
        parameters = list(parameters)
        device = parameters[0].device
        # One message for all of it: most of a message's time is the waiting for it.
        heads = torch.tensor([loss, *(p.grad is not None for p in parameters)], device=device)
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        message = torch.cat([heads, *(gradient.reshape(-1) for gradient in own)]).mul_(weight)
        torch.distributed.all_reduce(message)
        summed, *sums = message.split([len(heads), *(gradient.numel() for gradient in own)])
        total, *has_gradient = summed.tolist()
        for parameter, gradient, known, values in zip(
            parameters, own, has_gradient, sums, strict=True
        ):
            # Copied into the old one, whose strides a fused optimizer relies on.
            parameter.grad = gradient.copy_(values.view_as(gradient)) if known else None
        return float(total)

    def agree(self, *values: float) -> Sequence[float]:
        """Give every worker the first one's numbers, for what all must decide alike.

        Args:
            values: This worker's; of the same count everywhere.
        """
        if self.world_size == 1:
            return values
        device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
        message = torch.tensor(values, dtype=torch.float64, device=device)
        torch.distributed.broadcast(message, src=0)
        agreed: list[float] = message.tolist()
        return agreed


ALONE = Shard()
