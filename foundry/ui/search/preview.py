"""What the form will try, and how many trials go how far, drawn before anything is searched."""

import math
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.errors import InputError
from foundry.search import SearchConfig
from foundry.search.config import CHOICES, LOGARITHMIC, REDUCTION_FACTOR
from foundry.training.config import LIMITS
from foundry.ui.components.plots import CARD_CSS
from foundry.ui.page.feedback import LATEST
from foundry.ui.search.form import read_form
from foundry.ui.search.plots import NAMES, format_value

# Where what is accepted begins at zero, the logarithmic axis of it begins here.
_LEAST = 1e-6
# Trials as marks of their own; of more the share.
_MAX_DRAWN = 32
_CSS = (
    CARD_CSS
    + """
figcaption:not(:first-child) { margin-top: 1.3rem; }
.rows { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 9px 14px;
  align-items: center; font-size: 0.875rem; }
.rows > b { font-weight: 600; }
.rows > span { color: var(--body-text-color-subdued); white-space: nowrap; }
.track { height: 14px; border-radius: 3px; background: var(--border-color-primary); }
.track i { display: block; height: 100%; min-width: 3px; border-radius: 3px;
  background: var(--foundry-blue); }
.choices { display: flex; flex-wrap: wrap; gap: 6px; grid-column: 2 / -1; }
.choices em { font-style: normal; padding: 0 0.6rem; border-radius: 999px; line-height: 1.6;
  background: color-mix(in srgb, var(--foundry-sky) 18%, transparent); }
.trials { display: flex; gap: 2px; height: 14px; }
.trials i { flex: 1; border-radius: 2px; background: var(--border-color-primary); }
.trials i.on { background: var(--foundry-blue); }
p { margin: 0.8rem 0 0; font-size: 0.875rem; color: var(--body-text-color-subdued); }
@media (max-width: 500px) {
  .rows { grid-template-columns: auto minmax(0, 1fr); }
  .rows > span { grid-column: 2; margin-top: -6px; }
}
"""
)


def on_preview(*knobs: Any) -> Any:
    """Draw what the knobs ask for; of what is not accepted Search says why.

    Args:
        knobs: Values in the order of `build_knobs()`.
    """
    try:
        return preview_html(read_form(knobs))
    except InputError:
        return gr.skip()


def preview_html(config: SearchConfig) -> str:
    """Return HTML: the range of each searched setting within what is accepted, and the rungs.

    Args:
        config: What is to be searched.
    """
    rows = "".join(_row_html(config, name) for name in config.searched)
    tried = (
        rows or "<b>There is only one setting to try: open a range, or choose several values.</b>"
    )
    return (
        "<figure><figcaption><b>What it will try</b> "
        "<span>each bar within all that is accepted</span></figcaption>"
        f'<div class="rows">{tried}</div>{_rungs_html(config)}</figure>'
    )


def _row_html(config: SearchConfig, name: str) -> str:
    label, values = f"<b>{escape(NAMES[name])}</b>", getattr(config, name)
    if name in CHOICES:
        chips = "".join(f'<em translate="no">{escape(value)}</em>' for value in values)
        return f'{label}<div class="choices">{chips}</div>'
    begin, end = (_place(name, value) for value in values)
    low, high = map(format_value, values)
    return (
        f'{label}<div class="track"><i style="margin-left:{begin:.1%};width:{end - begin:.1%}"></i>'
        f'</div><span translate="no">{low} – {high}</span>'
    )


def _place(name: str, value: float) -> float:
    """Return where a value is on the axis of all that is accepted, in [0, 1]."""
    lowest, highest = LIMITS[name]
    if name not in LOGARITHMIC:
        return (value - lowest) / (highest - lowest)
    lowest = max(lowest, _LEAST)
    return math.log(max(value, lowest) / lowest) / math.log(highest / lowest)


def _rungs_html(config: SearchConfig) -> str:
    if not config.rungs:
        return "<p>Every trial is trained to its end: the best is known late.</p>"
    # Enough that one is left.
    total = REDUCTION_FACTOR ** len(config.rungs)
    ends = [*config.rungs, float(config.epochs)]
    counts = [total // REDUCTION_FACTOR**passed for passed in range(len(ends))]
    rows = "".join(
        f"<b>{_count_epochs(end)}</b>{_trials_html(count, total)}"
        f"<span>{count} of {total} trials</span>"
        for end, count in zip(ends, counts, strict=True)
    )
    spent = sum(
        count * (end - begin)
        for begin, end, count in zip([0.0, *ends[:-1]], ends, counts, strict=True)
    )
    return (
        "<figcaption><b>Who gets how far</b> "
        "<span>the better half goes on, each time that is decided</span></figcaption>"
        f'<div class="rows">{rows}</div>'
        f"<p>{spent:g} epochs of training instead of {total * config.epochs:g}.</p>"
    )


def _count_epochs(number: float) -> str:
    return "1 epoch" if number == 1 else f"{number:g} epochs"


def _trials_html(count: int, total: int) -> str:
    if total > _MAX_DRAWN:
        return f'<div class="track"><i style="width:{count / total:.1%}"></i></div>'
    drawn = "<i class=on></i>" * count + "<i></i>" * (total - count)
    return f'<div class="trials">{drawn}</div>'


def build_preview(knobs: list[Component]) -> None:
    """Build the drawing, which follows the form.

    Args:
        knobs: From `build_knobs()`.
    """
    drawing = gr.HTML(
        preview_html(SearchConfig()),
        elem_id="search-preview",
        css_template=_CSS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
    )
    gr.on([knob.change for knob in knobs], on_preview, knobs, drawing, **LATEST)
