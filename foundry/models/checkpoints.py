"""Networks in folders of our own: written and read, without pickle."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from foundry.errors import ArtifactError
from foundry.models.networks import EfficientNetLite0, build_model, is_finite
from foundry.models.shipped import check_shipped

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

_PHOTOS = "efficientnet-lite0"


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """Give a new file to write, which takes another's place by one rename once it is whole.

    Args:
        path: The other, which stays as it is if the writing fails; then nothing is left of the new.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def save_model(model: nn.Module, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model's configuration and weights side by side, without pickle.

    Args:
        model: A network from `build_model()` or `load_model()`.
        folder: Made if missing; receives `config.json` and `model.safetensors`.
        dtype: How weights are stored; float16 halves the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The worker's networks are channels_last; safetensors stores rows in order. What is no fraction
    # counts batches, which only training does.
    weights = {
        name: tensor.detach().to(dtype).contiguous()
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
    config = json.dumps(model.config, indent=2, allow_nan=False, ensure_ascii=False)
    # A page may load them while a run replaces them, and a disk may be full.
    with replaced_whole(folder / CONFIG_FILE) as partial:
        partial.write_text(f"{config}\n", "utf-8")
    with replaced_whole(folder / WEIGHTS_FILE) as partial:
        save_file(weights, partial)


def read_model(folder: Path, device: torch.device) -> nn.Module:
    """Read what `save_model()` wrote, in evaluation mode.

    Args:
        folder: Has `config.json` and `model.safetensors`.
        device: Where the weights go.

    Raises:
        ArtifactError: If a file is missing or damaged, or the weights are not finite; the message
            names it.
    """
    try:
        check_shipped(folder / WEIGHTS_FILE)
        config = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
        model = _rebuild(**config)
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except FileNotFoundError as error:
        raise ArtifactError(f"{error.filename} is missing.") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ArtifactError(f"{folder / CONFIG_FILE} is damaged: {error}.") from None
    except (SafetensorError, RuntimeError):
        raise ArtifactError(
            f"{folder / WEIGHTS_FILE} is damaged or does not belong to the config beside it."
        ) from None
    if not is_finite(model.state_dict().values()):
        raise ArtifactError(
            f"The weights in {folder} are not finite numbers: their training diverged. Train anew "
            "at a lower learning rate."
        )
    return model.to(device).eval().requires_grad_(False)


def _rebuild(architecture: str, **config: Any) -> nn.Module:
    return (
        EfficientNetLite0(**config)
        if architecture == _PHOTOS
        else build_model(architecture, **config)
    )
