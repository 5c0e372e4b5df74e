"""Run model.xml with OpenVINO: `pip install openvino numpy`, then `python load.py`."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov

# OpenVINO's int8 kernels for tiles (AMX) of newer processors give wrong numbers, or crash, where an
# input's length may vary: https://github.com/openvinotoolkit/openvino/issues/37577.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI")

FOLDER = Path(__file__).parent


def load() -> Callable[..., np.ndarray]:
    """Return the model: input arrays by name -> logits."""
    # Without the hint what is not int8 may run in bfloat16, depending on the processor.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(FOLDER / "model.xml", "CPU", options)
    return lambda **inputs: compiled(inputs)["logits"]


if __name__ == "__main__":
    example = dict(np.load(FOLDER / "example.npz"))
    expected = example.pop("logits")
    difference = np.abs(load()(**example) - expected).max()
    print(f"largest difference from the logits that came with the model: {difference:.2g}")
