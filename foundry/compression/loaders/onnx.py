"""Run model.onnx with ONNX Runtime: `pip install onnxruntime numpy`, then `python load.py`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

FOLDER = Path(__file__).parent


def load() -> Callable[..., np.ndarray]:
    """Return the model: input arrays by name -> logits."""
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx")
    return lambda **inputs: session.run(["logits"], inputs)[0]


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
