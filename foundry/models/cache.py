"""Compiled models kept on disk: built once by whoever comes first, checked whenever read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import platformdirs
from filelock import FileLock

from foundry.models.checkpoints import replaced_whole
from foundry.models.runtime import load_openvino, openvino_core

if TYPE_CHECKING:
    import openvino as ov

CACHE_DIR_VARIABLE = "FOUNDRY_CACHE_DIR"
_GRAPH_FILE, _WEIGHTS_FILE = "model.xml", "model.bin"

_guard = threading.Lock()
_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()


def cache_dir() -> Path:
    """Return where compressed models are kept: `FOUNDRY_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("foundry") / "variants"


def load_or_build(key: Mapping[str, str], build: Callable[[], ov.Model]) -> ov.Model:
    """Read a model from the cache, or build it and keep it.

    Of any number of threads and processes that ask for the same model at once, one builds it.
    Where nothing can be written, the model is built and not kept.

    Args:
        key: All that the model depends on; another key is another model.
        build: Makes it.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = cache_dir() / f"{digest[:32]}.zip"
    if (model := _read(file, key)) is not None:
        return model
    with _guard:
        lock = _locks.setdefault(digest, threading.Lock())
    with lock, ExitStack() as held:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(file.with_suffix(".lock")))
        except OSError:
            return build()
        # Whoever held the lock before may have written it meanwhile.
        if (model := _read(file, key)) is not None:
            return model
        model = build()
        # The disk may be full, or closed to us: the model works all the same.
        with suppress(OSError, RuntimeError):
            _write(file, key, model)
        return model


def pack(model: ov.Model) -> bytes:
    """Return a model as one zip file: OpenVINO's graph, deflated, and its weights as they are."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        load_openvino().save_model(model, Path(folder) / _GRAPH_FILE, compress_to_fp16=False)
        with zipfile.ZipFile(packed, "w") as archive:
            for name, method in (
                (_GRAPH_FILE, zipfile.ZIP_DEFLATED),
                (_WEIGHTS_FILE, zipfile.ZIP_STORED),
            ):
                # Of no date, so that the same model gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name), (Path(folder) / name).read_bytes(), method)
    return packed.getvalue()


def unpack(packed: bytes) -> ov.Model:
    """Return the model that `pack()` made into a file.

    Raises:
        ValueError: If it did not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            graph, weights = archive.read(_GRAPH_FILE), archive.read(_WEIGHTS_FILE)
        return openvino_core().read_model(graph, weights)
    except (zipfile.BadZipFile, KeyError, RuntimeError) as error:
        raise ValueError(f"not a packed model: {error}") from None


def _manifest(file: Path) -> Path:
    return file.with_suffix(".json")


def _read(file: Path, key: Mapping[str, str]) -> ov.Model | None:
    """Return the cached model, or None if it is missing, damaged or for another key."""
    try:
        manifest = json.loads(_manifest(file).read_text("utf-8"))
        packed = file.read_bytes()
        if manifest["key"] != dict(key):
            return None
        if hashlib.sha256(packed).hexdigest() != manifest["sha256"]:
            return None
        return unpack(packed)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, key: Mapping[str, str], model: ov.Model) -> None:
    packed = pack(model)
    manifest = {"key": dict(key), "sha256": hashlib.sha256(packed).hexdigest()}
    # The manifest last, each by one rename: half a file is never taken for a whole one.
    for path, content in (
        (file, packed),
        (_manifest(file), json.dumps(manifest, indent=2, allow_nan=False).encode()),
    ):
        with replaced_whole(path) as partial:
            partial.write_bytes(content)
