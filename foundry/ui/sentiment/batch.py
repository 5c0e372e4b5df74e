"""Many texts at once: pasted or uploaded, scored with progress, downloaded as CSV."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError, counted
from foundry.models import DENSE
from foundry.sentiment import SentimentModel, score_texts
from foundry.sentiment.report import write_report
from foundry.sentiment.review import keep_answers
from foundry.sentiment.scoring import BatchEvent, ScoredText
from foundry.sentiment.sides import find_sides
from foundry.sentiment.tables import SUFFIXES, TextTable, read_lines
from foundry.ui.components.plots import ended_line, status_line
from foundry.ui.components.run_status import format_duration, format_elapsed
from foundry.ui.page.feedback import LATEST, QUIET, busy_buttons, shows_errors
from foundry.ui.sentiment import plots
from foundry.ui.sentiment.answered import build_answered_view, on_answered
from foundry.ui.sentiment.choice import load_sentiment_model
from foundry.ui.sentiment.upload import on_file, read_upload
from foundry.ui.server.queues import OWN_QUEUE, TABLES, Ticket, begin_job, on_cancel

_REFRESH_S = 0.3
_IDLE = "Paste lines or upload a file, then press Score."


@shows_errors
def on_score(
    lines: str,
    path: str | None,
    column: str | None,
    name: str,
    variant: str = DENSE.name,
    header: bool | None = None,
) -> Iterator[list[Any]]:
    """Score every row, saying how far it is; a cancelled job keeps what is done.

    Args:
        lines: What was pasted, one text a line.
        path: An uploaded file, which goes before the lines.
        column: The file's column with the texts.
        name: The model in use.
        variant: The name of the variant.
        header: Whether the file's first row names the columns; None finds out.

    Yields:
        The job's id, status, histogram, what was answered, the part that shows it, the CSV, and
        both buttons.
    """
    table = read_upload(path, header, column or "") if path else read_lines(lines or "")
    texts = table.column(column or "" if path else "")
    with TABLES.join() as ticket:
        yield from _score(table, texts, name, variant, ticket)


def _score(
    table: TextTable, texts: list[str], name: str, variant: str, ticket: Ticket
) -> Iterator[list[Any]]:
    scored = list[ScoredText]()
    with begin_job() as (job, cancelled):
        yield [
            job,
            status_line("Reading", f"{counted(len(texts), 'text')}.", 0.0),
            "",
            None,
            gr.Column(visible=False),
            gr.DownloadButton(visible=False),
            *busy_buttons(is_busy=True),
        ]
        while not (ticket.wait(_REFRESH_S) or cancelled.is_set()):
            facts = ticket.describe()
            yield [gr.skip(), status_line("Waiting", facts, 0.0), *[gr.skip()] * 6]
        try:
            model = load_sentiment_model(name, variant)[1]
        except (InputError, ArtifactError) as error:
            line = status_line("Failed", str(error), style="failed")
            yield ["", line, *[gr.skip()] * 4, *busy_buttons(is_busy=False)]
            return
        started = told = perf_counter()
        scoring_since = started
        for event in score_texts(model, texts):
            scored.extend(event.finished)
            if cancelled.is_set():
                break
            if not event.share:
                # Reading goes at another pace, which says nothing about the time left.
                scoring_since = perf_counter()
            if perf_counter() - told > _REFRESH_S:
                told = perf_counter()
                yield [
                    gr.skip(),
                    _progress(event, told - scoring_since),
                    _histogram(model, scored),
                    *[gr.skip()] * 5,
                ]
        elapsed_s = perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            file = write_report(table, model.labels, scored, Path(folder) / "sentiment.csv")
            # The file is copied before the generator goes on.
            yield [
                "",
                _result(scored, len(texts), elapsed_s),
                _histogram(model, scored),
                keep_answers(texts, model.labels, scored),
                gr.Column(visible=True),
                gr.DownloadButton(value=str(file), visible=True),
                *busy_buttons(is_busy=False),
            ]


def _progress(event: BatchEvent, elapsed_s: float) -> str:
    if not event.share:
        return status_line("Reading", f"{counted(event.num_texts, 'text')}.", 0.0)
    left_s = elapsed_s * (1 - event.share) / event.share
    facts = (
        f"{event.num_done:,} of {counted(event.num_texts, 'text')}, "
        f"{event.num_done / elapsed_s:,.0f} texts/s, {format_duration(left_s)} left"
    )
    return status_line("Scoring", facts, event.share)


def _result(scored: list[ScoredText], num_texts: int, elapsed_s: float) -> str:
    problems = sum(bool(text.problem) for text in scored)
    num_unknown = sum(text.score.num_unknown for text in scored if text.score)
    facts = f"{len(scored):,} of {counted(num_texts, 'text')} in {format_elapsed(elapsed_s)}"
    if problems:
        facts += f"; {problems:,} could not be scored, each with its reason"
    if num_unknown:
        facts += f"; {counted(num_unknown, 'word')} could not be read"
    return ended_line(facts, len(scored), num_texts)


def _histogram(model: SentimentModel, scored: list[ScoredText]) -> str:
    scores = [text.score for text in scored if text.score and not text.problem]
    if len(model.labels) == 2:
        positive = model.labels[1]
        return plots.histogram_html([score.probs[positive] for score in scores], positive)
    if sides := find_sides(model.labels):
        return plots.sides_html([score.probs for score in scores], sides)
    return plots.label_counts_html([score.label for score in scores], model.labels)


def build_batch_view(active: gr.State, variant: gr.State) -> None:
    """Build the part.

    Args:
        active: The model in use.
        variant: The name of its variant.
    """
    job = gr.State("")
    gr.Markdown("### Many texts")
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            lines = gr.Textbox(
                label="One text per line",
                placeholder="Paste lines here ...",
                lines=6,
                max_lines=6,
                elem_id="sentiment-lines",
            )
            file = gr.File(
                label="Or a CSV, TSV, TXT or XLSX file",
                file_types=list(SUFFIXES),
                height=130,
                elem_id="sentiment-file",
            )
            found = gr.Markdown(elem_classes="foundry-note")
            preview = gr.Dataframe(
                interactive=False,
                show_label=False,
                wrap=True,
                visible=False,
                elem_classes="notranslate",
                elem_id="sentiment-preview",
            )
            header = gr.Checkbox(
                label="The first row names the columns", visible=False, elem_id="sentiment-header"
            )
            column = gr.Dropdown(label="Column with the texts", visible=False)
            with gr.Row():
                start = gr.Button("Score", variant="primary", elem_id="sentiment-score")
                cancel = gr.Button("Cancel", interactive=False, elem_id="sentiment-cancel")
        with gr.Column():
            status = gr.HTML(
                status_line("Ready", _IDLE),
                elem_classes="flush",
                elem_id="sentiment-status",
            )
            histogram = gr.HTML(
                elem_classes="flush",
                css_template=plots.HISTOGRAM_CSS,
                elem_id="sentiment-histogram",
            )
            download = gr.DownloadButton(
                "Download CSV", visible=False, size="sm", elem_id="sentiment-download"
            )
    view = build_answered_view()

    looked_at = [column, found, header, preview]
    file.change(on_file, file, looked_at, **QUIET)
    header.input(on_file, [file, header], looked_at, **LATEST)
    start.click(
        on_score,
        [lines, file, column, active, variant, header],
        [job, status, histogram, view.answered, view.part, download, start, cancel],
        **OWN_QUEUE,
        **QUIET,
    ).then(on_answered, [view.answered, view.doubt], view.outputs(), **QUIET)
    cancel.click(on_cancel, job, None, **QUIET)
