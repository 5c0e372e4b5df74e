"""Structured pruning of transformers: layers and channels are taken out, nothing is masked."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import torch
import torch_pruning
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from foundry.compression.measurement.timing import compare, time_rounds

TIMING_S = 20.0


def choose_layers(
    layers: nn.ModuleList, num_kept: int, measure: Callable[[], float]
) -> tuple[int, ...]:
    """Find the layers that a network can best do with alone, by trying every choice.

    Args:
        layers: Its layers; changed while trying, put back at the end.
        num_kept: How many to keep, from 1 to all of them.
        measure: How much is lost by what `layers` holds at that moment; less is better.

    Returns:
        The numbers of the layers to keep, in order.
    """
    every = list(layers)
    losses = {}
    for kept in combinations(range(len(every)), num_kept):
        keep_layers(layers, kept)
        losses[kept] = measure()
        del layers[:]
        layers.extend(every)
    return min(losses, key=losses.__getitem__)


def keep_layers(layers: nn.ModuleList, kept: Sequence[int]) -> None:
    """Take all other layers out.

    Args:
        layers: Changed in place.
        kept: Numbers of the layers that stay, in order.
    """
    staying = [layers[number] for number in kept]
    del layers[:]
    layers.extend(staying)


def score_channels(
    consumers: Sequence[nn.Linear | nn.Conv1d],
    batches: Iterable[Any],
    compute: Callable[[Any], Tensor],
) -> list[Tensor]:
    """Estimate how much each channel moves what a network answers.

    To first order, a channel that falls silent moves a scalar by the sum over positions of
    activation times gradient. Its size is taken for each example and summed over the examples.

    Args:
        consumers: Ungrouped layers; the channels are those of their inputs.
        batches: What `compute` takes, one after another.
        compute: Runs the network on a batch, giving a scalar that is a sum over its examples.

    Returns:
        For each consumer float32 scores (channels,); 0 for a channel that moves nothing.

    Source:
        Molchanov et al. 2017, Pruning Convolutional Neural Networks for Resource Efficient
        Inference, section 2.2.
    """
    scores = [torch.zeros(consumer.weight.shape[1]) for consumer in consumers]
    inputs: dict[int, Tensor] = {}

    def watch(index: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def keep_input(_: nn.Module, args: tuple[Tensor, ...]) -> None:
            inputs[index] = args[0]

        return keep_input

    handles = [
        consumer.register_forward_pre_hook(watch(index)) for index, consumer in enumerate(consumers)
    ]
    try:
        for batch in batches:
            gradients = torch.autograd.grad(compute(batch), [inputs[i] for i in range(len(scores))])
            for index, gradient in enumerate(gradients):
                moved = (inputs[index] * gradient).detach().float()
                positions = 2 if isinstance(consumers[index], nn.Conv1d) else 1
                scores[index] += moved.sum(dim=positions).abs().sum(dim=0)
    finally:
        for handle in handles:
            handle.remove()
    return scores


def narrow(
    model: nn.Module,
    example_input: Tensor,
    scores: Mapping[nn.Module, Tensor],
    width: int,
) -> None:
    """Take the output channels with the lowest scores out, and all that belongs to them.

    Args:
        model: Changed in place; what the channels pass through is found by its dependency graph.
        example_input: What the model can be called with.
        scores: For `nn.Linear` or `nn.Conv1d` modules of the model, scores of its output channels.
        width: Channels that stay in each of them, at least 1.

    Source:
        Fang et al. 2023, DepGraph: Towards Any Structural Pruning.
    """
    with warnings.catch_warnings():
        # Of parameters outside of layers, such as Wav2Vec2's mask, which no channel here touches.
        warnings.filterwarnings("ignore", "Unwrapped parameters")
        graph = torch_pruning.DependencyGraph().build_dependency(model, example_input)
    for module, of_channel in scores.items():
        if width >= len(of_channel):
            continue
        remove = (
            torch_pruning.prune_conv_out_channels
            if isinstance(module, nn.Conv1d)
            else torch_pruning.prune_linear_out_channels
        )
        lowest = of_channel.argsort()[: len(of_channel) - width].tolist()
        graph.get_pruning_group(module, remove, lowest).prune()


def count_flops(model: nn.Module, *inputs: Tensor, part: str = "") -> int:
    """Count the arithmetic of a model.

    Args:
        model: In evaluation mode; its attention must be made of plain matrix products
            (`attn_implementation="eager"`), since fused ones are not counted.
        inputs: What the model is called with.
        part: Name of a submodule, to count that alone; empty counts the whole.

    Returns:
        Floating-point operations of its convolutions and matrix products, a multiplication and an
        addition being two.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    module = f"{type(model).__name__}.{part}" if part else "Global"
    return sum(counter.get_flop_counts()[module].values())


def measure_speedup(dense: nn.Module, pruned: nn.Module, example_input: Tensor) -> float:
    """Time two models in turn on the same input.

    Args:
        dense: In evaluation mode.
        pruned: In evaluation mode.
        example_input: What both are called with.

    Returns:
        The median over the rounds of the dense model's time by the pruned one's, in PyTorch.
    """
    calls = {"dense": partial(dense, example_input), "pruned": partial(pruned, example_input)}
    with torch.inference_mode():
        return compare(list(time_rounds(calls, TIMING_S)), "dense")["pruned"].speedup
