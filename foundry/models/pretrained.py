"""Models that transformers reads from a folder: loaded once, shared by all who ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import torch
from safetensors import SafetensorError, safe_open

from foundry.errors import ArtifactError, InputError
from foundry.models.runtime import Predictor, TorchPredictor
from foundry.models.shipped import check_shipped

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_NUM_KEPT = 4
# Weights that only training uses; many files leave them out.
_TRAINING_ONLY = ("masked_spec_embed",)
_MAX_REASON = 160

# Names in transformers, whose import takes seconds.
_AUTO_CLASSES = {
    "photos": ("AutoModelForImageClassification", "AutoImageProcessor"),
    "sentiment": ("AutoModelForSequenceClassification", "AutoTokenizer"),
    "speech": ("AutoModelForCTC", "AutoProcessor"),
}


@dataclass(frozen=True)
class Pretrained:
    """A transformers model with what makes its inputs.

    Attributes:
        name: As it was asked for.
        folder: Where the dense model's files are; a pruned one lies beside it.
        model: In evaluation mode, float32; shared by all visitors and never modified.
        processor: A tokenizer for text, a `Wav2Vec2Processor` for speech, an image processor for
            photos.
        compiled: What runs in the model's place: its int8 variant, or a replica elsewhere; None:
            the model itself.
    """

    name: str
    folder: Path
    model: PreTrainedModel
    processor: Any
    compiled: Predictor | None = None

    @property
    def predict(self) -> Predictor:
        """What runs: inputs by position, in the order of the model's own, to logits."""
        return self.compiled or TorchPredictor(self.model)


# While transformers builds a network it patches torch for all threads: one load at a time.
_load_lock = threading.Lock()
# Guards the two collections below, and is held for no longer than a look into them.
_guard = threading.Lock()
_name_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
# Longest unused first: (name, task, folder, version of its files) -> what was loaded from them.
_kept: OrderedDict[tuple[Any, ...], Pretrained] = OrderedDict()


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold a model's own lock: its slow download makes nobody wait for another model.

    Args:
        name: The model's name.
    """
    with _guard:
        lock = _name_locks.setdefault(name, threading.Lock())
    with lock:
        yield


def load_folder(name: str, task: str, folder: Path) -> Pretrained:
    """Load a model from its folder unless it is in memory; the last few used are kept.

    Args:
        name: What to call it in messages.
        task: `photos`, `sentiment` or `speech`.
        folder: Has `config.json` and safetensors.

    Raises:
        InputError: If it is for another task or of a kind that transformers does not know.
        ArtifactError: If a file is damaged or missing; the message names it.
    """
    key = (name, task, folder, _version_of(folder))
    with _guard:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    with _load_lock:
        pretrained = _read_folder(name, task, folder)
    with _guard:
        _kept[key] = pretrained
        while len(_kept) > _NUM_KEPT:
            _kept.popitem(last=False)
    return pretrained


def _version_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a model's files do: names, times and sizes."""
    files = sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")])
    if not any(file.suffix == ".safetensors" for file in files):
        raise ArtifactError(f"{folder / 'model.safetensors'} is missing.")
    stats = [(file.name, file.stat()) for file in files]
    return tuple((file, stat.st_mtime_ns, stat.st_size) for file, stat in stats)


def _read_folder(name: str, task: str, folder: Path) -> Pretrained:
    for file in sorted(folder.glob("*.safetensors")):
        check_shipped(file)
        try:
            with safe_open(file, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise ArtifactError(f"{file.name} of “{name}” is damaged: {error}.") from None
    import transformers
    from transformers.utils.logging import disable_progress_bar

    # A model loads in less than the time it takes to read a bar.
    disable_progress_bar()
    auto_model, auto_processor = (getattr(transformers, cls) for cls in _AUTO_CLASSES[task])
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = auto_processor.from_pretrained(folder, **options)
        model, report = auto_model.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
        )
    except Exception as error:  # Others' files can be wrong in any way at all.
        raise InputError(f"“{name}” cannot be used for {task}: {first_words(error)}.") from error
    if task != "speech":
        _name_labels(model.config)
    if task != "photos":
        _prepare_tokenizer(name, getattr(processor, "tokenizer", processor))
    # What is not in the file is random, and so would be the answers.
    missing = [key for key in report["missing_keys"] if not key.endswith(_TRAINING_ONLY)]
    if missing:
        raise InputError(f"“{name}” was not trained for {task}: its file lacks {min(missing)}.")
    return Pretrained(name, folder, model.eval().requires_grad_(False), processor)


def _name_labels(config: Any) -> None:
    """Give every label a text for a name, as transformers does where a file has none at all."""
    names = config.id2label
    config.id2label = {
        index: str(names.get(index, f"LABEL_{index}")) for index in range(config.num_labels)
    }


def _prepare_tokenizer(name: str, tokenizer: Any) -> None:
    # Without its files transformers makes one up that knows no words.
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise InputError(f"“{name}” has no tokenizer beside its weights.")
    # A file may ask for truncation or padding. The first call switches them off; later ones change
    # nothing, so that threads can share the tokenizer.
    tokenizer("")


def first_words(error: Exception) -> str:
    """Return what an error says, or the beginning of it, on one line without a full stop."""
    words = " ".join(str(error).split()) or type(error).__name__
    sentence = words.split(". ")[0].rstrip(".")
    return sentence if len(sentence) <= _MAX_REASON else f"{sentence[:_MAX_REASON]} ..."
