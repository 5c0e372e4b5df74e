"""Run model.safetensors: `pip install torch safetensors numpy`, then `python load.py`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

FOLDER = Path(__file__).parent


def load() -> Callable[..., np.ndarray]:
    """Return the model: images, float32 (N, 1, 28, 28) -> logits.

    A pixel p of 0 to 255, 255 for ink, goes in as (p / 255 - 0.1307) / 0.3081.
    """
    weights = load_file(FOLDER / "model.safetensors")
    num_heads, size, across = 4, 7, 4

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    @torch.inference_mode()
    def run(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(images).reshape(-1, across, size, across, size)
        patches = pixels.transpose(2, 3).reshape(-1, across**2, size**2)
        x = linear("embed", patches) + weights["position"]
        number = 0
        while (layer := f"layers.{number}") + ".fc1.weight" in weights:
            three = linear(f"{layer}.attention.qkv", norm(f"{layer}.norm1", x)).chunk(3, dim=-1)
            query, key, value = (
                one.unflatten(-1, (num_heads, -1)).transpose(1, 2) for one in three
            )
            taken = F.scaled_dot_product_attention(query, key, value)
            x = x + linear(f"{layer}.attention.out", taken.transpose(1, 2).flatten(2))
            hidden = F.gelu(linear(f"{layer}.fc1", norm(f"{layer}.norm2", x)))
            x = x + linear(f"{layer}.fc2", hidden)
            number += 1
        return linear("fc", norm("norm", x).mean(1)).numpy()

    return run


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
