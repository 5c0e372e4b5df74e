"""Pruning the networks that are trained here: structured, which pays, and masked, which does not.

Both return copies; the network that is given is never modified.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch_pruning as tp
from torch import nn
from torch.nn.utils import prune as masks

from foundry.compression.measurement.footprint import LayerChange
from foundry.data import IMAGE_SIZE
from foundry.errors import InputError
from foundry.models.networks import CNN, LeNet
from foundry.training.sharding import ALONE, Learned, Shard, differentiate
from foundry.training.step import cut_batches
from foundry.training.threads import Threads

# How much may be removed from a layer: something has to be left of each.
MAX_RATIO = 0.95
# Of the others what a neuron does runs through every row or patch.
PRUNED_ARCHITECTURES = ("lenet", "cnn")
GLOBAL, PER_LAYER = "global", "per layer"
SCOPES = (GLOBAL, PER_LAYER)


@dataclass(frozen=True)
class Compressed:
    """A compressed copy of a network.

    Attributes:
        model: The copy, in evaluation mode.
        changes: What became of each layer, in order; those left alone say why.
        ranked: Of pruning, the layers that can lose something, in order.
    """

    model: nn.Module
    changes: tuple[LayerChange, ...]
    ranked: tuple["RankedLayer", ...] = ()


@dataclass(frozen=True)
class RankedLayer:
    """By what the channels or neurons to be removed were chosen.

    Attributes:
        layer: Its name.
        scores: Of each channel or neuron, at least 0; not comparable between layers.
        removed: Which are removed, from 0, in order: those of the lowest scores.
    """

    layer: str
    scores: tuple[float, ...]
    removed: tuple[int, ...]


def rank_channels(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Tell how much each channel and neuron matters, before any is removed.

    The first-order Taylor estimate of what the loss would change by without it, summed over its
    weights: weight times gradient.

    Args:
        model: A digit classifier; not modified.
        images: float32 (N, 1, 28, 28), normalised.
        labels: int64 (N,).

    Returns:
        By layer: float32 (channels or neurons,), at least 0; not comparable between layers.

    Source: Molchanov et al., Importance Estimation for Neural Network Pruning, 2019.
    """
    own = _with_gradients(model, images, labels)
    scores = {}
    for name, layer in _layers(own):
        assert layer.weight.grad is not None and layer.bias.grad is not None
        per_weight = (layer.weight * layer.weight.grad).flatten(1).sum(1)
        scores[name] = (per_weight + layer.bias * layer.bias.grad).detach().abs()
    return scores


def prune(
    model: nn.Module,
    pruning_ratio: float | Mapping[str, float],
    images: torch.Tensor | None = None,
    labels: torch.Tensor | None = None,
) -> Compressed:
    """Remove whole channels and neurons, and with them what the next layer did to them.

    A ratio p in every layer leaves about (1 - p)^2 of the parameters: each loses inputs as well.

    Args:
        model: A LeNet or CNN; not modified.
        pruning_ratio: Share of channels and neurons removed from every layer but the last, in
            [0, 0.95], or such a share by layer name (0 for those not named).
        images: float32 (N, 1, 28, 28), normalised: importance is judged by their gradients. None
            judges by the size of the weights alone.
        labels: int64 (N,); with `images`.

    Returns:
        An ordinary smaller network, whose `config` states its widths. It needs fine-tuning.

    Raises:
        InputError: If the network is of another kind, or a ratio out of range or for no layer.
    """
    if not isinstance(model, LeNet | CNN):
        raise InputError("Only LeNet and CNN are pruned here; set pruning_ratio to 0.")
    by_layer = _check_ratios(model, pruning_ratio)
    if images is not None and labels is not None:
        own, importance = _with_gradients(model, images, labels), tp.importance.TaylorImportance()
    else:
        own, importance = copy.deepcopy(model), tp.importance.MagnitudeImportance(p=2)
    own.eval().requires_grad_(True)
    layers = dict(_layers(own))
    pruner = tp.pruner.BasePruner(
        own,
        torch.zeros(1, 1, IMAGE_SIZE, IMAGE_SIZE, device=next(own.parameters()).device),
        importance=importance,
        pruning_ratio=0.0,
        pruning_ratio_dict={
            layers[name]: min(ratio, _largest_ratio(layers[name]))
            for name, ratio in by_layer.items()
            if ratio
        },
        ignored_layers=[layers[_last(model)]],
    )
    # The library ranks all layers before it removes anything.
    scores = {name: _score(pruner, layers[name]) for name in by_layer}
    removed: dict[str, tuple[int, ...]] = {}
    names = {layer: name for name, layer in layers.items()}
    for group in pruner.step(interactive=True):
        removed[names[group[0].dep.target.module]] = tuple(sorted(group[0].idxs))
        group.prune()
    ranked = tuple(RankedLayer(name, scores[name], removed.get(name, ())) for name in by_layer)
    smaller = _rebuild(own, model.config)
    return Compressed(smaller, tuple(_describe(model, smaller, by_layer)), ranked)


def mask(model: nn.Module, sparsity: float, scope: str = GLOBAL) -> Compressed:
    """Set the smallest weights to zero: unstructured pruning, neither smaller nor faster.

    Args:
        model: A LeNet; not modified.
        sparsity: Share of weights set to zero, in [0, 1]; biases are kept.
        scope: `global` ranks the weights of all layers together, `per layer` each for itself.

    Raises:
        InputError: If the network is no LeNet, the sparsity out of range or the scope unknown.
    """
    if not isinstance(model, LeNet):
        raise InputError("Masks are shown on LeNet only.")
    if not 0 <= sparsity <= 1:
        raise InputError(f"sparsity is {sparsity}; a number from 0 to 1 is accepted.")
    if scope not in SCOPES:
        raise InputError(f"There is no scope “{scope}”; choose one of {', '.join(SCOPES)}.")
    own = copy.deepcopy(model).eval()
    targets = [(layer, "weight") for _, layer in _layers(own)]
    if scope == GLOBAL:
        masks.global_unstructured(targets, pruning_method=masks.L1Unstructured, amount=sparsity)
    else:
        for layer, name in targets:
            masks.l1_unstructured(layer, name, amount=sparsity)
    changes = []
    for name, layer in _layers(own):
        masks.remove(layer, "weight")
        zeros = 1 - int(layer.weight.count_nonzero()) / layer.weight.numel()
        note = f"{zeros:.0%} of its weights are zero; its shape and its cost are as before"
        changes.append(LayerChange(name, zeros > 0, note))
    return Compressed(own.requires_grad_(False), tuple(changes))


def _layers(model: nn.Module) -> list[tuple[str, Any]]:
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]


def _last(model: nn.Module) -> str:
    return _layers(model)[-1][0]


def prunable_layers(model: nn.Module) -> list[str]:
    """Return the layers that can lose channels or neurons: of a LeNet or CNN all but the last."""
    return [name for name, _ in _layers(model)][:-1] if isinstance(model, LeNet | CNN) else []


def _largest_ratio(layer: Any) -> float:
    # One channel has to stay; a little less than that, because the library rounds down what does.
    num_channels = layer.weight.shape[0]
    return max(0.0, (num_channels - 1) / num_channels - 1e-6)


def _score(pruner: tp.pruner.BasePruner, layer: Any) -> tuple[float, ...]:
    is_convolution = isinstance(layer, nn.Conv2d)
    remove = tp.prune_conv_out_channels if is_convolution else tp.prune_linear_out_channels
    everything = list(range(layer.weight.shape[0]))
    group = pruner.DG.get_pruning_group(layer, remove, everything)
    return tuple(pruner.estimate_importance(group).tolist())


def _check_ratios(model: nn.Module, pruning_ratio: float | Mapping[str, float]) -> dict[str, float]:
    names = prunable_layers(model)
    if isinstance(pruning_ratio, Mapping):
        if unknown := sorted(set(pruning_ratio) - set(names)):
            raise InputError(f"“{unknown[0]}” cannot be pruned; choose from {', '.join(names)}.")
        by_layer = {name: float(pruning_ratio.get(name, 0.0)) for name in names}
    else:
        by_layer = dict.fromkeys(names, pruning_ratio)
    for ratio in by_layer.values():
        # NaN compares as false with everything, so it is refused here too.
        if isinstance(ratio, bool) or not 0 <= ratio <= MAX_RATIO:
            raise InputError(
                f"pruning_ratio is {ratio}; a number from 0 to {MAX_RATIO} is accepted."
            )
    return by_layer


def _with_gradients(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    # In evaluation mode: dropout would judge by chance.
    own = copy.deepcopy(model).eval().requires_grad_(True)
    parameters = list(own.parameters())

    def judge(part: Shard) -> Learned:
        rows = part.rows(len(images))
        loss = nn.functional.cross_entropy(own(images[rows]), labels[rows])
        return differentiate(loss, loss, part.weight(len(images)), parameters)

    parts = cut_batches(images.device, ALONE)
    with Threads(len(parts), images.device) as threads:
        ALONE.sum_gradients(parameters, threads.map(judge, parts))
    return own


def _rebuild(pruned: nn.Module, config: Mapping[str, Any]) -> nn.Module:
    """Build a network whose constructor was given the widths that are left."""
    widths = [
        layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features
        for _, layer in _layers(pruned)
    ]
    num_convolutions = len(config["channels"])
    smaller: nn.Module = type(pruned)(
        channels=widths[:num_convolutions],
        hidden_dims=widths[num_convolutions:-1],
        dropout=config["dropout"],
        **{name: config[name] for name in ("classes",) if name in config},
    )
    smaller.load_state_dict(pruned.state_dict())
    return smaller.eval().requires_grad_(False)


def _describe(
    before: nn.Module, after: nn.Module, by_layer: Mapping[str, float]
) -> list[LayerChange]:
    smaller, changes = dict(_layers(after)), []
    for name, layer in _layers(before):
        now = smaller[name]
        noun = "channels" if isinstance(layer, nn.Conv2d) else "neurons"
        inputs, outputs = layer.weight.shape[1], layer.weight.shape[0]
        notes = []
        if now.weight.shape[0] != outputs:
            notes.append(f"{outputs} → {now.weight.shape[0]} {noun}")
        elif name == _last(before):
            notes.append(f"its {outputs} outputs are the classes")
        elif not by_layer[name]:
            notes.append("its ratio is 0")
        else:
            notes.append(f"the ratio removes less than one of its {outputs} {noun}")
        if now.weight.shape[1] != inputs:
            notes.append(f"{inputs} → {now.weight.shape[1]} inputs")
        changes.append(LayerChange(name, now.weight.shape != layer.weight.shape, "; ".join(notes)))
    return changes
