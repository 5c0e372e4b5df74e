"""Looking inside a digit model: what its layers answer, and what they look for."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from foundry.data import normalize
from foundry.errors import InputError
from foundry.models.networks import CNN, LSTM, LeNet, Transformer
from foundry.models.runtime import copy_structure, on_narrow_thread


@dataclass(frozen=True)
class Layer:
    """A convolution, or a layer of neurons that read all there is.

    Attributes:
        name: Its name in the network.
        weight: float32 (channels, input channels, K, K), or (neurons, inputs).
        bias: float32 (channels or neurons,).
        padding: Squares of zeros around its input; 0 of a linear layer.
    """

    name: str
    weight: np.ndarray
    bias: np.ndarray
    padding: int

    @property
    def is_convolution(self) -> bool:
        """Whether it moves one kernel over all of its input; what it gives is then pooled."""
        return self.weight.ndim == 4


@on_narrow_thread
def compute_outputs(model: nn.Module, image: np.ndarray) -> dict[str, np.ndarray]:
    """Run one image through a model and keep what every layer with weights answered.

    Args:
        model: A digit classifier.
        image: uint8, shape (28, 28), 255 = ink.

    Returns:
        For each convolution and linear layer, by name and in order, what it gives before ReLU:
        float32 (channels, H, W) or (neurons,).
    """
    own = copy_structure(model)
    kept: dict[str, np.ndarray] = {}
    for name, module in own.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(
                lambda _module, _inputs, output, name=name: kept.update(
                    {name: output[0].cpu().numpy()}
                )
            )
    with torch.inference_mode():
        own(_to_input(model, image))
    return kept


def compute_activations(model: nn.Module, image: np.ndarray) -> dict[str, np.ndarray]:
    """Run one image through a model and keep what every convolution answered.

    Args:
        model: A digit classifier.
        image: uint8, shape (28, 28), 255 = ink.

    Returns:
        For each convolution, by name and in order: float32 (channels, H, W) after ReLU.
    """
    outputs = compute_outputs(model, image)
    return {name: maps.clip(min=0) for name, maps in outputs.items() if maps.ndim == 3}


@on_narrow_thread
def compute_beliefs(model: LSTM, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Let a network that reads row by row say what it holds and believes after each row.

    Args:
        model: The network.
        image: uint8, shape (28, 28), 255 = ink.

    Returns:
        Its states, float32 (28, neurons), and the probabilities of the digits, float32 (28, 10), as
        if the picture ended there.
    """
    with torch.inference_mode():
        states, logits = model.read_rows(_to_input(model, image))
    return states[0].cpu().numpy(), logits[0].softmax(dim=1).cpu().numpy()


@on_narrow_thread
def compute_attention(model: Transformer, image: np.ndarray) -> np.ndarray:
    """Return how much each patch of a picture takes from each.

    Args:
        model: The network.
        image: uint8, shape (28, 28), 255 = ink.

    Returns:
        Float32 (layers, heads, patches, patches): each row is one patch's, and sums to 1.
    """
    with torch.inference_mode():
        return model.attend(_to_input(model, image))[0].cpu().numpy()


def list_layers(model: nn.Module) -> list[Layer]:
    """Return the layers of a network, in the order in which they compute.

    After a convolution the largest of every 2x2 squares goes on, and after every layer but the last
    what is below 0 becomes 0.

    Args:
        model: A digit classifier.

    Raises:
        InputError: If it is not built like that.
    """
    if not isinstance(model, LeNet | CNN):
        raise InputError("This network has no convolutions to press; choose a LeNet or a CNN.")
    return [
        Layer(
            name,
            module.weight.detach().float().cpu().numpy(),
            module.bias.detach().float().cpu().numpy(),
            int(module.padding[0]) if isinstance(module, nn.Conv2d) else 0,
        )
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None
    ]


def fingerprint(layers: list[Layer]) -> str:
    """Return a name of the weights: others have another."""
    weights = hashlib.blake2b(digest_size=8)
    for layer in layers:
        weights.update(layer.weight.tobytes())
        weights.update(layer.bias.tobytes())
    return weights.hexdigest()


def first_layer_filters(model: nn.Module) -> np.ndarray:
    """Return what the first layer multiplies pixels by, float32 (filters, height, width).

    A filter of a convolution is its kernel, one of a Transformer reads a patch, and one of an LSTM
    a row: once for each of its three gates, and once for what is new.
    """
    if isinstance(model, Transformer):
        side = model.PATCH_SIZE
        filters = model.embed.weight.view(-1, side, side)
    elif isinstance(model, LSTM):
        filters = model.input.weight.unflatten(0, (4, -1)).transpose(0, 1)
    else:
        first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
        filters = first.weight[:, 0]
    return filters.detach().cpu().numpy()


def _to_input(model: nn.Module, image: np.ndarray) -> torch.Tensor:
    device = next(model.parameters()).device
    return normalize(torch.from_numpy(image[None])).to(device)
