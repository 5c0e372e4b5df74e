"""What came out of a compression, as charts in HTML; nothing here touches Gradio."""

import itertools
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from foundry.ui.components.chart_scales import (
    AXES_CSS,
    BOTTOM,
    HEIGHT,
    LEFT,
    TOP,
    WIDTH,
    grid,
    is_off_scale,
    linear_scale,
    log_scale,
)
from foundry.ui.components.pareto import pareto_front
from foundry.ui.components.plots import format_bytes, format_ms

_RIGHT = 160
_MAX_RADIUS, _MIN_RADIUS = 26.0, 4.0

SCATTER_CSS = f"""{AXES_CSS}
.pytorch {{ fill: var(--foundry-blue); }} .openvino {{ fill: var(--foundry-orange); }}
circle {{ fill-opacity: 0.65; stroke: var(--body-background-fill); stroke-width: 1.5; }}
circle.best {{ stroke: var(--foundry-green); stroke-width: 3; }}
i.pytorch {{ background: var(--foundry-blue); }} i.openvino {{ background: var(--foundry-orange); }}
"""
HISTOGRAMS_CSS = """
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 1rem; }
p { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 0 0 0.6rem; }
figure { margin: 0; } figcaption { font-weight: 600; font-size: 0.9rem; }
figcaption small { font-weight: 400; color: var(--body-text-color-subdued); }
.columns { display: flex; align-items: flex-end; gap: 1px; height: 110px;
  border-bottom: 1px solid var(--border-color-primary); }
.columns div { flex: 1; background: var(--foundry-blue); }
.columns div.cut { background: var(--foundry-vermilion); }
.axis { display: flex; justify-content: space-between; font-size: 0.75rem;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
"""
BARS_CSS = """
.bars { display: grid; grid-template-columns: auto auto minmax(0, 1fr) auto; gap: 4px 10px;
  align-items: center; font-variant-numeric: tabular-nums; }
.bars .layer { font-weight: 600; }
.bars .change, .bars .loss { font-size: 0.85rem; }
.bars .change { color: var(--body-text-color-subdued); }
.bars .loss { text-align: right; }
.track { height: 13px; border-radius: 3px; background: var(--border-color-primary); }
.fill { height: 100%; border-radius: 3px; min-width: 1px; background: var(--foundry-vermilion); }
.fill.int8 { background: var(--foundry-orange); }
p { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 0 0 0.6rem; }
"""


def scatter_html(report: Mapping[str, Any]) -> str:
    """Return HTML: quality over latency, the file's size as area, the Pareto front drawn.

    Args:
        report: As `CompressState.report()` gives it. Where the quality of some variant is not
            known, agreement with dense takes its place.
    """
    rows: Sequence[dict[str, Any]] = report["rows"]
    has_quality = all(row["quality"] is not None for row in rows)
    name = report["quality_name"] if has_quality else "Agreement with dense"
    qualities = [row["quality"] if has_quality else 1 - row["disagreement"] for row in rows]
    points = [(row["p50_ms"], quality) for row, quality in zip(rows, qualities, strict=True)]
    x, x_ticks = log_scale([latency for latency, _ in points], _RIGHT)
    y, y_ticks = linear_scale(qualities)
    largest = max(row["size_bytes"] for row in rows)
    parts = grid(x, x_ticks, y, y_ticks, _RIGHT)
    front = pareto_front(points)
    line = " ".join(f"{x(points[i][0]):.1f},{y(100 * points[i][1]):.1f}" for i in front)
    parts.append(f'<polyline class="front" points="{line}"/>')
    label_ys = _spread([y(100 * quality) for quality in qualities])
    # The large ones first, so that none hides another.
    for index in sorted(range(len(rows)), key=lambda i: -rows[i]["size_bytes"]):
        row, (latency, quality) = rows[index], points[index]
        radius = max(_MIN_RADIUS, _MAX_RADIUS * math.sqrt(row["size_bytes"] / largest))
        tip = (
            f"{row['variant']}: {format_ms(latency)}, {quality:.2%}, "
            f"{format_bytes(row['size_bytes'])}"
        )
        mark = " best" if index in front else ""
        parts.append(
            f'<circle class="{row["engine"].lower()}{mark}" cx="{x(latency):.1f}" '
            f'cy="{y(100 * quality):.1f}" r="{radius:.1f}"><title>{escape(tip)}</title></circle>'
        )
    for row, (latency, quality), label_y in zip(rows, points, label_ys, strict=True):
        parts.append(
            f'<line class="grid" x1="{x(latency):.1f}" y1="{y(100 * quality):.1f}" '
            f'x2="{WIDTH - _RIGHT + 10}" y2="{label_y:.1f}"/>'
            f'<text x="{WIDTH - _RIGHT + 14}" y="{label_y + 4:.1f}">{escape(row["variant"])}'
            f"{_far_below(quality, qualities)}</text>"
        )
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 10}" '
        f'text-anchor="middle">Latency of one {escape(report["unit"])} (ms, log)</text>'
    )
    return (
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(name)} over latency">{"".join(parts)}</svg></div>'
        f'<div class="legend"><span>{escape(name)}</span>'
        '<span><i class="pytorch"></i>PyTorch</span>'
        '<span><i class="openvino"></i>OpenVINO</span><span>area: file size</span>'
        '<span><i class="line"></i>none is both faster and better</span></div>'
    )


def _far_below(quality: float, qualities: Sequence[float]) -> str:
    return f" (↓ {quality:.1%})" if is_off_scale(quality, qualities) else ""


def _spread(ys: Sequence[float]) -> list[float]:
    """Move labels down until none covers another, then all up by as much as they overrun."""
    gap, placed = 17.0, list(ys)
    order = sorted(range(len(ys)), key=lambda i: ys[i])
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    over = max(0.0, placed[order[-1]] - (HEIGHT - BOTTOM))
    return [max(TOP - 10.0, value - over) for value in placed] if over else placed


def histograms_html(report: Mapping[str, Any]) -> str:
    """Return HTML: the weights of every variant over the same bins.

    Args:
        report: As `CompressState.report()` gives it; dense is the first of its histograms.
    """
    histograms: Sequence[Mapping[str, Any]] = report["histograms"]
    if not histograms:
        return ""
    tallest = max(histograms[0]["shares"])
    figures = []
    for histogram in histograms:
        columns = "".join(
            f"<div{' class=cut' if share > tallest else ''} "
            f'style="height:{min(1.0, share / tallest):.1%}"></div>'
            for share in histogram["shares"]
        )
        limit = histogram["limit"]
        figures.append(
            f"<figure><figcaption>{escape(histogram['form'])} "
            f"<small>{histogram['zeros']:.1%} zero</small></figcaption>"
            f'<div class="columns">{columns}</div><div class="axis"><span>-{limit:.2f}</span>'
            f"<span>0</span><span>{limit:.2f}</span></div></figure>"
        )
    note = "A column in another colour is taller than drawn."
    if report["sources"].get("dense", {}).get("task", "digits") != "digits":
        note += (
            " Before NNCF rounds the weights of a transformer it moves scale from activations into "
            "them, which is why int8 spreads wider."
        )
    return f'<p>{note}</p><div class="all">{"".join(figures)}</div>'


def sensitivity_html(report: Mapping[str, Any]) -> str:
    """Return HTML: what each layer's change alone costs, as bars.

    Args:
        report: As `CompressState.report()` gives it.
    """
    found: Sequence[Mapping[str, Any]] = report["sensitivity"]
    if not found:
        return ""
    largest = max(1e-4, *(one["accuracy_loss"] for one in found))
    rows, seen = [], ""
    for one in found:
        layer = "" if one["layer"] == seen else one["layer"]
        seen = one["layer"]
        share = max(0.0, one["accuracy_loss"] / largest)
        rows.append(
            f'<span class="layer">{escape(layer)}</span>'
            f'<span class="change">{escape(one["change"])}</span><div class="track">'
            f'<div class="fill {escape(one["change"])}" style="width:{share:.1%}"></div></div>'
            f'<span class="loss">{100 * one["accuracy_loss"]:.2f} points</span>'
        )
    return (
        f"<p>Points of validation accuracy lost when one layer alone loses "
        f"{report['sensed_ratio']:.0%} of its channels or neurons, or becomes int8; nothing "
        f'recovers here.</p><div class="bars">{"".join(rows)}</div>'
    )
