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

    @torch.inference_mode()
    def run(images: np.ndarray) -> np.ndarray:
        rows = F.linear(
            torch.from_numpy(images)[:, 0], weights["input.weight"], weights["input.bias"]
        )
        state = memory = torch.zeros(len(images), weights["recurrent.weight"].shape[1])
        for row in rows.unbind(1):
            gates = row + F.linear(state, weights["recurrent.weight"])
            enter, keep, leave, new = gates.chunk(4, dim=1)
            memory = keep.sigmoid() * memory + enter.sigmoid() * new.tanh()
            state = leave.sigmoid() * memory.tanh()
        return F.linear(state, weights["fc.weight"], weights["fc.bias"]).numpy()

    return run


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
