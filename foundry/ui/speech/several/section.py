"""The row for several recordings: a table of what was said, the same as CSV, captions as ZIP."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.errors import ArtifactError, InputError, counted
from foundry.models.loading import check_variant
from foundry.speech import load_recogniser
from foundry.speech.several import (
    MAX_RECORDINGS,
    Heard,
    check_number,
    transcribe_files,
    write_captions,
    write_table,
)
from foundry.ui.components.plots import ended_line, status_line
from foundry.ui.components.pretrained_choice import Loading, watch_loading
from foundry.ui.components.run_status import format_duration, format_elapsed
from foundry.ui.page.feedback import EVERY, QUIET, build_when_opened, busy_buttons, shows_errors
from foundry.ui.server.queues import OWN_QUEUE, RECORDING_SETS, begin_job, on_cancel
from foundry.ui.speech.model import name_of
from foundry.ui.speech.several.table import TABLE_CSS, TABLE_JS, row_html, table_html

_REFRESH_S = 0.5
_IDLE = f"Choose up to {MAX_RECORDINGS} files, then press Transcribe them."


@shows_errors
def on_several(
    paths: Sequence[str] | None, model: str | None, decoding: str, variant: str
) -> Iterator[list[Any]]:
    """Transcribe every recording, saying how far it is; a cancelled job keeps what is done.

    Args:
        paths: Of the files.
        model: The chosen model.
        decoding: `greedy` or `beam`.
        variant: The name of the variant.

    Yields:
        The job's id, status, table, CSV, ZIP, both buttons, and the files that the table is of.
    """
    paths = list(paths or ())
    check_number(paths)
    name = name_of(model)
    with RECORDING_SETS.join() as ticket, begin_job() as (job, cancelled):
        hidden = [gr.DownloadButton(visible=False)] * 2
        line = _progress(0, len(paths), 0.0, 0.0)
        yield [job, line, "", *hidden, *busy_buttons(is_busy=True), paths]
        while not (ticket.wait(_REFRESH_S) or cancelled.is_set()):
            facts = ticket.describe()
            yield [gr.skip(), status_line("Waiting", facts, 0.0), *[gr.skip()] * 6]
        try:
            for step in watch_loading(name, "speech", variant):
                if isinstance(step, Loading):
                    line = status_line("One moment", f"{step.sentence}.", step.share)
                    yield [gr.skip(), line, *[gr.skip()] * 6]
            recogniser = load_recogniser(name, variant=check_variant(name, variant))
        except (InputError, ArtifactError) as error:
            line = status_line("Failed", str(error), style="failed")
            yield ["", line, *[gr.skip()] * 3, *busy_buttons(is_busy=False), gr.skip()]
            return
        heard: list[Heard] = []
        # Row after row, so that of a longer table only what is new goes to the page.
        rows = ""
        started = told = perf_counter()
        for event in transcribe_files(recogniser, paths, decoding):
            if event.heard:
                rows += row_html(event.number, event.heard)
                heard.append(event.heard)
            if cancelled.is_set():
                break
            if perf_counter() - told > _REFRESH_S:
                told = perf_counter()
                line = _progress(event.number, len(paths), event.share, told - started)
                yield [gr.skip(), line, table_html(rows), *[gr.skip()] * 5]
        elapsed_s = perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(heard, Path(folder) / "recordings.csv")
            captions = write_captions(heard, Path(folder) / "captions.zip")
            # The files are copied before the generator goes on.
            yield [
                "",
                _result(heard, len(paths), elapsed_s),
                table_html(rows),
                gr.DownloadButton(value=str(table), visible=True),
                gr.DownloadButton(value=str(captions), visible=True),
                *busy_buttons(is_busy=False),
                gr.skip(),
            ]


def _progress(num_done: int, num_all: int, share: float, elapsed_s: float) -> str:
    done = (num_done + share) / num_all
    if not done:
        return status_line("Listening", f"{counted(num_all, 'recording')} to transcribe.", 0.0)
    left = format_duration(elapsed_s * (1 - done) / done)
    facts = f"{num_done} of {counted(num_all, 'recording')}, {left} left"
    return status_line("Listening", facts, done)


def _result(heard: Sequence[Heard], num_all: int, elapsed_s: float) -> str:
    facts = f"{len(heard)} of {counted(num_all, 'recording')} in {format_elapsed(elapsed_s)}"
    if num_problems := sum(bool(one.problem) for one in heard):
        facts += f"; {num_problems} could not be read, each with its reason"
    return ended_line(facts, len(heard), num_all)


def on_pick(event: gr.EventData, paths: Sequence[str]) -> Any:
    """Return the recording that was pressed, to be listened to alone.

    Args:
        event: Carries its place among the files.
        paths: Of the files that the table is of, whatever has been chosen since.
    """
    number = int(event.recording)
    return paths[number] if 0 <= number < len(paths) else gr.skip()


def build_several(
    visitor: Component, audio: gr.Audio, model: gr.Dropdown, decoding: gr.Radio, variant: Component
) -> None:
    """Build the row, closed.

    Args:
        visitor: Holds the visitor's token.
        audio: Where one recording is listened to.
        model: The chosen one.
        decoding: The chosen one.
        variant: The name of the model's variant.
    """
    with gr.Accordion(
        "Several recordings at once", open=False, elem_id="speech-several-row"
    ) as section:
        build_when_opened(section, visitor, lambda token: _build(audio, model, decoding, variant))


def _build(audio: gr.Audio, model: gr.Dropdown, decoding: gr.Radio, variant: Component) -> None:
    job, listed = gr.State(""), gr.State([])
    with gr.Row(elem_classes="halves"):
        files = gr.File(
            label="Recordings",
            file_count="multiple",
            height=150,
            interactive=True,
            elem_id="speech-several",
        )
        with gr.Column():
            with gr.Row():
                start = gr.Button(
                    "Transcribe them", variant="primary", elem_id="speech-several-start"
                )
                cancel = gr.Button("Cancel", interactive=False, elem_id="speech-several-cancel")
            status = gr.HTML(
                status_line("Ready", _IDLE),
                elem_classes="flush",
                elem_id="speech-several-status",
            )
            with gr.Row():
                downloads = [
                    gr.DownloadButton(label, visible=False, size="sm", elem_id=elem_id)
                    for label, elem_id in (
                        ("Download CSV", "speech-several-csv"),
                        ("Texts and captions (ZIP)", "speech-several-zip"),
                    )
                ]
    table = gr.HTML(
        css_template=TABLE_CSS,
        js_on_load=TABLE_JS,
        apply_default_css=False,
        elem_classes="flush",
        elem_id="speech-several-table",
    )
    start.click(
        on_several,
        [files, model, decoding, variant],
        [job, status, table, *downloads, start, cancel, listed],
        **OWN_QUEUE,
        **QUIET,
    )
    cancel.click(on_cancel, job, None, **QUIET)
    table.select(on_pick, listed, audio, **EVERY)
