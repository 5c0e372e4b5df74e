"""The shared model module: every model on every tab comes through `load_model()`."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from foundry.data import NUM_CLASSES
from foundry.errors import ArtifactError, InputError

WEIGHTS_DIR = Path(__file__).parent.parent / "weights"

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


class LeNet(nn.Module):
    """LeNet-5 for 28x28 digits: two convolutions, three linear layers, 61,706 parameters.

    Padding 2 in the first convolution makes 28x28 behave as the paper's 32x32, so that the second
    pool leaves 16x5x5. Differences from 1998: ReLU for tanh, max for average pooling, full
    connections between the convolutions, logits for the RBF output.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
    recognition, 1998, section II.
    """

    def __init__(
        self,
        channels: Sequence[int] = (6, 16),
        hidden_dims: Sequence[int] = (120, 84),
        dropout: float = 0.0,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 5x5 convolutions.
            hidden_dims: Neurons of the two hidden linear layers.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
        """
        super().__init__()
        self.config = {
            "architecture": "lenet",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=5)
        self.fc1 = nn.Linear(channels[1] * 5 * 5, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], hidden_dims[1])
        self.fc3 = nn.Linear(hidden_dims[1], NUM_CLASSES)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images, float32 (N, 1, 28, 28), to logits, float32 (N, 10)."""
        # ReLU and max-pooling commute; pooling first leaves ReLU a quarter of the elements.
        x = self.relu(self.pool(self.conv1(images)))  # (N, 6, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 16, 5, 5)
        x = x.flatten(1)
        x = self.dropout(self.relu(self.fc1(x)))
        x = self.dropout(self.relu(self.fc2(x)))
        return self.fc3(x)


class CNN(nn.Module):
    """The article's larger network with its flatten corrected: 1,592,326 parameters.

    Two pools leave 28 / 2 / 2 = 7, so the first linear layer reads 64x7x7, not 64x14x14.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64),
        hidden_dims: Sequence[int] = (500,),
        dropout: float = 0.0,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: Filters of the two 3x3 convolutions.
            hidden_dims: Neurons of the one hidden linear layer.
            dropout: Probability of dropping a hidden neuron while training, in [0, 1).
        """
        super().__init__()
        self.config = {
            "architecture": "cnn",
            "channels": list(channels),
            "hidden_dims": list(hidden_dims),
            "dropout": dropout,
        }
        self.conv1 = nn.Conv2d(1, channels[0], kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=3, padding=1)
        self.fc1 = nn.Linear(channels[1] * 7 * 7, hidden_dims[0])
        self.fc2 = nn.Linear(hidden_dims[0], NUM_CLASSES)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images, float32 (N, 1, 28, 28), to logits, float32 (N, 10)."""
        x = self.relu(self.pool(self.conv1(images)))  # (N, 32, 14, 14)
        x = self.relu(self.pool(self.conv2(x)))  # (N, 64, 7, 7)
        x = self.dropout(self.relu(self.fc1(x.flatten(1))))
        return self.fc2(x)


_ARCHITECTURES: dict[str, type[nn.Module]] = {"lenet": LeNet, "cnn": CNN}


@dataclass(frozen=True)
class ModelSpec:
    """A model that ships with the project.

    Attributes:
        name: What `load_model()` takes.
        title: What the page calls it.
        task: The tab it serves.
    """

    name: str
    title: str
    task: str


_MODELS = {spec.name: spec for spec in (ModelSpec("lenet", "LeNet (shipped)", "digits"),)}

_load_lock = threading.Lock()


def available_models() -> list[ModelSpec]:
    """Return the models that ship with the project."""
    return list(_MODELS.values())


def available_architectures() -> list[str]:
    """Return the architectures that can be trained here."""
    return list(_ARCHITECTURES)


def select_device(name: str = "auto") -> torch.device:
    """Choose where models run.

    Args:
        name: `auto` (a GPU when there is one), `cpu`, `cuda`, `cuda:1`, `mps` and so on.

    Raises:
        InputError: If torch does not know the device or the machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):
        raise InputError(
            f"Device “{name}” is not available here; use auto, cpu or a GPU that torch can see."
        ) from None
    return device


def build_model(architecture: str, **config: Any) -> nn.Module:
    """Build a network with random weights from torch's global generator.

    Args:
        architecture: One of `available_architectures()`.
        config: Widths and dropout as the architecture's constructor takes them.

    Raises:
        InputError: If there is no such architecture; the message lists those there are.
    """
    if architecture not in _ARCHITECTURES:
        raise InputError(
            f"There is no model “{architecture}” to train; "
            f"choose one of {', '.join(_ARCHITECTURES)}."
        )
    return _ARCHITECTURES[architecture](**config)


def save_model(model: nn.Module, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model's configuration and weights side by side, without pickle.

    Args:
        model: A network from `build_model()` or `load_model()`.
        folder: Made if missing; receives `config.json` and `model.safetensors`.
        dtype: How weights are stored; float16 halves the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The worker's networks are channels_last; safetensors stores rows in order.
    weights = {name: t.detach().to(dtype).contiguous() for name, t in model.state_dict().items()}
    (folder / CONFIG_FILE).write_text(json.dumps(model.config, indent=2) + "\n")
    # By one rename, because a page may load the weights while a run replaces them.
    partial = folder / f"{WEIGHTS_FILE}.partial"
    save_file(weights, partial)
    partial.replace(folder / WEIGHTS_FILE)


def _load_folder(folder: Path, device: torch.device) -> nn.Module:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text())
        model = build_model(config.pop("architecture"), **config)
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except FileNotFoundError as error:
        raise ArtifactError(f"{error.filename} is missing.") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ArtifactError(f"{folder / CONFIG_FILE} is damaged: {error}.") from None
    except (SafetensorError, RuntimeError):
        raise ArtifactError(
            f"{folder / WEIGHTS_FILE} is damaged or does not belong to the config beside it."
        ) from None
    return model.to(device).eval().requires_grad_(False)


@lru_cache(maxsize=16)
def _load_cached(folder: Path, device: torch.device, modified_ns: int) -> nn.Module:
    return _load_folder(folder, device)


def load_model(name: str | Path, device: torch.device | str = "cpu") -> nn.Module:
    """Load a model in evaluation mode; all callers share one read-only copy.

    Args:
        name: A name from `available_models()`, or the folder of a checkpoint made by
            `save_model()`.
        device: Where the weights go.

    Returns:
        The network; it takes float32 (N, 1, 28, 28) and gives logits (N, 10).

    Raises:
        InputError: If there is no such name; the message lists those there are.
        ArtifactError: If a file is missing or damaged; the message names it.
    """
    if isinstance(name, str) and name not in _MODELS:
        raise InputError(f"There is no model “{name}”; choose one of {', '.join(_MODELS)}.")
    folder = WEIGHTS_DIR / name
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.exists():
        raise ArtifactError(f"{weights_file} is missing.")
    with _load_lock:
        return _load_cached(folder, torch.device(device), weights_file.stat().st_mtime_ns)


def count_parameters(model: nn.Module) -> int:
    """Return the number of weights and biases."""
    return sum(parameter.numel() for parameter in model.parameters())
