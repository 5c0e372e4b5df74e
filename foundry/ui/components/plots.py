"""Events and evaluations -> data frames, HTML and small pictures; nothing here touches Gradio."""

import base64
import io
import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
import pandas as pd
from PIL import Image, ImageColor

from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.page import palette

TRAIN, VALIDATION = "training", "validation"
KEPT, STOPPED_EARLY = "epoch kept", "stopped early"
_AXIS_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)
# Guessing loses 2.3 nats; a loss that explodes would press all others onto the axis.
_HIGHEST_LOSS = 10.0


def loss_frame(run: Run | None) -> pd.DataFrame:
    """Return columns epoch, loss, series: both losses, and lines at the kept and the last epoch."""
    rows: list[tuple[float, float | None, str]] = []
    if run:
        rows += [(_epochs_done(run, e), e.train_loss, TRAIN) for e in run.events]
        rows += [(e.epoch, e.val_loss, VALIDATION) for e in run.events if e.val_loss is not None]
        rows += _marks(run, *loss_axis(loss for _, loss, _ in rows))
    return _frame(rows + _legend(run, TRAIN, VALIDATION), "loss", "series")


def accuracy_frame(run: Run | None) -> pd.DataFrame:
    """Return columns epoch, accuracy in percent, series: validation, and the same two lines."""
    rows: list[tuple[float, float | None, str]] = []
    if run:
        rows += [(epoch, accuracy, VALIDATION) for epoch, accuracy in _accuracies(run)]
        rows += _marks(run, min((y for _, y, _ in rows if y), default=0.0), 100.0)
    return _frame(rows + _legend(run, VALIDATION), "accuracy", "series")


def loss_axis(losses: Iterable[float | None]) -> list[float]:
    """Return the ends of an axis that holds losses but those that explode, and grows by steps.

    A plot that gets points keeps the room that its labels took when it was built; so it is built
    with an axis, and anew when that changes.

    Args:
        losses: In nats; what is no number counts for nothing.
    """
    known = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    highest = min(max(known, default=0.0), max([_HIGHEST_LOSS, *known[:1]])) or 1.0
    size = 10.0 ** math.floor(math.log10(highest))
    tops = (size * step for step in _AXIS_STEPS if size * step >= highest)
    return [0.0, next(tops, highest)]


def accuracy_axis(accuracies: Iterable[float | None]) -> list[float]:
    """Return the ends of an axis in percent that holds accuracies, and grows by steps.

    Args:
        accuracies: In [0, 1].
    """
    lowest = 100 * min((one for one in accuracies if one is not None), default=0.9)
    step = 1.0 if lowest >= 90 else 10.0
    return [min(99.0, step * math.floor(lowest / step)), 100.0]


def comparison_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return columns epoch, accuracy in percent, run: one validation curve a run."""
    rows = [
        (epoch, accuracy, run_title(run)) for run in runs for epoch, accuracy in _accuracies(run)
    ]
    return _frame(rows, "accuracy", "run")


def run_title(run: Run) -> str:
    """Return what its owner calls a run, or when it was started and what it trained."""
    if run.name:
        return f"{run.name} ({run.run_id.split('-')[2][:4]})"
    day, time_of_day, chance = run.run_id.split("-")
    name = {"lenet": "LeNet", "cnn": "CNN"}[run.config.model]
    # The last letters tell apart what was started in the same second.
    return (
        f"{name}, {run.config.epochs} epochs, {day[4:6]}-{day[6:]} "
        f"{time_of_day[:2]}:{time_of_day[2:4]} ({chance[:4]})"
    )


def _legend(run: Run | None, *curves: str) -> list[tuple[float, float | None, str]]:
    """Return a row without a point for every curve to come.

    A plot settles its colours when it is built and leaves out curves that appear later.
    """
    names = [*curves, KEPT]
    if run and run.config.patience:
        names.append(STOPPED_EARLY)
    return [(math.nan, math.nan, name) for name in names]


def _frame(rows: Sequence[tuple[float, float | None, str]], y: str, series: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["epoch", y, series])
    # An empty frame has no types, and a plot that starts with it would treat numbers as names.
    return frame.astype({"epoch": float, y: float, series: str})


def _accuracies(run: Run) -> list[tuple[float, float]]:
    """Return (epoch, validation accuracy in percent) of every epoch that has ended."""
    return [
        (event.epoch, 100 * event.val_accuracy)
        for event in run.events
        if event.val_accuracy is not None
    ]


def _epochs_done(run: Run, event: TrainEvent) -> float:
    return event.step / event.num_steps * run.config.epochs


def _marks(run: Run, lowest: float, highest: float) -> list[tuple[float, float | None, str]]:
    """Return vertical lines, two points each, at the kept epoch and at an early stop."""
    kept = max((event.epoch for event in run.events if event.is_best), default=None)
    if kept is None:
        return []
    marks = [(kept, KEPT)]
    if run.stopped_early:
        marks.append((run.events[-1].epoch, STOPPED_EARLY))
    return [(epoch, y, name) for epoch, name in marks for y in (lowest, highest)]


def digit_bars(probs: Sequence[float] | None) -> str:
    """Return HTML: the answer in large and ten bars in the order of the digits."""
    if probs is None:
        return (
            '<div class="answer"><span>Draw a digit on the pad: '
            "the answer appears here as you draw.</span></div>"
        )
    best = int(np.argmax(probs))
    rows = []
    for digit, prob in enumerate(probs):
        mark = " best" if digit == best else ""
        rows.append(
            f'<span class="digit{mark}">{digit}</span>'
            f'<div class="track"><div class="fill{mark}" style="width:{prob:.2%}"></div></div>'
            f'<span class="share{mark}">{prob:.1%}</span>'
        )
    return (
        f'<div class="answer"><b>{best}</b><span>{probs[best]:.1%} sure</span></div>'
        f'<div class="digit-bars">{"".join(rows)}</div>'
    )


def figures(values: dict[str, str]) -> str:
    """Return HTML: a row of headline figures, name -> value with its unit."""
    cells = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>"
        for name, value in values.items()
    )
    return f'<div class="figures">{cells}</div>'


def status_line(
    state: str, facts: str = "", share: float | None = None, style: str = "running"
) -> str:
    """Return HTML: what goes on, over a progress bar.

    Args:
        state: One word in bold.
        facts: What stands beside it.
        share: Done, in [0, 1]; None for no bar.
        style: A run's status, which sets the colour.
    """
    bar = (
        ""
        if share is None
        else (
            '<div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}" aria-label="Progress">'
            f'<div class="fill" style="width:{share:.1%}"></div></div>'
        )
    )
    return (
        f'<div class="run-status {style}"><div class="line"><span class="state">{escape(state)}'
        f'</span><span class="facts">{escape(facts)}</span></div>{bar}</div>'
    )


def round_thousands(value: float) -> str:
    """Return a large number with three significant digits: 21,345.6 -> 21,300."""
    return f"{float(f'{value:.3g}'):,.0f}"


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return counts, int (10, 10): rows are the true digit, columns what was read."""
    return np.bincount(labels * 10 + predictions, minlength=100).reshape(10, 10)


def tile(maps: np.ndarray, columns: int = 8, zoom: int = 4) -> Image.Image:
    """Lay small maps out side by side, enlarged without smoothing.

    Args:
        maps: float32, shape (N, H, W).
        columns: Maps in a row.
        zoom: Screen pixels per map pixel.
    """
    num_maps, height, width = maps.shape
    columns = min(columns, num_maps)
    rows = -(-num_maps // columns)
    gap = 1
    sheet = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 4), 0, dtype=np.uint8
    )
    largest = float(np.abs(maps).max()) or 1.0
    for index, values in enumerate(maps / largest):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = _colour(values)
    image = Image.fromarray(sheet)
    return image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)


def _colour(values: np.ndarray) -> np.ndarray:
    yellow, dark = np.array(ImageColor.getrgb(palette.YELLOW)), np.array([15, 23, 42])
    share = np.abs(values)[..., None]
    colour = dark + (yellow - dark) * share
    return np.concatenate([colour, np.full_like(share, 255)], axis=-1).astype(np.uint8)


def digit_image(image: np.ndarray, zoom: int = 4) -> Image.Image:
    """Enlarge what a model sees, uint8 (28, 28), without smoothing."""
    size = image.shape[0] * zoom
    return Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST)


def png_url(image: Image.Image) -> str:
    """Return a picture as a data URL, for an HTML component."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
