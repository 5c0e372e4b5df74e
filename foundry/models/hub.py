"""Other people's models: a Hub id or a local folder -> a folder with safetensors, or a sentence."""

import os
import re
import threading
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import validate_repo_id
from tqdm import tqdm

from foundry.errors import ArtifactError, InputError

# Weights without pickle, and the texts beside them. What lies in folders is for other frameworks.
_WANTED = ["*.safetensors", "*.json", "*.txt", "*.model"]
_UNWANTED = ["*/*"]
# Downloads stay on the disk, and any visitor may ask for one.
MAX_DOWNLOAD_BYTES = 4_000_000_000
_TIMEOUT_S = 10.0
_FULL_DISK = re.compile("space left", re.IGNORECASE)

# `0` keeps visitors to the models on offer; the default where strangers come: on a Space.
ALLOW_HUB_VARIABLE = "FOUNDRY_ALLOW_HUB"
FREE_ENGLISH = "facebook/wav2vec2-base-960h"
# What the page offers beside the shipped models, by task.
OFFERED = {
    "photos": ("microsoft/resnet-50",),
    "sentiment": (
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        "nlptown/bert-base-multilingual-uncased-sentiment",
    ),
    "speech": (FREE_ENGLISH,),
}

OnProgress = Callable[[float, str], None]


def allows_any_model() -> bool:
    """Tell whether visitors may name any folder and any Hub id, and have it downloaded."""
    default = "0" if os.environ.get("SPACE_ID") else "1"
    return os.environ.get(ALLOW_HUB_VARIABLE, default) != "0"


def list_offered(task: str) -> tuple[str, ...]:
    """Return the Hub ids that visitors can choose, beside the shipped models.

    Args:
        task: `photos`, `sentiment` or `speech`.
    """
    if allows_any_model():
        return OFFERED[task]
    return tuple(name for name in OFFERED[task] if find_downloaded(name))


def resolve_model(name: str, on_progress: OnProgress | None = None) -> Path:
    """Find a model's files, downloading them if they are not here yet.

    Args:
        name: A local folder, or a Hub id such as `facebook/wav2vec2-base-960h`.
        on_progress: Called while files arrive with the share done, in [0, 1], and a sentence; from
            several threads, the share never falling.

    Returns:
        A folder with `config.json` and at least one safetensors file.

    Raises:
        InputError: If it is neither, there is no such repository, it has no safetensors, or it is
            too large.
        ArtifactError: If the Hub cannot be reached and the files are not here.
    """
    if not allows_any_model():
        return _find_offered(name)
    if _is_folder(name):
        return _checked(Path(name), name)
    try:
        validate_repo_id(name)
    except HFValidationError:
        raise InputError(
            f"“{name[:100]}” is neither a folder on this machine nor a Hub id such as "
            "facebook/wav2vec2-base-960h."
        ) from None
    return find_downloaded(name) or _download(name, on_progress)


def _find_offered(name: str) -> Path:
    is_offered = any(name in names for names in OFFERED.values())
    folder = find_downloaded(name) if is_offered else None
    if folder is None:
        raise InputError(
            f"“{name[:100]}” is not among the models on offer, and this server takes no others; "
            "choose one from the list. On your own machine the app takes any."
        )
    return folder


def _is_folder(name: str) -> bool:
    try:
        return bool(name) and Path(name).is_dir()
    except OSError:  # A name too long for a path, or in a folder that is closed to us.
        return False


def is_here(name: str) -> bool:
    """Tell whether a model can be loaded, or refused, without a download.

    Args:
        name: A local folder, a Hub id, or what is neither.
    """
    if not allows_any_model() or _is_folder(name):
        return True
    try:
        validate_repo_id(name)
    except HFValidationError:
        return True
    return find_downloaded(name) is not None


def find_downloaded(repo_id: str) -> Path | None:
    """Return the folder of a model that was downloaded before; no network is used.

    Args:
        repo_id: A valid Hub id.
    """
    try:
        folder = snapshot_download(
            repo_id, allow_patterns=_WANTED, ignore_patterns=_UNWANTED, local_files_only=True
        )
        return _checked(Path(folder), repo_id)
    except (LocalEntryNotFoundError, InputError):
        return None


def _download(repo_id: str, on_progress: OnProgress | None) -> Path:
    try:
        # No token: what the server's owner may read is not for every visitor.
        info = HfApi(token=False).model_info(repo_id, files_metadata=True, timeout=_TIMEOUT_S)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        sizes = {file: size for file, size in sizes.items() if _is_wanted(file)}
        # Checked before hundreds of megabytes of something else arrive.
        if not any(file.endswith(".safetensors") for file in sizes):
            raise InputError(_no_safetensors(repo_id))
        if (num_bytes := sum(sizes.values())) > MAX_DOWNLOAD_BYTES:
            raise InputError(
                f"“{repo_id}” has {num_bytes / 1e9:.1f} GB; at most "
                f"{MAX_DOWNLOAD_BYTES / 1e9:.0f} GB are downloaded."
            )
        folder = snapshot_download(
            repo_id,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            token=False,
            tqdm_class=_progress_class(repo_id, num_bytes, on_progress),
        )
        return _checked(Path(folder), repo_id)
    except InputError:
        raise
    except RepositoryNotFoundError:
        raise InputError(
            f"The Hub has no model “{repo_id}” that is open to everybody; check the spelling."
        ) from None
    except Exception as error:  # A network can fail, and a server answer, in any way at all.
        # Whichever library writes, only the text says that the disk was meant.
        if _FULL_DISK.search(str(error)):
            raise ArtifactError(
                f"There is no room left on this machine for “{repo_id}”; make some in "
                f"{constants.HF_HUB_CACHE}, or use a model that is here."
            ) from error
        raise ArtifactError(
            f"“{repo_id}” is not on this machine and could not be downloaded "
            f"({type(error).__name__}). Without a network, use a model that is here."
        ) from error


def _is_wanted(file: str) -> bool:
    return "/" not in file and any(fnmatch(file, pattern) for pattern in _WANTED)


def _progress_class(repo_id: str, num_bytes: int, on_progress: OnProgress | None) -> type[tqdm]:
    """Build what the Hub's library reports bytes to; it shows nothing itself."""
    lock = threading.Lock()
    most = 0.0

    class Progress(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **(kwargs | {"disable": True}))
            self.counts_bytes = kwargs.get("unit") == "B"

        def update(self, n: float | None = 1) -> None:
            nonlocal most
            with lock:
                self.n += n or 0
                # Two bars count the same bytes: as they arrive and as they are written.
                if on_progress and self.counts_bytes and self.n > most:
                    most = self.n
                    on_progress(
                        min(1.0, most / max(num_bytes, 1)),
                        f"Downloading {repo_id}: {most / 1e6:.0f} of {num_bytes / 1e6:.0f} MB",
                    )

    return Progress


def _checked(folder: Path, name: str) -> Path:
    if not (folder / "config.json").is_file():
        raise InputError(f"“{name}” has no config.json, so it is not a transformers model.")
    if not any(folder.glob("*.safetensors")):
        raise InputError(_no_safetensors(name))
    return folder


def _no_safetensors(name: str) -> str:
    return (
        f"“{name}” has no safetensors file. Only safetensors weights are loaded here, because "
        "other formats can run code."
    )
