"""Variants: what one is, which ones a model has, and int8, built once and kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from weakref import WeakValueDictionary

from torch import nn

from foundry.errors import InputError
from foundry.models.cache import load_or_build
from foundry.models.calibration import Calibration
from foundry.models.quantization import OnProgress, Signature, quantize
from foundry.models.runtime import OpenVinoPredictor
from foundry.models.shipped import hash_file

FLOAT_BITS, INT8_BITS = 32, 8

SIGNATURES = {
    "digits": Signature(("images",), ((-1, 1, 28, 28),), is_transformer=False, kept={}),
    "photos": Signature(("pixel_values",), ((-1, 3, -1, -1),), is_transformer=False, kept={}),
    "sentiment": Signature(
        ("input_ids", "attention_mask"), ((-1, -1), (-1, -1)), is_transformer=True, kept={}
    ),
    "speech": Signature(
        ("input_values",),
        ((-1, -1),),
        is_transformer=True,
        kept={
            r".*feature_extractor\.conv_layers\.0\..*": "float32: it takes the sound apart into "
            "bands, and int8 here costs half a point of word errors for a tenth of the time"
        },
    ),
}
# What an int8 model is made by; another version of any may make another one.
MAKERS = ("torch", "transformers", "openvino", "nncf")
# Counted up when the same files are made into another int8 model.
_RECIPE = 3
_NUM_KEPT = 8

# Guards the collections below, and is held for no longer than a look into them.
_guard = threading.Lock()
_locks: WeakValueDictionary[tuple[object, ...], threading.Lock] = WeakValueDictionary()
# Longest unused first: folder, task and version of the files -> what was compiled from them.
_kept: OrderedDict[tuple[object, ...], OpenVinoPredictor] = OrderedDict()


@dataclass(frozen=True)
class Variant:
    """Which variant of a model runs.

    Attributes:
        is_pruned: Whether channels, neurons, heads or layers were removed. How many of which is
            stated by the pruned checkpoint's own configuration: no single ratio describes it.
        weight_bits: 32 for float32, 8 for int8 weights and activations.
    """

    is_pruned: bool = False
    weight_bits: int = FLOAT_BITS

    @property
    def is_quantized(self) -> bool:
        """Whether weights and activations are int8."""
        return self.weight_bits == INT8_BITS

    @property
    def name(self) -> str:
        """One of the keys of `VARIANTS`."""
        parts = ["pruned"] * self.is_pruned + ["int8"] * self.is_quantized
        return "-".join(parts) or "dense"

    @classmethod
    def parse(cls, name: str) -> "Variant":
        """Read a name.

        Args:
            name: `dense`, `pruned`, `int8` or `pruned-int8`.

        Raises:
            InputError: If it is none of these; the message lists them.
        """
        if name not in VARIANTS:
            raise InputError(f"There is no variant “{name}”; choose one of {', '.join(VARIANTS)}.")
        return VARIANTS[name]


DENSE = Variant()
VARIANTS = {
    variant.name: variant
    for variant in (
        DENSE,
        Variant(is_pruned=True),
        Variant(weight_bits=INT8_BITS),
        Variant(is_pruned=True, weight_bits=INT8_BITS),
    )
}


def find_pruned(folder: Path) -> Path | None:
    """Return the pruned checkpoint of a model: the folder beside its own, or None.

    Args:
        folder: The dense model's, such as `weights/lenet`, for `weights/lenet-pruned`.
    """
    pruned = folder.parent / f"{folder.name}-pruned"
    try:
        return pruned if any(pruned.glob("*.safetensors")) else None
    except (OSError, ValueError):  # A visitor's text that is no path at all.
        return None


def list_variants(folder: Path) -> list[str]:
    """Return the names of the variants that a model has.

    Args:
        folder: The dense model's.
    """
    has_pruned = find_pruned(folder) is not None
    return [name for name, variant in VARIANTS.items() if has_pruned or not variant.is_pruned]


def find_variant(name: str, folder: Path, variant: Variant) -> Path:
    """Return the folder of a variant's checkpoint.

    Args:
        name: What to call the model in messages.
        folder: The dense model's.
        variant: What is asked for.

    Raises:
        InputError: If the model has no such variant; the message lists those it has.
    """
    if not variant.is_pruned:
        return folder
    if (pruned := find_pruned(folder)) is None:
        raise InputError(
            f"“{name}” comes without a pruned checkpoint, so it has no variant “{variant.name}”; "
            f"choose one of {', '.join(list_variants(folder))}."
        )
    return pruned


def load_quantized(
    folder: Path,
    task: str,
    load_network: Callable[[], nn.Module],
    calibration: Calibration,
    on_progress: OnProgress | None = None,
) -> OpenVinoPredictor:
    """Quantize a model to int8, once: the result is kept in memory and on disk, and shared.

    Args:
        folder: Has `config.json` and safetensors.
        task: `digits`, `photos`, `sentiment` or `speech`.
        load_network: Gives the network that is in the folder by then, on the CPU; not modified.
        calibration: What it is calibrated on, if it is not built yet.
        on_progress: Called while it is built with the share done, in [0, 1], and a sentence.
    """
    key = _key_of(folder, task)
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        with _guard:
            if key in _kept:
                _kept.move_to_end(key)
                return _kept[key]
        signature = SIGNATURES[task]
        network = load_network()
        description = _describe(_weights_files(folder), task, calibration.description)
        if _key_of(folder, task) == key:
            built = load_or_build(
                description,
                lambda: quantize(network, signature, calibration.make(), on_progress),
            )
            predictor = OpenVinoPredictor(built)
            with _guard:
                _kept[key] = predictor
                while len(_kept) > _NUM_KEPT:
                    _kept.popitem(last=False)
            return predictor
    # A run has saved better weights meanwhile: what was read may not be what was described, by
    # which it would be kept for good.
    return load_quantized(folder, task, load_network, calibration, on_progress)


def _key_of(folder: Path, task: str) -> tuple[object, ...]:
    """Return what changes when a model's files do."""
    stats = ((file.name, file.stat()) for file in _weights_files(folder))
    return (folder, task, *((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def _weights_files(folder: Path) -> list[Path]:
    return sorted([folder / "config.json", *folder.glob("*.safetensors")])


def _describe(files: Sequence[Path], task: str, calibration: str) -> dict[str, str]:
    """Return all that an int8 model depends on."""
    return {
        **{file.name: hash_file(file) for file in files},
        **{maker: version(maker) for maker in MAKERS},
        "variant": "int8",
        "recipe": str(_RECIPE),
        "signature": repr(SIGNATURES[task]),
        "calibration": calibration,
    }
