"""Where values stand on a chart: its size, its two scales and their grid; without Gradio."""

import itertools
import math
from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 640, 360
LEFT, TOP, BOTTOM = 64, 24, 52
# Points of quality below the best that are drawn to scale.
MAX_SPAN = 5.0
# Numbers of a scale in powers of ten, the most first; those are taken that have room.
_FACTORS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
# Pixels: seven digits and their commas take 62.
_TICK_ROOM = 66

Scale = Callable[[float], float]

AXES_CSS = """
.scroll { overflow-x: auto; }
svg { width: 100%; min-width: 460px; height: auto; max-height: 26rem; font-size: 13px; }
text { fill: var(--body-text-color); }
.axis, .tick { fill: var(--body-text-color-subdued); }
.grid { stroke: var(--border-color-primary); }
.front { fill: none; stroke: var(--foundry-green); stroke-width: 2; stroke-dasharray: 5 4; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; font-size: 0.85rem;
  color: var(--body-text-color-subdued); }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 50%;
  margin-right: 0.4em; }
i.line { width: 1.4em; height: 0; border-radius: 0; border-top: 2px dashed var(--foundry-green);
  vertical-align: 0.25em; }
"""


def log_scale(values: Sequence[float], right: float) -> tuple[Scale, list[float]]:
    """Return where a cost stands from left to right, by its order of magnitude, and the ticks.

    Args:
        values: What is drawn, above 0.
        right: Room beside the chart.
    """
    low, high = math.log10(min(values)) - 0.12, math.log10(max(values)) + 0.12
    span = WIDTH - LEFT - right

    def place(value: float) -> float:
        return LEFT + span * (math.log10(value) - low) / (high - low)

    def list_ticks(factors: Sequence[float]) -> list[float]:
        powers = range(math.floor(low), math.ceil(high) + 1)
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        return [tick for tick in ticks if low <= math.log10(tick) <= high]

    choices = (list_ticks(factors) for factors in _FACTORS)
    return place, next(
        (ticks for ticks in choices if _has_room([place(tick) for tick in ticks])), []
    )


def _has_room(places: Sequence[float]) -> bool:
    return all(after - before >= _TICK_ROOM for before, after in itertools.pairwise(places))


def is_off_scale(quality: float, qualities: Sequence[float]) -> bool:
    """Tell whether a quality is so far below the best that it is drawn at the bottom.

    Args:
        quality: One of them.
        qualities: What is drawn, in [0, 1].
    """
    return 100 * (max(qualities) - quality) > MAX_SPAN


def linear_scale(qualities: Sequence[float]) -> tuple[Scale, list[float]]:
    """Return where a quality in percent stands from top to bottom, and the ticks.

    Args:
        qualities: What is drawn, in [0, 1].
    """
    highest = 100 * max(qualities)
    # One variant that was pruned to death must not press all others onto one line.
    lowest = max(100 * min(qualities), highest - MAX_SPAN)
    room = max(0.1, 0.12 * (highest - lowest))
    low, high = lowest - room, highest + room
    step = 10 ** math.floor(math.log10((high - low) / 2))
    # By rounding, even the smallest may fit a little less than twice.
    step *= next((factor for factor in (5, 2) if (high - low) / (factor * step) >= 2), 1)
    ticks = [step * index for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
    span = HEIGHT - TOP - BOTTOM

    def place(percent: float) -> float:
        return TOP + span * (high - max(percent, lowest)) / (high - low)

    return place, [tick for tick in ticks if tick <= 100]


def grid(
    x: Scale, x_ticks: Sequence[float], y: Scale, y_ticks: Sequence[float], right: float
) -> list[str]:
    """Return SVG: a line and a number for every tick of both scales.

    Args:
        x: From `log_scale()`, as its ticks.
        x_ticks: Their values.
        y: From `linear_scale()`, as its ticks.
        y_ticks: Their values, in percent.
        right: Room beside the chart.
    """
    return [
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" '
        f'y2="{HEIGHT - BOTTOM}"/><text class="tick" x="{x(tick):.1f}" '
        f'y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_format_tick(tick)}</text>'
        for tick in x_ticks
    ] + [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - right}" y1="{y(tick):.1f}" '
        f'y2="{y(tick):.1f}"/><text class="tick" x="{LEFT - 8}" y="{y(tick) + 4:.1f}" '
        f'text-anchor="end">{tick:.4g}%</text>'
        for tick in y_ticks
    ]


def _format_tick(tick: float) -> str:
    return f"{tick:,.0f}" if tick >= 10 else f"{tick:g}"
