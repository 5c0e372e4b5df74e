"""Other people's models: a Hub id or a local folder -> a folder with safetensors, or a sentence."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
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

OnProgress = Callable[[float, str], None]


def resolve_model(name: str, on_progress: OnProgress | None = None) -> Path:
    """Find a model's files, downloading them if they are not here yet.

    Args:
        name: A local folder, or a Hub id such as `facebook/wav2vec2-base-960h`.
        on_progress: Called while files arrive with the share done, in [0, 1], and a sentence; from
            several threads.

    Returns:
        A folder with `config.json` and at least one safetensors file.

    Raises:
        InputError: If it is neither, there is no such repository, or it has no safetensors.
        ArtifactError: If the Hub cannot be reached and the files are not here.
    """
    if Path(name).is_dir():
        return _checked(Path(name), name)
    try:
        validate_repo_id(name)
    except HFValidationError:
        raise InputError(
            f"“{name}” is neither a folder on this machine nor a Hub id such as "
            "facebook/wav2vec2-base-960h."
        ) from None
    return find_downloaded(name) or _download(name, on_progress)


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
    options: dict[str, Any] = {"allow_patterns": _WANTED, "ignore_patterns": _UNWANTED}
    try:
        files = snapshot_download(repo_id, dry_run=True, **options)
        # Asked before hundreds of megabytes of something else arrive.
        if any(file.filename.endswith(".safetensors") for file in files):
            progress = _progress_class(repo_id, on_progress)
            return _checked(
                Path(snapshot_download(repo_id, tqdm_class=progress, **options)), repo_id
            )
    except InputError:
        raise
    except RepositoryNotFoundError:
        raise InputError(
            f"The Hub has no model “{repo_id}” that is open to everybody; check the spelling."
        ) from None
    except Exception as error:  # A network can fail, and a server answer, in any way at all.
        raise ArtifactError(
            f"“{repo_id}” is not on this machine and could not be downloaded "
            f"({type(error).__name__}). The models that are here go on working."
        ) from error
    raise InputError(_no_safetensors(repo_id))


def _progress_class(repo_id: str, on_progress: OnProgress | None) -> type[tqdm]:
    """Build what the Hub's library reports bytes to; it shows nothing itself."""
    lock = threading.Lock()

    class Progress(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **(kwargs | {"disable": True}))
            self.total = kwargs.get("total") or 0
            self.counts_bytes = kwargs.get("unit") == "B"

        def update(self, n: float | None = 1) -> None:
            with lock:
                self.n += n or 0
            if on_progress and self.counts_bytes and self.total:
                done, total = self.n / 1e6, self.total / 1e6
                share = min(1.0, self.n / self.total)
                on_progress(share, f"Downloading {repo_id}: {done:.0f} of {total:.0f} MB")

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
