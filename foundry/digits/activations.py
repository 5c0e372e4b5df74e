"""Looking inside a digit model: what its convolutions see, and what they look for."""

import copy

import numpy as np
import torch
from torch import nn

from foundry.data import normalize
from foundry.models.runtime import on_narrow_thread


@on_narrow_thread
def compute_activations(model: nn.Module, image: np.ndarray) -> dict[str, np.ndarray]:
    """Run one image through a model and keep what every convolution answered.

    Args:
        model: A digit classifier.
        image: uint8, shape (28, 28), 255 = ink.

    Returns:
        For each convolution, by name and in order: float32 (channels, H, W) after ReLU.
    """
    # A copy of the module tree that shares the weights: other visitors use the model at the same
    # time, and a hook on the shared one would see their images too.
    own = copy.deepcopy(model, memo={id(tensor): tensor for tensor in model.parameters()})
    kept: dict[str, np.ndarray] = {}
    for name, module in own.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda _module, _inputs, output, name=name: kept.update(
                    {name: output[0].relu().cpu().numpy()}
                )
            )
    device = next(model.parameters()).device
    with torch.inference_mode():
        own(normalize(torch.from_numpy(image[None])).to(device))
    return kept


def first_layer_filters(model: nn.Module) -> np.ndarray:
    """Return the weights of the first convolution, float32 (filters, kernel, kernel)."""
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    return first.weight.detach()[:, 0].cpu().numpy()
