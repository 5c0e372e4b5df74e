"""Choosing a transformers model: what is on offer, and loading it while the page shows progress."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from foundry.models import available_models, load_pretrained
from foundry.models.hub import OnProgress, allows_any_model, find_downloaded, list_offered
from foundry.models.loading import check_variant
from foundry.models.pretrained import Pretrained
from foundry.ui.server.limits import count_download

_REFRESH_S = 0.3

Result = TypeVar("Result")


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


def is_offered_here(name: str, task: str) -> bool:
    """Tell whether a model is on offer and needs no download.

    Args:
        name: Anybody's text.
        task: `photos`, `sentiment` or `speech`.
    """
    if name in (spec.name for spec in available_models(task)):
        return True
    return name in list_offered(task) and find_downloaded(name) is not None


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


def watch_loading(name: str, task: str, variant: str = "dense") -> Iterator[Loading | Pretrained]:
    """Load a model in a thread of its own.

    Args:
        name: As `load_pretrained()` takes it.
        task: `photos`, `sentiment` or `speech`.
        variant: The name of one.

    Yields:
        How far it is, several times a second, and last the model.

    Raises:
        InputError: As `load_pretrained()` and `check_variant()` do.
        ArtifactError: As `load_pretrained()` does.
    """
    count_download(name, task)
    checked = check_variant(name, variant)
    return watch(
        lambda on_progress: load_pretrained(name, task, on_progress, checked), f"Loading {name}"
    )


def watch(work: Callable[[OnProgress], Result], sentence: str) -> Iterator[Loading | Result]:
    """Do what takes a while in a thread of its own.

    Args:
        work: What to do; it reports the share done, in [0, 1], and a sentence.
        sentence: What to show until it first does.

    Yields:
        How far it is, several times a second, and last the result.
    """
    latest = Loading(0.0, sentence)

    def on_progress(share: float, sentence: str) -> None:
        nonlocal latest
        latest = Loading(share, sentence)

    thread = ThreadPoolExecutor(1)
    try:
        # It may ask whose request it is.
        done = thread.submit(copy_context().run, work, on_progress)
        while not wait([done], timeout=_REFRESH_S).done:
            yield latest
        yield done.result()
    finally:
        # A download whose visitor has left goes on, and is there for the next one.
        thread.shutdown(wait=False)
