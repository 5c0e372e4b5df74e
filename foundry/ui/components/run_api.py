"""Named endpoints for runs of every kind."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from foundry.errors import InputError
from foundry.runs.folders import AnyRun
from foundry.runs.queue import RunQueue
from foundry.runs.store import RunStore
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.server.limits import TRAINING_STARTS

R = TypeVar("R", bound=AnyRun)


def start_and_follow(
    queue: RunQueue,
    store: RunStore[R],
    request: gr.Request,
    create: Callable[..., R],
    config: Any,
    **settings: Any,
) -> Iterator[R]:
    """Start a run for a program, and yield readings whenever it has moved, to its end.

    Args:
        queue: Where it waits its turn.
        store: Where runs of its kind are.
        request: Says who asks.
        create: Makes its folder from `config`, the owner and `settings`.
        config: What it is to do.
        settings: What else `create` takes.

    Raises:
        InputError: If the caller has started too many, or as `RunQueue.start()` does.
    """
    owner = session_owner(request)
    TRAINING_STARTS.count(owner)
    yield from store.follow(queue.start(create, config, owner, **settings).run_id)


def build_runs_api(queue: RunQueue) -> None:
    """Add `/stop_run` to the app being built.

    Args:
        queue: Where runs are started.
    """

    def stop_run(request: gr.Request, run_id: str) -> dict[str, Any]:
        """Stop a run of yours, keeping the best weights so far, a compression or a search."""
        store = _find_store(queue, run_id, session_owner(request))
        queue.stop(run_id)
        queue.wait(run_id)
        return store.read(run_id).summary

    gr.api(shows_errors(stop_run), api_name="stop_run")


def _find_store(queue: RunQueue, run_id: str, owner: str) -> RunStore[Any]:
    """Return where one of the caller's runs is.

    Raises:
        InputError: If there is no such run; the message is that of the first kind.
    """
    refusals = []
    for store in queue.stores:
        try:
            store.read_own(run_id, owner)
        except InputError as refusal:
            refusals.append(refusal)
        else:
            return store
    raise refusals[0]
