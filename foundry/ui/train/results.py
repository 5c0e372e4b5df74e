"""A finished run under the magnifying glass: figures, confusion matrix, mistakes, downloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from foundry.data import DIGITS, Split
from foundry.errors import ArtifactError, counted
from foundry.training import export
from foundry.training.inspection.measures import Measures, measure_classes
from foundry.training.runs import Run, read_own_run
from foundry.ui.components import plots
from foundry.ui.page.feedback import shows_errors
from foundry.ui.server.downloads import KeptFiles
from foundry.ui.train.inspection.sure import build_sure, render_sure

_MAX_IMAGES = 40
_WORST = 12
# Of the confusion matrix: more would be too small to press.
_MAX_ROWS = 26
_FILES = KeptFiles(256)

_MATRIX_JS = """
element.addEventListener('click', (event) => {
  const cell = event.target.closest('button[data-cell]');
  if (!cell) return;
  element.querySelectorAll('button[aria-pressed]').forEach(b => b.removeAttribute('aria-pressed'));
  cell.setAttribute('aria-pressed', 'true');
  trigger('select', {cell: Number(cell.dataset.cell)});
});
"""
_MATRIX_CSS = """
table { border-collapse: separate; border-spacing: 2px; width: 100%; table-layout: fixed;
  border: 0; margin: 0; }
tr, td, th { border: 0 !important; padding: 0 !important; background: none !important; }
th { font-weight: 600; font-size: 0.8rem; text-align: center; }
tr > :first-child { width: 1.4rem; }
caption { caption-side: bottom; font-size: 0.85rem; color: var(--body-text-color-subdued);
  padding-top: 0.4rem; text-align: left; }
.named th { font-size: 0.7rem; overflow: hidden; text-overflow: ellipsis; max-width: 5rem; }
.named tr > :first-child { width: clamp(2rem, 15%, 8rem); text-align: right; }
button { width: 100%; min-height: 30px; border: 0; border-radius: 4px; cursor: pointer;
  font-size: clamp(0.5rem, 2.3vw, 0.75rem); font-variant-numeric: tabular-nums; padding: 0; }
button[aria-pressed] { outline: 3px solid var(--foundry-orange); }
"""


@dataclass(frozen=True)
class ResultsView:
    """The components of this part, in the order `render_results()` fills them."""

    group: gr.Column
    figures: gr.HTML
    matrix: gr.HTML
    cell_title: gr.Markdown
    cell_images: gr.Gallery
    mistakes: gr.Gallery
    sure: gr.HTML
    weights: gr.DownloadButton
    metrics: gr.DownloadButton
    tensorboard: gr.DownloadButton
    script: gr.DownloadButton

    def outputs(self) -> list[Any]:
        """Return the components as a list of outputs."""
        return list(vars(self).values())


def render_results(run: Run | None) -> list[Any]:
    """Return updates for a `ResultsView`: filled for a finished run, hidden otherwise.

    Args:
        run: Any run of the visitor's.
    """
    if run is None or run.result is None:
        return [gr.Column(visible=False)] + [gr.skip()] * 10
    try:
        test = run.data.test
    except ArtifactError as error:
        # The figures need no pictures, what they are about does.
        return [
            gr.Column(visible=True),
            plots.figures(_headline(run.result, 0)),
            "",
            str(error),
            gr.Gallery([], visible=False),
            gr.Gallery([]),
            "",
            *_write_downloads(run),
        ]
    labels, probs = test.labels.numpy(), run.test_probs.numpy()
    answers = probs.argmax(1)
    figures = plots.figures(_headline(run.result, len(test)))
    if not run.is_on_mnist:
        measures = measure_classes(labels, answers, len(run.classes))
        figures += plots.figures(_class_figures(measures, run.classes))
    return [
        gr.Column(visible=True),
        figures,
        _matrix_html(plots.confusion_matrix(labels, answers, len(run.classes)), run.classes),
        "Choose a cell of the matrix to see its images.",
        gr.Gallery([], visible=False),
        _worst_mistakes(test, probs, run.classes),
        render_sure(run),
        *_write_downloads(run),
    ]


def _write_downloads(run: Run) -> list[Any]:
    writers = [export.write_weights, export.write_metrics, export.write_tensorboard]
    # What went on from another network cannot be repeated by settings alone.
    if not run.start:
        writers.append(export.write_script)
    paths = _FILES.get(run.run_id, lambda folder: [write(run, folder) for write in writers])
    script = gr.DownloadButton(value=None if run.start else paths[-1], visible=not run.start)
    return [*paths[:3], script]


def forget_files(run_id: str) -> None:
    """Remove what was written to be downloaded of a run that was deleted."""
    _FILES.drop(lambda key: key == run_id)


def _headline(result: dict[str, Any], num_tested: int) -> dict[str, str]:
    threads = counted(result["num_threads"], "thread")
    return {
        f"test accuracy, {num_tested:,} images": f"{result['test_accuracy']:.2%}",
        f"validation accuracy, epoch {result['best_epoch']} kept": f"{result['val_accuracy']:.2%}",
        "training time": f"{result['elapsed_s']:.1f} s",
        f"images/s ({result['device']}, {threads})": plots.round_thousands(result["images_per_s"]),
        "parameters": f"{result['parameters']:,}",
    }


def _class_figures(measures: Measures, classes: Sequence[str]) -> dict[str, str]:
    """Return what accuracy alone hides; of two classes the second is the one that is looked for."""
    figures = {
        "balanced accuracy: every class counts alike": f"{measures.balanced_accuracy:.2%}",
        f"right by always saying “{classes[measures.majority]}”": f"{measures.majority_share:.2%}",
    }
    if len(classes) == 2:
        missed, found = measures.recalls
        figures |= {
            f"sensitivity: “{classes[1]}” recognised": f"{found:.2%}",
            f"specificity: “{classes[0]}” recognised": f"{missed:.2%}",
        }
    return figures


def _choose_classes(matrix: np.ndarray) -> np.ndarray:
    """Return the places of the classes that the table has room for, those with most mistakes."""
    num_classes = len(matrix)
    if num_classes <= _MAX_ROWS:
        return np.arange(num_classes)
    mistakes = matrix.sum(0) + matrix.sum(1) - 2 * np.diag(matrix)
    return np.sort(np.argsort(-mistakes, kind="stable")[:_MAX_ROWS])


def _matrix_html(matrix: np.ndarray, classes: Sequence[str]) -> str:
    shown, num_classes = _choose_classes(matrix).tolist(), len(matrix)
    names = [
        f'<span translate="no" title="{escape(name)}">{escape(name)}</span>' for name in classes
    ]
    if tuple(classes) == DIGITS:
        names = list(classes)
    header = "".join(f'<th scope="col">{names[read]}</th>' for read in shown)
    rows = []
    largest_mistake = max(1, int((matrix - np.diag(np.diag(matrix))).max()))
    for true in shown:
        cells = []
        for read in shown:
            count = int(matrix[true, read])
            if true == read:
                colour = "background:var(--foundry-blue);color:white"
            elif count:
                share = 0.25 + 0.75 * count / largest_mistake
                text = "white" if share > 0.6 else "inherit"
                colour = f"background:rgba(213,94,0,{share:.2f});color:{text}"
            else:
                colour = "background:transparent;color:var(--body-text-color-subdued)"
            one, other = escape(classes[true]), escape(classes[read])
            cells.append(
                f'<td><button type="button" data-cell="{num_classes * true + read}" '
                f'style="{colour}" aria-label="{counted(count, "image")} of {one} read as {other}">'
                f"{count}</button></td>"
            )
        rows.append(f'<tr><th scope="row">{names[true]}</th>{"".join(cells)}</tr>')
    caption = "Rows: the digit that was written. Columns: the digit that was read. Test split."
    if tuple(classes) != DIGITS:
        caption = "Rows: what it is. Columns: what the network says. Test split."
    if len(shown) < num_classes:
        caption += f" Of {num_classes} classes the {len(shown)} with the most mistakes."
    named = "" if tuple(classes) == DIGITS else ' class="named"'
    return (
        f"<table{named}><caption>{caption}</caption><tr><td></td>{header}</tr>{''.join(rows)}"
        "</table>"
    )


def _worst_mistakes(
    test: Split, probs: np.ndarray, classes: Sequence[str]
) -> list[tuple[Any, str]]:
    wrong = np.flatnonzero(probs.argmax(1) != test.labels.numpy())
    worst = wrong[np.argsort(-probs[wrong].max(1))][:_WORST]
    return _captioned(worst, test, probs, classes)


def _captioned(
    indices: np.ndarray, test: Split, probs: np.ndarray, classes: Sequence[str]
) -> list[tuple[Any, str]]:
    return [
        (
            plots.digit_image(test.images[i].numpy()),
            f"{classes[int(test.labels[i])]} → {classes[probs[i].argmax()]} ({probs[i].max():.0%})",
        )
        for i in indices.tolist()
    ]


@shows_errors
def on_cell(run_id: str, token: str, event: gr.EventData) -> tuple[str, Any]:
    """Show the images behind a cell of the confusion matrix.

    Args:
        run_id: The run on show.
        token: The visitor's token.
        event: Carries the cell's number, the row times the number of classes plus the column.

    Returns:
        A heading and the gallery.
    """
    run = read_own_run(run_id, token)
    true, read = divmod(int(event.cell), len(run.classes))
    test, probs = run.data.test, run.test_probs.numpy()
    labels = test.labels.numpy()
    found = np.flatnonzero((labels == true) & (probs.argmax(1) == read))
    # The least certain first: those are the ones worth looking at.
    shown = found[np.argsort(probs[found, read])][:_MAX_IMAGES]
    heading = (
        f"**{len(found):,}** {'image of' if len(found) == 1 else 'images of'} "
        f"**{run.classes[true]}** read as **{run.classes[read]}**"
    )
    if len(found) > len(shown):
        heading += f"; the {len(shown)} least certain"
    return heading, gr.Gallery(_captioned(shown, test, probs, run.classes), visible=len(found) > 0)


def build_results_view(run_id: Component, visitor: gr.BrowserState) -> ResultsView:
    """Build the part, hidden until a run has finished."""
    with gr.Column(visible=False) as group:
        figures = gr.HTML(padding=False, elem_classes="flush")
        with gr.Row(elem_classes="halves"):
            with gr.Column():
                gr.Markdown("### What it mixes up")
                matrix = gr.HTML(
                    elem_id="confusion-matrix",
                    js_on_load=_MATRIX_JS,
                    css_template=_MATRIX_CSS,
                    apply_default_css=False,
                )
            with gr.Column():
                cell_title = gr.Markdown()
                cell_images = gr.Gallery(
                    height="auto",
                    interactive=False,
                    show_label=False,
                    elem_classes=["pixelated", "images"],
                )
        gr.Markdown("### Most confident mistakes: true → predicted (how sure)")
        mistakes = gr.Gallery(
            height="auto", interactive=False, show_label=False, elem_classes=["pixelated", "images"]
        )
        sure = build_sure(visitor)
        with gr.Row():
            downloads = [
                gr.DownloadButton(label, size="sm", min_width=140)
                for label in ("Weights", "Metrics (CSV)", "TensorBoard log", "Equivalent Python")
            ]
    matrix.select(
        on_cell,
        [run_id, visitor],
        [cell_title, cell_images],
        trigger_mode="multiple",
        api_visibility="private",
    )
    return ResultsView(group, figures, matrix, cell_title, cell_images, mistakes, sure, *downloads)
