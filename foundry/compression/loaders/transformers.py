"""Run model.safetensors: `pip install torch transformers numpy`, then `python load.py`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCTC, AutoModelForSequenceClassification

FOLDER = Path(__file__).parent


def load() -> Callable[..., np.ndarray]:
    """Return the model: input arrays by name -> logits."""
    kind = AutoConfig.from_pretrained(FOLDER).architectures[0]
    auto = AutoModelForCTC if kind.endswith("CTC") else AutoModelForSequenceClassification
    model = auto.from_pretrained(FOLDER, dtype=torch.float32).eval()

    @torch.inference_mode()
    def run(**inputs: np.ndarray) -> np.ndarray:
        return model(**{name: torch.from_numpy(a) for name, a in inputs.items()}).logits.numpy()

    return run


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
