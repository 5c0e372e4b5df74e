"""Data that a visitor brings: a file is read, looked at, and chosen to train on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr

from foundry.data.own.folders import Frame
from foundry.data.own.framing import reduce_by_area
from foundry.data.own.reading import read_data_set
from foundry.data.own.splitting import OwnData
from foundry.digits.framing import frame_handwriting
from foundry.errors import ArtifactError, InputError
from foundry.runs.data_sets import (
    AS_HANDWRITING,
    AS_IT_IS,
    MNIST,
    PREPARATIONS,
    About,
    keep_data_set,
    read_about,
    remove_data_set,
)
from foundry.ui.components.model_choice import list_choices
from foundry.ui.components.plots import status_line
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.server.limits import RateLimit
from foundry.ui.server.queues import DATA_SETS, OWN_QUEUE, begin_job, on_cancel
from foundry.ui.train.data_report import CSS as REPORT_CSS
from foundry.ui.train.data_report import report_html

_REFRESH_S = 0.3
# A visitor may bring so many files an hour: each takes a core for seconds.
_FILES = RateLimit(30, 3600.0, "brought 30 files")

_IDLE = (
    "A ZIP of folders of pictures, an NPZ as MedMNIST has them, a pair of IDX files (both, or a "
    "ZIP with them), or a CSV with a label and 784 pixels a row."
)


def count_file(token: str) -> None:
    """Count a file against what its visitor may bring.

    Raises:
        InputError: If they have brought too many.
    """
    _FILES.count(token)


def find_frame(preparation: str) -> Frame:
    """Return what makes 28x28 of a picture.

    Args:
        preparation: `as it is` or `as handwriting`.

    Raises:
        InputError: If it is neither.
    """
    if preparation not in PREPARATIONS:
        raise InputError(
            f"preparation is “{preparation}”; {AS_IT_IS} and {AS_HANDWRITING} are accepted."
        )
    return reduce_by_area if preparation == AS_IT_IS else frame_handwriting


def read_files(
    paths: Sequence[str] | None, preparation: str, token: str
) -> Iterator[float | About]:
    """Read a file that a visitor brought, or a pair of IDX files, and keep it.

    Args:
        paths: Where they are.
        preparation: As `find_frame()` takes it.
        token: The visitor's token.

    Yields:
        The share done, in [0, 1]; at the end what is known of the data set.

    Raises:
        InputError: If there is no file, or it is not accepted.
    """
    if not paths:
        raise InputError("There is no file; choose one first.")
    reading = read_data_set([Path(path) for path in paths], find_frame(preparation))
    while True:
        try:
            yield next(reading)
        except StopIteration as end:
            own: OwnData = end.value
            made = preparation if own.is_of_pictures else ""
            names = [Path(path).name for path in paths]
            # Of several, after the pictures that are learned.
            title = min(names, key=lambda name: ("train" not in name, name))
            yield keep_data_set(own, title, token, made)
            return


@shows_errors
def on_add(paths: Sequence[str] | None, preparation: str, token: str) -> Iterator[list[Any]]:
    """Read what was brought, saying how far it is.

    Args:
        paths: Where the files are.
        preparation: As `find_frame()` takes it.
        token: The visitor's token.

    Yields:
        The job's id, the status line, the list of data sets with the new one chosen, and the
        buttons.
    """
    if not paths:
        raise InputError("There is no file; choose one first.")
    count_file(token)
    started = told = perf_counter()
    busy = [gr.skip(), gr.Button(interactive=False), gr.Button(interactive=True)]
    ready = [gr.Button(interactive=True), gr.Button(interactive=False)]
    try:
        with begin_job() as (job, cancelled), DATA_SETS.join() as ticket:
            while not (ticket.wait(_REFRESH_S) or cancelled.is_set()):
                yield [job, status_line("Waiting", ticket.describe(), 0.0), *busy]
            yield [job, status_line("Reading", "", 0.0), *busy]
            for step in read_files(paths, preparation, token):
                if isinstance(step, About):
                    num_pictures = sum(map(sum, step.counts.values()))
                    facts = (
                        f"{num_pictures:,} pictures of {len(step.classes)} classes in "
                        f"{perf_counter() - started:.1f} s. Press Start to train on them."
                    )
                    line = status_line("Ready", facts, style="done")
                    yield ["", line, list_choices(token, step.data_id), *ready]
                elif cancelled.is_set():
                    line = status_line("Cancelled", "Nothing was kept.", style="stopped")
                    yield ["", line, gr.skip(), *ready]
                    return
                elif perf_counter() - told > _REFRESH_S:
                    told = perf_counter()
                    yield [job, status_line("Reading", f"{step:.0%}", step), *busy]
    except (InputError, ArtifactError) as error:
        line = status_line("Not accepted", str(error), style="failed")
        yield ["", line, gr.skip(), *ready]


@shows_errors
def on_delete(chosen: str, token: str) -> gr.Dropdown:
    """Take the chosen data set from the visitor. Returns the list of those that are left."""
    if chosen == MNIST:
        raise InputError("MNIST ships with Foundry and stays.")
    remove_data_set(chosen, token)
    return list_choices(token, MNIST)


@shows_errors
def on_choose(chosen: str, token: str) -> list[Any]:
    """Show what is in a data set.

    Args:
        chosen: The id of one of the visitor's, or `mnist`.
        token: The visitor's token.

    Returns:
        The table with a sheet of what the network will see, and the button that deletes it.
    """
    if not chosen or chosen == MNIST:
        return [gr.HTML(visible=False), gr.Button(visible=False)]
    report = report_html(read_about(chosen, token))
    return [gr.HTML(report, visible=True), gr.Button(visible=True)]


def build_data(visitor: gr.BrowserState, chosen: Any) -> Any:
    """Build the part, folded.

    Args:
        visitor: Holds the visitor's token.
        chosen: The list of data sets.

    Returns:
        The event that has added and chosen one.
    """
    job = gr.State("")
    with gr.Accordion("Your own data", open=False, elem_id="train-data"):
        file = gr.File(
            # Of any type: IDX files are called after what is in them.
            label="ZIP, NPZ or CSV, or a pair of IDX files",
            file_count="multiple",
            height=130,
            elem_id="train-data-file",
        )
        preparation = gr.Radio(
            [("As it is", AS_IT_IS), ("As handwriting", AS_HANDWRITING)],
            value=AS_IT_IS,
            label="Preparation",
            info="Pictures become grey and 28x28; handwriting is cropped and centred as MNIST was.",
        )
        with gr.Row():
            add = gr.Button("Add", variant="primary", size="sm", elem_id="train-data-add")
            cancel = gr.Button("Cancel", interactive=False, size="sm", elem_id="train-data-cancel")
        status = gr.HTML(
            status_line("Bring a file", _IDLE),
            padding=False,
            elem_classes="flush",
            elem_id="train-data-status",
        )
        report = gr.HTML(
            visible=False,
            css_template=REPORT_CSS,
            apply_default_css=False,
            padding=False,
            elem_classes="flush",
            elem_id="train-data-report",
        )
        delete = gr.Button("Delete this data set", visible=False, size="sm")
    added = add.click(
        on_add,
        [file, preparation, visitor],
        [job, status, chosen, add, cancel],
        **OWN_QUEUE,
        **QUIET,
    )
    cancel.click(on_cancel, job, None, **QUIET)
    chosen.change(on_choose, [chosen, visitor], [report, delete], **QUIET)
    delete.click(on_delete, [chosen, visitor], chosen, **QUIET)
    return added
