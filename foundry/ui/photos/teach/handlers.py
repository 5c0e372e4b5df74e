"""What happens on the part where classes are taught."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from foundry.data.pictures import inspect_file, load_photo
from foundry.errors import ArtifactError, InputError
from foundry.photos.teaching.changes import (
    add_squares,
    remove_class,
    remove_example,
)
from foundry.photos.teaching.examples import check_label, check_room
from foundry.photos.teaching.learning import LearnEvent, Stage
from foundry.photos.teaching.lessons import ask, load_taught, teach_project
from foundry.photos.teaching.pictures import Square, make_square, read_square
from foundry.photos.teaching.projects import (
    Project,
    create_project,
    list_own_projects,
    remove_project,
)
from foundry.ui.components.pad import decode_drawing
from foundry.ui.components.plots import status_line
from foundry.ui.page.feedback import shows_errors
from foundry.ui.photos import view
from foundry.ui.photos.teach.board import board_html
from foundry.ui.photos.teach.camera import read_taken
from foundry.ui.photos.teach.result import cell_html, chart_json, result_html, said_html
from foundry.ui.server.downloads import KeptFiles
from foundry.ui.server.queues import LESSONS

READY = "Give at least two classes three pictures each, then press Train."
TRY_HINT = "A new picture is named here as soon as it is there."
_REFRESH_S = 0.3
_making = threading.Lock()
# What was taken home, by the project, its last change and the format.
TAKEN_HOME = KeptFiles(32)
_DOING: dict[Stage, str] = {
    "features": "The pretrained network looks at the pictures.",
    "head": "A layer on top of it learns the classes.",
    "scratch": "For comparison a small network learns them from scratch.",
}


def find_project(token: str) -> Project | None:
    """Return the visitor's newest classes, None if there are none."""
    return next(iter(list_own_projects(token)), None)


@shows_errors
def on_add(paths: Sequence[str] | str | None, label: str | None, token: str) -> list[Any]:
    """Add pictures to a class; those that cannot be read are named, and the others stay.

    Args:
        paths: Of the files; None when they were taken away.
        label: Of the class; made if there is none of that name.
        token: The visitor's.

    Returns:
        As `_show()`, then what was taken in with its field emptied, and a note.
    """
    if not paths:
        return [gr.skip()] * 4
    name = check_label(label)
    files = [paths] if isinstance(paths, str) else paths
    # Before any is read, which takes a while.
    check_room(name, (), len(files))
    squares: list[Square] = []
    notes = []
    for path in files:
        try:
            squares.append(read_square(Path(path)))
            if remark := inspect_file(path).remark:
                notes.append(f"“{Path(path).name}”: {remark}")
        except InputError as error:
            notes.append(f"“{Path(path).name}”: {error}")
    if not squares:
        raise InputError(notes[0])
    board, chooser, note = _add(squares, name, token)
    return [board, chooser, None, "\n\n".join(filter(None, [*notes, note]))]


@shows_errors
def on_taken(event: gr.EventData, label: str | None, token: str) -> list[Any]:
    """Add what the camera has taken to a class.

    Args:
        event: Carries the pictures.
        label: Of the class; made if there is none of that name.
        token: The visitor's.

    Returns:
        As `_show()`, then a note.
    """
    name = check_label(label)
    return _add(read_taken((event._data or {}).get("taken")), name, token)


@shows_errors
def on_drawn(drawing: Any, label: str | None, token: str) -> list[Any]:
    """Add a drawing to a class.

    Args:
        drawing: The pad's value.
        label: Of the class; made if there is none of that name.
        token: The visitor's.

    Returns:
        As `_show()`, then a note.
    """
    name = check_label(label)
    image = decode_drawing(drawing)
    if image is None:
        raise InputError("Nothing is drawn yet.")
    return _add([make_square(image)], name, token)


def _add(squares: Sequence[Square], name: str, token: str) -> list[Any]:
    """Add pictures to a class; return as `_show()`, then a note."""
    # Of two that are made at once, from files and by the camera, only one would be on the page.
    with _making:
        project = find_project(token) or create_project(token)
    project, num_twice = add_squares(project, name, squares)
    there = "1 was there already." if num_twice == 1 else f"{num_twice} were there already."
    return [*_show(project, name), there if num_twice else ""]


@shows_errors
def on_board(event: gr.EventData, token: str) -> list[Any]:
    """Choose a class, or remove a picture or a class.

    Args:
        event: Carries `choose` or `leave` with a class, or `remove` with a picture's digest.
        token: The visitor's.

    Returns:
        As `_show()`.
    """
    asked: dict[str, Any] = event._data or {}
    project = find_project(token)
    if project is None:
        return _show(None)
    if "choose" in asked:
        return [gr.skip(), gr.Dropdown(value=str(asked["choose"]))]
    if "leave" in asked:
        return _show(remove_class(project, str(asked["leave"])))
    return _show(remove_example(project, str(asked.get("remove"))))


@shows_errors
def on_train(token: str, has_replay: bool) -> Iterator[list[Any]]:
    """Teach the classes, saying how far it is.

    Args:
        token: The visitor's.
        has_replay: Whether old examples are learned again.

    Yields:
        The status, the chart, the board, and the result with what belongs to it.
    """
    events: list[LearnEvent] = []
    try:
        with LESSONS.join() as ticket:
            while not ticket.wait(_REFRESH_S):
                facts = ticket.describe()
                yield [status_line("Waiting", facts, 0.0), *[gr.skip()] * 6]
            # Not before the turn: pictures may have come meanwhile.
            project = find_project(token)
            if project is None:
                raise InputError(READY)
            for event in teach_project(project, has_replay):
                if isinstance(event, Project):
                    project = event
                    continue
                events.append(event)
                if event.stage == "features" or event.share == 1 or len(events) % 4 == 0:
                    line = status_line("Learning", _DOING[event.stage], event.share)
                    chart = gr.HTML(chart_json(events), visible=True)
                    yield [line, chart, *[gr.skip()] * 5]
    except (InputError, ArtifactError) as error:
        # What was said last is no longer so.
        yield [status_line("Failed", str(error), style="failed"), *[gr.skip()] * 6]
        raise
    done = status_line("Learned", "Try it on a new picture below.", 1.0, "done")
    yield [
        done,
        gr.HTML(chart_json(events), visible=True),
        board_html(project),
        *_show_result(project),
    ]


@shows_errors
def on_cell(event: gr.EventData, token: str) -> str:
    """Show the pictures behind a cell of the confusion matrix.

    Args:
        event: Carries its row and its column.
        token: The visitor's.

    Returns:
        HTML.
    """
    project = find_project(token)
    return cell_html(project, int(event.row), int(event.column)) if project else ""


def on_try(path: str | None, token: str) -> str:
    """Name what is on a picture, with the visitor's classes.

    Args:
        path: The file as it was sent.
        token: The visitor's.

    Returns:
        HTML.
    """
    project = find_project(token)
    if path is None or project is None:
        return view.hint(TRY_HINT)
    try:
        said = said_html(ask(load_taught(project), load_photo(path)))
        remark = inspect_file(path).remark
        return said + view.hint(remark) if remark else said
    except (InputError, ArtifactError) as error:
        return view.hint(str(error))


def on_delete(token: str) -> list[Any]:
    """Delete everything that the visitor has taught, and the pictures.

    Args:
        token: The visitor's.

    Returns:
        The board, the classes to choose from, the result with what belongs to it, the status, and
        a chart without curves.
    """
    own = list_own_projects(token)
    for project in own:
        remove_project(project)
    gone = {project.project_id for project in own}
    TAKEN_HOME.drop(lambda key: key[0] in gone)
    return [
        *_show(None),
        *_show_result(None),
        status_line("Ready", READY),
        gr.HTML("", visible=False),
    ]


def show_all(project: Project | None) -> list[Any]:
    """Return the board, the classes to choose from, and the result with what belongs to it.

    Args:
        project: The visitor's, None if there is none.
    """
    return [*_show(project), *_show_result(project)]


def _show(project: Project | None, chosen: str | None = None) -> list[Any]:
    """Return the board, and the classes to choose from."""
    labels = list(project.labels) if project else []
    chooser = gr.Dropdown(choices=labels, value=chosen) if chosen else gr.Dropdown(choices=labels)
    return [board_html(project), chooser]


def _show_result(project: Project | None) -> list[Any]:
    """Return the part with the result, the result, a cell without pictures, and the choice."""
    outcome = project.outcome if project else None
    return [
        gr.Column(visible=outcome is not None),
        result_html(outcome) if outcome else "",
        "",
        gr.Checkbox(visible=outcome is not None),
    ]
