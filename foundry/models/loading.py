"""Loading every model on every tab, in any variant; shared by all who ask.

`load_model()` and `load_predictor()` open it to the networks of our own, for digits and photos,
`load_pretrained()` to what transformers reads: the shipped BERT and Wav2Vec2, and others' models
from a folder or the Hub.
"""

import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from foundry.errors import ArtifactError, InputError
from foundry.models.calibration import (
    SAMPLE_MAKERS,
    Calibration,
    describe_samples,
    digit_samples,
    photo_samples,
)
from foundry.models.checkpoints import WEIGHTS_FILE, read_model
from foundry.models.hub import OnProgress, resolve_model
from foundry.models.networks import EfficientNetLite0
from foundry.models.networks.efficientnet import fold_norms
from foundry.models.pretrained import Pretrained, first_words, load_folder, one_at_a_time
from foundry.models.remote import find_remote
from foundry.models.runtime import Predictor, TorchPredictor
from foundry.models.variants import (
    DENSE,
    VARIANTS,
    Variant,
    find_variant,
    list_variants,
    load_quantized,
)

WEIGHTS_DIR = Path(__file__).parents[2] / "weights"


@dataclass(frozen=True)
class ModelSpec:
    """A model that ships with the project.

    Attributes:
        name: What the load functions take, and the folder in `weights/`.
        title: What the page calls it.
        task: The tab it serves: `digits`, `photos`, `sentiment` or `speech`.
    """

    name: str
    title: str
    task: str


_MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec("lenet", "LeNet (shipped)", "digits"),
        ModelSpec("efficientnet-lite0", "EfficientNet-Lite0 (shipped)", "photos"),
        ModelSpec("bert-sentiment", "BERT, six layers (shipped)", "sentiment"),
        ModelSpec("wav2vec2-commands", "Wav2Vec2, digits and commands (shipped)", "speech"),
    )
}

_load_lock = threading.Lock()
# All callers share one.
_fold = lru_cache(maxsize=4)(fold_norms)
# The same one each time: what is measured of it is remembered by it.
_wrap = lru_cache(maxsize=16)(TorchPredictor)


def available_models(task: str) -> list[ModelSpec]:
    """Return the models that ship with the project for a task."""
    return [spec for spec in _MODELS.values() if spec.task == task]


@lru_cache(maxsize=16)
def _load_cached(folder: Path, device: torch.device, modified_ns: int) -> nn.Module:
    return read_model(folder, device)


def load_model(
    name: str | Path, device: torch.device | str = "cpu", variant: Variant = DENSE
) -> nn.Module:
    """Load a model in evaluation mode; all callers share one read-only copy.

    Args:
        name: A name from `available_models()`, or the folder of a checkpoint made by
            `save_model()`.
        device: Where the weights go.
        variant: Of an int8 one this is the float32 network that was quantized.

    Returns:
        The network: of digits from float32 (N, 1, 28, 28) to logits (N, 10), of photos from
        float32 (N, 3, 224, 224) to logits (N, classes).

    Raises:
        InputError: If there is no such name or variant; the message lists those there are.
        ArtifactError: If a file is missing or damaged, or the weights are not finite; the message
            names it.
    """
    folder = find_variant(str(name), _own_folder(name), variant)
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.exists():
        raise ArtifactError(f"{weights_file} is missing.")
    with _load_lock:
        return _load_cached(folder, torch.device(device), weights_file.stat().st_mtime_ns)


def load_predictor(
    name: str | Path,
    device: torch.device | str = "cpu",
    variant: Variant = DENSE,
    on_progress: OnProgress | None = None,
    is_here: bool = False,
    calibration: Calibration | None = None,
) -> Predictor:
    """Load what runs a model of digits or photos; all callers share it.

    Args:
        name: As `load_model()` takes it.
        device: Where it runs; int8 always runs on the CPU.
        variant: Which variant of it.
        on_progress: Called while int8 is built with the share done, in [0, 1], and a sentence.
        is_here: Whether it has to run in this process, as what is timed or exported has.
        calibration: Of an int8 network that did not learn MNIST: what it learned from.

    Returns:
        The call from images to logits, as those of `load_model()`, both on the CPU.

    Raises:
        InputError: As `load_model()` does.
        ArtifactError: As `load_model()` does.
    """
    if remote := None if is_here else find_remote(name, variant):
        return remote
    if not variant.is_quantized:
        model = load_model(name, device, variant)
        return _wrap(_fold(model) if isinstance(model, EfficientNetLite0) else model)
    model = load_model(name, "cpu", variant)
    folder = find_variant(str(name), _own_folder(name), variant)
    is_of_photos = isinstance(model, EfficientNetLite0)
    task, samples = ("photos", photo_samples) if is_of_photos else ("digits", digit_samples)
    calibration = calibration or Calibration(samples, describe_samples(task))
    return load_quantized(
        folder, task, lambda: load_model(name, "cpu", variant), calibration, on_progress
    )


def _own_folder(name: str | Path) -> Path:
    names = _names("digits") + _names("photos")
    if isinstance(name, str) and name not in names:
        raise InputError(f"There is no model “{name}”; choose one of {', '.join(names)}.")
    # A path is one from here, not from the weights.
    return WEIGHTS_DIR / name if isinstance(name, str) else name


def load_pretrained(
    name: str,
    task: str,
    on_progress: OnProgress | None = None,
    variant: Variant = DENSE,
    is_here: bool = False,
) -> Pretrained:
    """Load a transformers model; all callers share one read-only copy, loaded once.

    Args:
        name: A name from `available_models(task)`, a local folder or a Hub id.
        task: `photos`, `sentiment` or `speech`.
        on_progress: Called while files are downloaded, see `hub.resolve_model()`, and while int8 is
            built.
        variant: Which variant of it.
        is_here: Whether it has to run in this process.

    Returns:
        The model with its tokenizer or processor.

    Raises:
        InputError: If there is no such model, it has no safetensors, it is for another task, or it
            has no such variant.
        ArtifactError: If its files are damaged, missing, or cannot be downloaded.
    """
    if not isinstance(name, str) or not name.strip():
        names = ", ".join(_names(task))
        raise InputError(f"Name a model: one of {names}, a folder on this machine or a Hub id.")
    name = name.strip()
    with one_at_a_time(name):
        dense_folder = (
            WEIGHTS_DIR / name if name in _names(task) else resolve_model(name, on_progress)
        )
        folder = find_variant(name, dense_folder, variant)
        loaded = load_folder(name, task, folder)
    if variant != DENSE:
        loaded = replace(loaded, folder=dense_folder)
    if remote := None if is_here else find_remote(name, variant):
        return replace(loaded, compiled=remote)
    if not variant.is_quantized:
        return loaded
    calibration = Calibration(lambda: SAMPLE_MAKERS[task](loaded.processor), describe_samples(task))
    try:
        compiled = load_quantized(
            folder, task, lambda: load_folder(name, task, folder).model, calibration, on_progress
        )
    except Exception as error:  # What others' networks compute may not be known to OpenVINO.
        if name in _names(task):
            raise
        raise InputError(
            f"“{name}” cannot be made int8: {first_words(error)}. Choose another variant."
        ) from error
    return replace(loaded, compiled=compiled)


def available_variants(name: str | Path) -> list[str]:
    """Return the names of the variants that a model has.

    Args:
        name: A shipped model, a folder or a Hub id; what is not here yet is taken to have no pruned
            checkpoint, as nothing on the Hub has.
    """
    if isinstance(name, str):
        name = name.strip()
    if isinstance(name, str) and name in _MODELS:
        return list_variants(WEIGHTS_DIR / name)
    # A Hub id names no folder, so nothing lies beside it.
    return list_variants(Path(name or ""))


def check_variant(name: str | Path, variant: str) -> Variant:
    """Read a variant's name and refuse one that a model does not have.

    Args:
        name: The model's name.
        variant: What the visitor asked for.

    Raises:
        InputError: If there is no such variant; the message lists those there are.
    """
    there_are = available_variants(name)
    if variant not in there_are:
        is_known = isinstance(variant, str) and variant in VARIANTS
        reason = " (no pruned checkpoint comes with it)" if is_known else ""
        name = "This run" if isinstance(name, Path) else f"“{name}”"
        raise InputError(
            f"{name} has no variant “{variant}”{reason}; choose one of {', '.join(there_are)}."
        )
    return VARIANTS[variant]


def _names(task: str) -> list[str]:
    return [spec.name for spec in available_models(task)]
