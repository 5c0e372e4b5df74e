"""What happens in the row where a network learns a visitor's hand."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event
from time import perf_counter, time
from typing import Any, cast

import gradio as gr
import numpy as np
import torch

from foundry.data import load_mnist
from foundry.errors import ArtifactError, DivergedError, InputError, counted
from foundry.models import load_model
from foundry.models.networks.digits import DigitNetwork
from foundry.runs.data_sets import MNIST
from foundry.runs.drawings import (
    Collection,
    read_collection,
    remove_collection,
    remove_drawing,
    set_aside,
    write_archive,
)
from foundry.training.hand.learning import (
    MIN_DRAWINGS,
    HandEvent,
    Learned,
    Lesson,
    learn_hand,
    measure,
    plan_lesson,
)
from foundry.training.hand.runs import keep_hand
from foundry.training.runs import TRAININGS, Run
from foundry.ui.components.model_choice import (
    OWN_DATA,
    find_own_data_run,
    list_drawable_models,
    load_digit_model,
)
from foundry.ui.components.plots import status_line
from foundry.ui.draw.hand.correction import correction_html
from foundry.ui.draw.hand.view import TITLES, Outcome, board_html, chart_json, result_html
from foundry.ui.page.feedback import shows_errors
from foundry.ui.server.downloads import KeptFiles
from foundry.ui.server.limits import TRAINING_STARTS
from foundry.ui.server.queues import LESSONS, begin_job

READY = f"From {MIN_DRAWINGS} drawings on, the chosen network can learn your hand."
_REFRESH_S = 0.3
_FILES = KeptFiles(32)
_CANCELLED = status_line("Cancelled", "What had ended by then stays.", style="stopped")


def show_collection(collection: Collection) -> tuple[str, str | None]:
    """Return the board, and the ZIP file that takes the drawings home, None without any.

    Args:
        collection: The visitor's.
    """

    def write(folder: Path) -> list[Path]:
        path = folder / "drawings.zip"
        write_archive(collection, path)
        return [path]

    key = (collection.folder.name, collection.drawings)
    taken = _FILES.get(key, write)[0] if collection.drawings else None
    return board_html(collection), taken


@shows_errors
def on_changed(token: str) -> list[Any]:
    """Show the drawings after one was kept or removed.

    Args:
        token: The visitor's token.

    Returns:
        The board, and the button that takes them home.
    """
    board, taken = show_collection(read_collection(token))
    return [board, gr.DownloadButton(value=taken, interactive=taken is not None)]


@shows_errors
def on_board(event: gr.EventData, token: str) -> str:
    """Remove a drawing.

    Args:
        event: Carries `remove` with its digest.
        token: The visitor's token.

    Returns:
        The row under the answer, whose change shows the drawings anew.
    """
    asked: dict[str, Any] = event._data or {}
    collection = remove_drawing(str(asked.get("remove")), token)
    _drop_files(collection)
    return correction_html(
        collection, f"Removed; you have {counted(len(collection.drawings), 'drawing')}."
    )


@shows_errors
def on_delete(token: str) -> str:
    """Delete all of a visitor's drawings; the networks that learned them are runs, and stay.

    Args:
        token: The visitor's token.

    Returns:
        The row under the answer, whose change shows that there are none.
    """
    remove_collection(token)
    empty = read_collection(token)
    _drop_files(empty)
    return correction_html(
        empty,
        "All drawings are deleted. Networks that learned them are among your runs on the Train "
        "tab, where they can be deleted, too.",
    )


def _drop_files(collection: Collection) -> None:
    """Remove what was written to be taken home: it holds what has been removed since."""
    _FILES.drop(lambda key: bool(key[0] == collection.folder.name))


def find_start(model_name: str, token: str, device: str) -> tuple[DigitNetwork, float]:
    """Return the network that is to learn, and its width.

    Args:
        model_name: A shipped model's name or the id of one of the visitor's runs.
        token: The visitor's token.
        device: Where it runs.

    Raises:
        InputError: If there is no such model, or it learned from other data than digits.
    """
    run = find_own_data_run(model_name, token)
    if run and run.config.dataset != MNIST:
        raise InputError(OWN_DATA)
    network = (
        load_model(run.best_folder, device) if run else load_digit_model(model_name, token, device)
    )
    own = TRAININGS.find_own(model_name, token)
    return cast(DigitNetwork, network), own.config.width if own else 1.0


def _plan(collection: Collection, start: DigitNetwork) -> Lesson:
    if not collection.drawings:
        raise InputError(READY)
    images = [collection.read_image(drawing.digest) for drawing in collection.drawings]
    return plan_lesson(
        start,
        torch.from_numpy(np.stack(images)),
        [drawing.label for drawing in collection.drawings],
        [bool(drawing.is_held_out) for drawing in collection.drawings],
    )


def show_learning(is_learning: bool) -> list[Any]:
    """Return updates of the button that begins and of the one that cancels."""
    return [gr.Button(interactive=not is_learning), gr.Button(interactive=is_learning)]


@shows_errors
def on_learn(device: str, model_name: str, token: str) -> Iterator[list[Any]]:
    """Let a network learn the visitor's hand twice, with replay of MNIST and without.

    Args:
        device: Where it runs.
        model_name: The chosen model.
        token: The visitor's token.

    Yields:
        The job's id, the status, the chart, the board, the result, and both buttons.
    """
    start, width = find_start(model_name, token, device)
    # What cannot be learned is said before anything is waited for.
    collection = set_aside(token)
    lesson = _plan(collection, start)
    TRAINING_STARTS.count(token)
    try:
        with begin_job() as (job, cancelled), LESSONS.join() as ticket:
            while not (ticket.wait(_REFRESH_S) or cancelled.is_set()):
                facts = ticket.describe()
                line = status_line("Waiting", facts, 0.0)
                yield [job, line, *[gr.skip()] * 3, *show_learning(True)]
            # While others learned, drawings may have come or gone.
            if (now := set_aside(token)).drawings != collection.drawings:
                collection, lesson = now, _plan(now, start)
            line = status_line("Measuring", "How it reads now.", 0.0)
            yield [job, line, gr.skip(), board_html(collection), "", *show_learning(True)]
            keep = partial(keep_hand, start=model_name, owner=token, width=width)
            for shown in _learn_twice(lesson, device, keep, cancelled):
                yield [job, *shown, *show_learning(True)]
            ending = _CANCELLED if cancelled.is_set() else gr.skip()
    except (InputError, ArtifactError, DivergedError) as error:
        ending = status_line("Not learned", str(error), style="failed")
    yield ["", ending, *[gr.skip()] * 3, *show_learning(False)]


def _learn_twice(
    lesson: Lesson, device: str, keep: Callable[..., Run], cancelled: Event
) -> Iterator[list[Any]]:
    """Yield the status, the chart, the board and the result, until it is done or cancelled."""
    began = perf_counter()
    mnist = load_mnist()
    before = measure(lesson.start, lesson.aside, mnist)
    outcomes: dict[bool, Outcome] = {}
    events: dict[bool, list[HandEvent]] = {}
    for has_replay in (True, False):
        own = events[has_replay] = []
        learning = learn_hand(lesson, mnist, has_replay, device)
        while True:
            if cancelled.is_set():
                return
            try:
                own.append(next(learning))
            except StopIteration as end:
                learned: Learned = end.value
                break
            share = (len(outcomes) + own[-1].share) / 2
            line = status_line("Learning", TITLES[has_replay], share)
            chart = gr.HTML(chart_json(events, before.mnist), visible=True)
            yield [line, chart, gr.skip(), gr.skip()]
        run = keep(learned, has_replay=has_replay)
        outcomes[has_replay] = Outcome(run.run_id, learned.scores)
        yield [*[gr.skip()] * 3, result_html(before, outcomes)]
    facts = f"{len(lesson.learned)} drawings, twice, in {perf_counter() - began:.1f} s."
    yield [status_line("Learned", facts, style="done"), *[gr.skip()] * 3]


@shows_errors
def on_use(event: gr.EventData, token: str) -> list[Any]:
    """Choose a network that has learned.

    Args:
        event: Carries the id of its run.
        token: The visitor's token.

    Returns:
        The list of models, and what changes with every press.
    """
    choices = list_drawable_models(token)
    if event.run not in (name for _, name in choices):
        raise InputError("This network is no longer among your runs; let one learn again.")
    chosen = gr.Dropdown(choices=choices, value=event.run)
    return [chosen, {"run": event.run, "at": time()}]
