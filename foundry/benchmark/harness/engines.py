"""Ways of running a model that variants are measured beside."""

import copy
from pathlib import Path

import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from foundry.models.quantization import Signature
from foundry.models.runtime import Predictor, TorchPredictor


class OnnxPredictor:
    """An ONNX file in ONNX Runtime, with as many threads as PyTorch uses."""

    def __init__(self, path: Path, signature: Signature) -> None:
        """Open the file.

        Args:
            path: Its inputs are named as in the signature.
            signature: Its inputs.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Its threads would go on spinning after a call and take the cores from whoever is next:
        # PyTorch on one image then took 56 ms in place of 0.3.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options)
        self._names = signature.names

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the logits, float32."""
        arrays = {name: t.numpy() for name, t in zip(self._names, inputs, strict=True)}
        return torch.from_numpy(self._session.run(["logits"], arrays)[0])


def quantize_by_onnxruntime(path: Path) -> Path:
    """Quantize an ONNX file as its runtime's documentation says: weights ahead, the rest on the go.

    Args:
        path: A float32 model.

    Returns:
        The int8 file beside it.
    """
    quantized = path.with_name("dynamic-int8.onnx")
    # Convolutions are left out: their dynamic int8 form is slower than float32, and not everywhere
    # there at all.
    quantize_dynamic(
        path, quantized, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8
    )
    return quantized


def run_in_bfloat16(model: nn.Module) -> Predictor:
    """Return a copy of a network that computes in bfloat16.

    Args:
        model: Not modified.
    """
    halved = TorchPredictor(copy.deepcopy(model).bfloat16())

    def predict(*inputs: Tensor) -> Tensor:
        return halved(*(t.bfloat16() if t.is_floating_point() else t for t in inputs))

    return predict
