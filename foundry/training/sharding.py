"""A share of every batch: what several threads or workers need to train as one would.

Each worker draws the whole batch's order, takes its share of the rows, and learns from the
gradients of all. Its threads do the same with their shares of its share.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Learned:
    """What a part of a batch gives.

    Attributes:
        loss: The one to report, times the weight of the part.
        gradients: Of the loss to descend, times the weight too; None for a parameter that it does
            not depend on.
    """

    loss: float
    gradients: Sequence[torch.Tensor | None]


def differentiate(
    loss: torch.Tensor, reported: torch.Tensor, weight: float, parameters: Sequence[nn.Parameter]
) -> Learned:
    """Take the gradients of a part; of several parts at once, if on several threads.

    Args:
        loss: The loss to descend, a mean over the part.
        reported: The loss to report, a mean too.
        weight: Of the part.
        parameters: What is learned.
    """
    # Not `backward()`, by which all parts would write to the same place.
    gradients = torch.autograd.grad(weight * loss, parameters, allow_unused=True)
    return Learned(weight * reported.item(), gradients)


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

    def split(self, num_parts: int) -> list["Shard"]:
        """Cut this worker's share into parts, each a share of the whole batch again.

        Args:
            num_parts: How many, at least 1.
        """
        return [
            Shard(self.rank + self.world_size * part, self.world_size * num_parts)
            for part in range(num_parts)
        ]

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

    def sum_gradients(self, parameters: Sequence[nn.Parameter], parts: Iterable[Learned]) -> float:
        """Replace every gradient by the sum over all parts of all workers, which all must call it.

        Args:
            parameters: In the same order everywhere. What no part has a gradient of is left
                without one.
            parts: Of this worker's share; added up in their order.

        Returns:
            The sum of the losses.
        """
        losses, gradients = zip(*((part.loss, part.gradients) for part in parts), strict=True)
        for parameter, *own in zip(parameters, *gradients, strict=True):
            parameter.grad = None
            for gradient in (one for one in own if one is not None):
                if parameter.grad is None:
                    # Its strides are the parameter's, on which a fused optimizer relies.
                    parameter.grad = torch.empty_like(parameter).copy_(gradient)
                else:
                    parameter.grad.add_(gradient)
        loss = sum(losses)
        return loss if self.world_size == 1 else self._sum_over_workers(parameters, loss)

    def _sum_over_workers(self, parameters: Sequence[nn.Parameter], loss: float) -> float:
        device = parameters[0].device
        # One message for all of it: most of a message's time is the waiting for it.
        heads = torch.tensor([loss, *(p.grad is not None for p in parameters)], device=device)
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        message = torch.cat([heads, *(gradient.reshape(-1) for gradient in own)])
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
