"""Run model.safetensors: `pip install torch safetensors numpy`, then `python load.py`."""

import json
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
    # LeNet pads its first convolution by 2; those of the CNN are padded by 1.
    is_lenet = json.loads((FOLDER / "config.json").read_text())["architecture"] == "lenet"
    paddings = {"conv1": 2, "conv2": 0} if is_lenet else {"conv1": 1, "conv2": 1}
    linear = [f"fc{number}" for number in (1, 2, 3) if f"fc{number}.weight" in weights]

    @torch.inference_mode()
    def run(images: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(images)
        for name, padding in paddings.items():
            x = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)
            x = F.relu(F.max_pool2d(x, 2))
        x = x.flatten(1)
        for name in linear:
            x = F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
            x = x if name == linear[-1] else F.relu(x)
        return x.numpy()

    return run


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
