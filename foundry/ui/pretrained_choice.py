"""Choosing a transformers model: what is on offer, and loading it while the page shows progress."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from foundry.hub import allows_any_model, list_offered
from foundry.models import available_models, load_pretrained
from foundry.pretrained import Pretrained

_REFRESH_S = 0.3


@dataclass(frozen=True)
class Loading:
    """How far a download has come.

    Attributes:
        share: Done, in [0, 1].
        sentence: The same in words.
    """

    share: float
    sentence: str


def list_pretrained(task: str) -> list[tuple[str, str]]:
    """Return (title, name) pairs for a drop-down: shipped models, then Hub ids to try."""
    shipped = [(spec.title, spec.name) for spec in available_models(task)]
    return shipped + [(f"{name} (from the Hub)", name) for name in list_offered(task)]


def describe_choice(kind: str) -> dict[str, Any]:
    """Return the options of a drop-down that say what can be chosen, and let it be typed.

    Args:
        kind: What others' models have to be, such as `text classifier with safetensors weights`.
    """
    if not allows_any_model():
        return {"info": "The shipped one, or what else this server has."}
    return {
        "allow_custom_value": True,
        "info": f"The shipped one, or any {kind}: type its Hub id or a folder on this machine and "
        "press Enter.",
    }


def watch_loading(name: str, task: str) -> Iterator[Loading | Pretrained]:
    """Load a model in a thread of its own.

    Args:
        name: As `load_pretrained()` takes it.
        task: `sentiment` or `speech`.

    Yields:
        How far it is, several times a second, and last the model.

    Raises:
        InputError: As `load_pretrained()` does.
        ArtifactError: As `load_pretrained()` does.
    """
    latest = Loading(0.0, f"Loading {name}")

    def on_progress(share: float, sentence: str) -> None:
        nonlocal latest
        latest = Loading(share, sentence)

    thread = ThreadPoolExecutor(1)
    try:
        loaded = thread.submit(load_pretrained, name, task, on_progress)
        while not wait([loaded], timeout=_REFRESH_S).done:
            yield latest
        yield loaded.result()
    finally:
        # A download whose visitor has left goes on, and is there for the next one.
        thread.shutdown(wait=False)
