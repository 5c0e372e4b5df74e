"""Several photos at once: a gallery of their names, and the same as CSV."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError, counted
from foundry.photos.several import MAX_PHOTOS, Named, check_number, name_photos, write_names
from foundry.ui.components.plots import ended_line, status_line
from foundry.ui.components.pretrained_choice import Loading, watch
from foundry.ui.components.run_status import format_duration, format_elapsed
from foundry.ui.page.feedback import EVERY, QUIET, busy_buttons, shows_errors
from foundry.ui.photos.album import ALBUM_CSS, ALBUM_JS, card_html
from foundry.ui.photos.choice import load_chosen
from foundry.ui.server.queues import OWN_QUEUE, PHOTO_SETS, begin_job, on_cancel

_REFRESH_S = 0.5
_IDLE = f"Choose up to {MAX_PHOTOS} files, then press Name them."


@shows_errors
def on_several(paths: Sequence[str] | None, name: str, variant: str) -> Iterator[list[Any]]:
    """Name every photo, saying how far it is; a cancelled job keeps what is done.

    Args:
        paths: Of the files.
        name: The chosen model.
        variant: The name of the variant.

    Yields:
        The job's id, status, gallery, the CSV, both buttons, and the files of the gallery.
    """
    paths = list(paths or ())
    check_number(paths)
    with PHOTO_SETS.join() as ticket, begin_job() as (job, cancelled):
        yield [
            job,
            _progress(0, len(paths), 0.0),
            "",
            gr.DownloadButton(visible=False),
            *busy_buttons(True),
            paths,
        ]
        while not (ticket.wait(_REFRESH_S) or cancelled.is_set()):
            facts = ticket.describe()
            yield [gr.skip(), status_line("Waiting", facts, 0.0), *[gr.skip()] * 5]
        try:
            for step in watch(partial(load_chosen, name, variant), f"Loading {variant}"):
                if isinstance(step, Loading):
                    line = status_line("Naming", f"{step.sentence}: {step.share:.0%}", 0.0)
                    yield [gr.skip(), line, *[gr.skip()] * 5]
                else:
                    model = step
        except (InputError, ArtifactError) as error:
            line = status_line("Failed", str(error), style="failed")
            yield ["", line, *[gr.skip()] * 2, *busy_buttons(is_busy=False), gr.skip()]
            return
        named: list[Named] = []
        # Card after card, so that of a longer gallery only what is new goes to the page.
        cards = ""
        started = told = perf_counter()
        for one in name_photos(model, paths):
            cards += card_html(model, len(named), one)
            named.append(one)
            if cancelled.is_set():
                break
            if perf_counter() - told > _REFRESH_S:
                told = perf_counter()
                line = _progress(len(named), len(paths), told - started)
                yield [gr.skip(), line, cards, *[gr.skip()] * 4]
        elapsed_s = perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            file = write_names(named, Path(folder) / "photos.csv")
            # The file is copied before the generator goes on.
            yield [
                "",
                _result(named, len(paths), elapsed_s),
                cards,
                gr.DownloadButton(value=str(file), visible=True),
                *busy_buttons(is_busy=False),
                gr.skip(),
            ]


def _progress(num_done: int, num_all: int, elapsed_s: float) -> str:
    if not num_done:
        return status_line("Naming", f"{counted(num_all, 'photo')}.", 0.0)
    left_s = elapsed_s * (num_all - num_done) / num_done
    facts = f"{num_done} of {counted(num_all, 'photo')}, {format_duration(left_s)} left"
    return status_line("Naming", facts, num_done / num_all)


def _result(named: Sequence[Named], num_all: int, elapsed_s: float) -> str:
    facts = f"{len(named)} of {counted(num_all, 'photo')} in {format_elapsed(elapsed_s)}"
    if num_problems := sum(bool(one.problem) for one in named):
        facts += f"; {num_problems} could not be read, each with its reason"
    return ended_line(facts, len(named), num_all)


def on_pick(event: gr.EventData, paths: Sequence[str] | None) -> Any:
    """Return the photo that was pressed, to be looked at alone.

    Args:
        event: Carries its place in the gallery.
        paths: Of the gallery's photos; the field may hold others by now.
    """
    number = int(event.photo)
    return paths[number] if paths and 0 <= number < len(paths) else gr.skip()


def build_several(photo: gr.Image, model: gr.Dropdown, variant: gr.State) -> None:
    """Build the row, closed.

    Args:
        photo: Where one photo is looked at.
        model: The chosen one.
        variant: The name of its variant.
    """
    with gr.Accordion("Several photos at once", open=False, elem_id="photos-several-row"):
        job, shown = gr.State(""), gr.State([])
        with gr.Row(elem_classes="halves"):
            files = gr.File(
                label="Photos",
                file_count="multiple",
                height=150,
                interactive=True,
                elem_id="photos-several",
            )
            with gr.Column():
                with gr.Row():
                    start = gr.Button("Name them", variant="primary", elem_id="photos-several-name")
                    cancel = gr.Button("Cancel", interactive=False, elem_id="photos-several-cancel")
                status = gr.HTML(
                    status_line("Ready", _IDLE),
                    elem_classes="flush",
                    elem_id="photos-several-status",
                )
                download = gr.DownloadButton(
                    "Download CSV", visible=False, size="sm", elem_id="photos-several-csv"
                )
        album = gr.HTML(
            css_template=ALBUM_CSS,
            js_on_load=ALBUM_JS,
            apply_default_css=False,
            elem_classes="flush",
            elem_id="photos-album",
        )
    start.click(
        on_several,
        [files, model, variant],
        [job, status, album, download, start, cancel, shown],
        **OWN_QUEUE,
        **QUIET,
    )
    cancel.click(on_cancel, job, None, **QUIET)
    album.select(on_pick, shown, photo, **EVERY)
