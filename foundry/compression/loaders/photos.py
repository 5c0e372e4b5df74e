"""Run model.safetensors: `pip install torch safetensors numpy`, then `python load.py`."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

FOLDER = Path(__file__).parent
# Of each stage: blocks, and the stride of its first one.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))


def load() -> Callable[..., np.ndarray]:
    """Return the model: pixel_values, float32 (N, 3, 224, 224) -> logits.

    A picture's shorter side is made 256 long, bicubic; of the middle, 224 by 224, a value p of 0 to
    255 goes in as p / 127.5 - 1. The classes are in config.json.
    """
    weights = load_file(FOLDER / "model.safetensors")

    def convolve(name: str, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        # Where a side is padded by itself, the padding stands before the convolution.
        place = 0 if f"{name}.0.weight" in weights else 1
        kernel = weights[f"{name}.{place}.weight"]
        reach = kernel.shape[-1] - stride
        before, after = reach // 2, reach - reach // 2
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        x = F.conv2d(F.pad(x, (before, after, before, after)), kernel, None, stride, groups=groups)
        norm = f"{name}.{place + 1}"
        mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
        scale, shift = weights[f"{norm}.weight"], weights[f"{norm}.bias"]
        return F.batch_norm(x, mean, variance, scale, shift, eps=1e-3)

    @torch.inference_mode()
    def run(pixel_values: np.ndarray) -> np.ndarray:
        x = F.relu6(convolve("stem", torch.from_numpy(pixel_values), stride=2))
        strides = itertools.chain.from_iterable(
            (first, *[1] * (blocks - 1)) for blocks, first in STAGES
        )
        for number, stride in enumerate(strides):
            block = f"blocks.{number}.layers"
            is_wider = any(key.startswith(f"{block}.2.") for key in weights)
            wide = F.relu6(convolve(f"{block}.0", x)) if is_wider else x
            wide = F.relu6(convolve(f"{block}.{int(is_wider)}", wide, stride))
            narrow = convolve(f"{block}.{1 + is_wider}", wide)
            x = x + narrow if x.shape == narrow.shape else narrow
        features = F.relu6(convolve("head", x)).mean((2, 3))
        return F.linear(features, weights["classifier.weight"], weights["classifier.bias"]).numpy()

    return run


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
