"""A search as HTML: its table, its Pareto plot, its parallel coordinates; without Gradio."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from foundry.search import SearchConfig
from foundry.search.config import CHOICES, LOGARITHMIC
from foundry.search.runs import SearchRun, Trial
from foundry.ui.components.chart_scales import (
    AXES_CSS,
    HEIGHT,
    LEFT,
    MAX_SPAN,
    WIDTH,
    grid,
    is_off_scale,
    linear_scale,
    log_scale,
)
from foundry.ui.components.pareto import pareto_front

_RIGHT = 24
NAMES = {
    "model": "Model",
    "optimizer": "Optimizer",
    "schedule": "Schedule",
    "width": "Width",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "dropout": "Dropout",
}
# The accuracy below the best that is drawn to scale.
_SPAN = MAX_SPAN / 100
# Of the parallel coordinates.
_TALL, _ABOVE, _BELOW, _SIDE = 316, 62, 30, 60

PARETO_CSS = f"""{AXES_CSS}
circle {{ fill-opacity: 0.7; stroke: var(--body-background-fill); }}
circle.front-one {{ stroke: var(--foundry-green); stroke-width: 3; }}
.done {{ fill: var(--foundry-blue); background: var(--foundry-blue); }}
.running {{ fill: var(--foundry-orange); background: var(--foundry-orange); }}
.stopped, .diverged, .failed {{ fill: var(--body-text-color-subdued);
  background: var(--body-text-color-subdued); }}
"""
PARALLEL_CSS = f"""{AXES_CSS}
svg {{ min-width: 620px; }}
polyline {{ fill: none; stroke: var(--foundry-blue); }}
polyline.best {{ stroke: var(--foundry-green); stroke-width: 3; }}
.pole {{ stroke: var(--body-text-color-subdued); }}
i.done {{ background: var(--foundry-blue); }} i.best {{ background: var(--foundry-green); }}
"""
TABLE_CSS = """
.scroll { overflow: auto; max-height: 24rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.5rem; text-align: right; border: 0; white-space: nowrap;
  border-bottom: 1px solid var(--border-color-primary); }
thead th { font-size: 0.8rem; font-weight: 600; position: sticky; top: 0;
  background: var(--block-background-fill); }
td.text, th.text { text-align: left; }
tr.best { background: var(--background-fill-secondary); }
tr.best th { box-shadow: inset 3px 0 var(--foundry-green); }
.state::before { display: inline-block; width: 1.3em; }
.state.running::before { content: "▶"; color: var(--foundry-orange); }
.state.done::before { content: "●"; color: var(--foundry-blue); }
.state.stopped::before { content: "■"; color: var(--body-text-color-subdued); }
.state.diverged::before, .state.failed::before { content: "▲"; color: var(--foundry-vermilion); }
button { border: 1px solid var(--border-color-primary); border-radius: var(--radius-sm);
  padding: 0.15rem 0.6rem; cursor: pointer; background: var(--button-secondary-background-fill);
  color: var(--body-text-color); }
button:focus-visible { outline: 2px solid var(--foundry-blue); }
"""


def table_html(run: SearchRun) -> str:
    """Return HTML: one row a trial, the best first, with a button that makes it a run."""
    if not run.trials:
        return ""
    searched = run.config.searched
    head = "".join(f'<th scope="col">{escape(NAMES[name])}</th>' for name in searched)
    rows = "".join(_row_html(trial, searched, trial is run.best) for trial in run.ranked)
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Trial</th><th></th>'
        '<th scope="col" class="text">State</th><th scope="col">Validation accuracy</th>'
        '<th scope="col">Epochs</th><th scope="col">Training time</th>'
        f'<th scope="col">Parameters</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
    )


def _row_html(trial: Trial, searched: Sequence[str], is_best: bool) -> str:
    last = trial.last
    accuracy = "" if trial.accuracy is None else f"{trial.accuracy:.2%}"
    parameters = "" if last.parameters is None else f"{last.parameters:,}"
    cells = "".join(f"<td>{escape(format_value(last.settings[name]))}</td>" for name in searched)
    has_nothing = last.state == "diverged" and trial.accuracy is None
    button = (
        ""
        if last.state in ("running", "failed") or has_nothing
        else f'<button type="button" data-trial="{escape(last.trial_id)}" '
        f'aria-label="Make trial {trial.number} a run">Keep as a run</button>'
    )
    return (
        f'<tr{" class=best" if is_best else ""}><th scope="row">{trial.number}</th>'
        f'<td>{button}</td><td class="text">'
        f'<span class="state {last.state.split()[0]}">{last.state}</span>'
        f"</td><td>{accuracy}</td><td>{last.epoch:.2g}</td><td>{last.train_s:.1f} s</td>"
        f"<td>{parameters}</td>{cells}</tr>"
    )


def format_value(value: Any) -> str:
    """Return a setting with three significant digits, a whole number or a name as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def pareto_html(run: SearchRun) -> str:
    """Return HTML: accuracy over training seconds, or over parameters, with the Pareto front."""
    by_parameters = run.config.objective == "accuracy-parameters"
    shown = [one for one in run.trials if one.accuracy is not None and one.last.train_s > 0]
    if not shown:
        return ""
    costs = [
        float(one.last.parameters or 1) if by_parameters else one.last.train_s for one in shown
    ]
    qualities = [one.accuracy or 0.0 for one in shown]
    x, x_ticks = log_scale(costs, _RIGHT)
    y, y_ticks = linear_scale(qualities)
    parts = grid(x, x_ticks, y, y_ticks, _RIGHT)
    front = pareto_front(list(zip(costs, qualities, strict=True)))
    line = " ".join(f"{x(costs[i]):.1f},{y(100 * qualities[i]):.1f}" for i in front)
    parts.append(f'<polyline class="front" points="{line}"/>')
    for index, (trial, cost, quality) in enumerate(zip(shown, costs, qualities, strict=True)):
        spent = f"{cost:,.0f}" if by_parameters else f"{cost:.1f} s"
        mark = " front-one" if index in front else ""
        parts.append(
            f'<circle class="{trial.last.state.split()[0]}{mark}" cx="{x(cost):.1f}" '
            f'cy="{y(100 * quality):.1f}" r="5"><title>Trial {trial.number}: {quality:.2%}, '
            f"{spent}</title></circle>"
        )
    floor = f"<span>at the bottom: {max(qualities) - _SPAN:.1%} or less</span>"
    title = "Parameters (log)" if by_parameters else "Training time (s, log)"
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 10}" '
        f'text-anchor="middle">{title}</text>'
    )
    return (
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Validation accuracy of every trial">{"".join(parts)}</svg></div>'
        '<div class="legend"><span>Validation accuracy</span>'
        '<span><i class="done"></i>done</span><span><i class="running"></i>running</span>'
        '<span><i class="stopped"></i>stopped early</span>'
        '<span><i class="line"></i>no trial is both cheaper and better</span>'
        f"{floor if any(is_off_scale(one, qualities) for one in qualities) else ''}</div>"
    )


def parallel_html(run: SearchRun) -> str:
    """Return HTML: every trial as a line through its settings to its validation accuracy."""
    shown = [one for one in run.trials if one.accuracy is not None]
    if not shown or not run.config.searched:
        return ""
    names = run.config.searched
    step = (WIDTH - 2 * _SIDE) / len(names)
    poles = [_SIDE + index * step for index in range(len(names) + 1)]
    scales = [_setting_scale(run.config, name) for name in names]
    worst, best = min(one.accuracy or 0 for one in shown), max(one.accuracy or 0 for one in shown)
    lowest = max(worst, best - _SPAN)
    ends = [_ends(run.config, name) for name in names]
    ends.append(("Accuracy", f"{lowest:.1%}", f"{best:.1%}"))
    # Names at two heights, so that none covers the next.
    parts = [
        _pole(pole, 16 * (1 + place % 2), *texts)
        for place, (pole, texts) in enumerate(zip(poles, ends, strict=True))
    ]
    # The best last, over the others.
    for trial in sorted(shown, key=lambda one: one.accuracy or 0):
        share = max(0.0, (trial.accuracy or 0) - lowest) / (best - lowest or 1)
        shares = [
            scale(trial.last.settings[name]) for scale, name in zip(scales, names, strict=True)
        ]
        points = " ".join(
            f"{pole:.1f},{_height(one):.1f}"
            for pole, one in zip(poles, [*shares, share], strict=True)
        )
        mark = ' class="best"' if trial is run.best else ""
        parts.append(
            f'<polyline{mark} points="{points}" stroke-opacity="{0.15 + 0.6 * share**2:.2f}">'
            f"<title>Trial {trial.number}: {trial.accuracy:.2%}</title></polyline>"
        )
    return (
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {_TALL}" role="img" '
        f'aria-label="Settings of every trial">{"".join(parts)}</svg></div>'
        '<div class="legend"><span><i class="done"></i>one line a trial; the fainter, the worse'
        '</span><span><i class="best"></i>the best</span></div>'
    )


def _height(share: float) -> float:
    return _ABOVE + (_TALL - _ABOVE - _BELOW) * (1 - share)


def _pole(x: float, name_y: int, name: str, low: str, high: str) -> str:
    texts = (("axis", name_y, name), ("tick", _ABOVE - 10, high), ("tick", _TALL - 10, low))
    return f'<line class="pole" x1="{x}" x2="{x}" y1="{_height(1)}" y2="{_height(0)}"/>' + "".join(
        f'<text class="{style}" x="{x}" y="{y}" text-anchor="middle">{escape(text)}</text>'
        for style, y, text in texts
    )


def _ends(config: SearchConfig, name: str) -> tuple[str, str, str]:
    values = getattr(config, name)
    return NAMES[name], format_value(values[0]), format_value(values[-1])


def _setting_scale(config: SearchConfig, name: str) -> Callable[[Any], float]:
    """Return what maps a setting to its share of the way from the first to the last, in [0, 1]."""
    values = getattr(config, name)
    if name in CHOICES:
        return lambda value: values.index(value) / (len(values) - 1)
    low, high = values
    if name in LOGARITHMIC and low > 0:
        return lambda value: math.log(value / low) / math.log(high / low)
    return lambda value: (value - low) / (high - low)
