"""Names and evaluations -> HTML and small pictures; nothing here touches Gradio."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from PIL import Image, ImageColor

from foundry.data import DIGITS, NUM_CLASSES
from foundry.errors import counted
from foundry.models.networks import title_of
from foundry.training.runs import Run
from foundry.ui.page import palette

_MAX_BARS = 10
# A figure in a frame of its own, with a title and what is beside it.
CARD_CSS = """
figure { margin: 0; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); padding: 0.7rem 1rem 0.9rem;
  background: var(--block-background-fill); font-variant-numeric: tabular-nums; }
figcaption { color: var(--body-text-color-subdued); font-size: 0.875rem; margin: 0 0 0.7rem; }
figcaption b { color: var(--body-text-color); font-weight: 650; margin-right: 0.5rem; }
"""
PICTURES_CSS = """
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
.pictures > div { flex: 1 1 260px; }
/* The pictures of a row stand on one line, however long their captions are. */
figure { margin: 0; flex: 0 0 240px; display: flex; flex-direction: column;
  justify-content: flex-end; }
figcaption { color: var(--body-text-color-subdued); font-size: 0.875rem; margin-bottom: 0.4rem; }
figure img { width: 100%; image-rendering: pixelated; display: block;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
@media (max-width: 760px) { figure { flex-basis: calc(50% - 0.75rem); } }
.hint, .note { color: var(--body-text-color-subdued); font-size: 0.9rem; }
.note { margin: 0.5rem 0 0; }
.said { margin: 0; font-size: 1.05rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-top: 0.6rem;
  font-size: 0.9rem; }
.legend i { display: inline-block; width: 0.9em; height: 0.9em; border-radius: 3px;
  margin-right: 0.4em; vertical-align: -0.1em; }
.for { background: var(--foundry-blue); }
.against { background: var(--foundry-vermilion); }
"""
# Of an attack: the pictures, and below them what was answered before and after.
FOOL_CSS = (
    PICTURES_CSS
    + """
.both { display: grid; gap: var(--layout-gap); margin-top: 0.9rem;
  grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr)); }
h4 { margin: 0 0 0.3rem; font-size: 0.95rem; font-weight: 600; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; font-weight: 400; }
td b { font-weight: 700; }
.wrong { color: var(--foundry-wrong); }
"""
)


def before_and_after_html(before: str, after: str) -> str:
    """Return HTML: what was answered before an attack beside what is answered now.

    Args:
        before: HTML.
        after: HTML.
    """
    return (
        f'<div class="both"><div><h4>Before</h4>{before}</div>'
        f"<div><h4>After</h4>{after}</div></div>"
    )


def run_title(run: Run) -> str:
    """Return what its owner calls a run, or when it was started and what it trained."""
    if run.name:
        return f"{run.name} ({run.run_id.split('-')[2][:4]})"
    day, time_of_day, chance = run.run_id.split("-")
    name = title_of(run.config.model)
    # The last letters tell apart what was started in the same second.
    return (
        f"{name}, {counted(run.config.epochs, 'epoch')}, {day[4:6]}-{day[6:]} "
        f"{time_of_day[:2]}:{time_of_day[2:4]} ({chance[:4]})"
    )


def digit_bars(probs: Sequence[float] | None, classes: Sequence[str] = DIGITS) -> str:
    """Return HTML: the answer in large and a bar for each class, of many for the likeliest.

    Args:
        probs: One for each class; None before anything was drawn.
        classes: Their names.
    """
    if probs is None:
        return (
            '<div class="answer"><span>Draw a digit on the pad: '
            "the answer appears here as you draw.</span></div>"
        )
    best = int(np.argmax(probs))
    rows = []
    likeliest = np.sort(np.argsort(-np.asarray(probs), kind="stable")[:_MAX_BARS]).tolist()
    own = "" if tuple(classes) == DIGITS else ' translate="no"'
    for digit in likeliest:
        prob = probs[digit]
        mark = " best" if digit == best else ""
        rows.append(
            f'<span class="digit{mark}"{own}>{escape(classes[digit])}</span>'
            f'<div class="track"><div class="fill{mark}" style="width:{prob:.2%}"></div></div>'
            f'<span class="share{mark}">{prob:.1%}</span>'
        )
    return (
        f'<div class="answer"><b{own}>{escape(classes[best])}</b>'
        f"<span>{probs[best]:.1%} sure</span></div>"
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


def ended_line(facts: str, num_done: int, num_all: int) -> str:
    """Return the status line of work on many inputs that went to its end, or was cancelled.

    Args:
        facts: What was done, without a full stop.
        num_done: Inputs that were.
        num_all: Inputs there are.
    """
    state, style = ("Done", "done") if num_done == num_all else ("Cancelled", "stopped")
    return status_line(state, f"{facts}.", num_done / num_all, style)


def round_thousands(value: float) -> str:
    """Return a large number with three significant digits: 21,345.6 -> 21,300."""
    return f"{float(f'{value:.3g}'):,.0f}"


def confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, num_classes: int = NUM_CLASSES
) -> np.ndarray:
    """Return counts, int (classes, classes): rows are the true class, columns what was read."""
    counts = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


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


def signed_picture(values: np.ndarray, ink: np.ndarray | None = None) -> Image.Image:
    """Paint blue what is above zero and vermilion what is below, on white paper.

    Args:
        values: float32 (28, 28).
        ink: uint8 (28, 28), drawn pale below them; None for plain paper.
    """
    blue, vermilion = (
        np.array(ImageColor.getrgb(colour)) for colour in (palette.BLUE, palette.VERMILION)
    )
    pale = np.zeros_like(values) if ink is None else ink / 255
    paper = 255 - 40 * pale[..., None] * np.ones(3)
    # Of the largest 1% one would leave all others pale.
    largest = float(np.quantile(np.abs(values), 0.99)) or float(np.abs(values).max()) or 1.0
    share = np.clip(np.abs(values) / largest, 0, 1)[..., None]
    ends = np.where(values[..., None] < 0, vermilion, blue)
    return Image.fromarray(np.rint(paper + (ends - paper) * share).astype(np.uint8))


def pictures_html(pictures: Mapping[str, Image.Image]) -> str:
    """Return HTML: pictures side by side.

    Args:
        pictures: Caption -> picture.
    """
    figures = "".join(
        f'<figure><figcaption>{escape(caption)}</figcaption><img src="{png_url(picture)}" alt="">'
        "</figure>"
        for caption, picture in pictures.items()
    )
    return f'<div class="pictures" style="margin-top:0.7rem">{figures}</div>'


def ink_mask(ink: np.ndarray) -> str:
    """Return a mask as a data URL, to which the page gives the colour of its text.

    Args:
        ink: uint8 (H, W), 255 = ink.
    """
    return png_url(Image.fromarray(np.stack([np.zeros_like(ink), ink], axis=-1), "LA"))


def png_url(image: Image.Image) -> str:
    """Return a picture as a data URL, for an HTML component."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def format_bytes(size_bytes: int) -> str:
    """Return a size: `85.5 kB`, `45.4 MB`."""
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1e3:.1f} kB"
    return f"{size_bytes / 1e6:.1f} MB"


def format_ms(value_ms: float) -> str:
    """Return a time with three significant digits: `0.0912 ms`, `12.3 ms`."""
    return f"{float(f'{value_ms:.3g}'):g} ms"
