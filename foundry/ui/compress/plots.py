"""Compression events and tables -> HTML; nothing here touches Gradio."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from foundry.errors import counted
from foundry.ui.components.plots import format_bytes, format_ms, round_thousands

# Of the classes, beside the table.
_NUM_NAMED = 20

TABLE_CSS = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
p { margin: 0.3rem 0 0.5rem; color: var(--body-text-color-subdued); font-size: 0.9rem; }
th, td { padding: 0.35rem 0.5rem; text-align: right; border: 0; white-space: nowrap;
  border-bottom: 1px solid var(--border-color-primary); }
td.text, thead th:nth-child(2) { text-align: left; }
thead th { font-size: 0.8rem; font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child { text-align: left; }
tbody th { font-weight: 600; }
tbody th small { display: block; font-weight: 400; color: var(--body-text-color-subdued); }
tr.asked { background: var(--background-fill-secondary); }
tr.asked th { box-shadow: inset 3px 0 var(--foundry-blue); }
.faster::before, .slower::before, .same::before, .unclear::before {
  display: inline-block; width: 1.2em; }
.faster::before { content: "▲"; color: var(--foundry-green); }
.slower::before { content: "▼"; color: var(--foundry-vermilion); }
.same::before { content: "="; color: var(--body-text-color-subdued); }
"""
ANSWERS_CSS = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.5rem; text-align: center; border: 0; white-space: nowrap;
  border-bottom: 1px solid var(--border-color-primary); }
th:first-child, td.words { text-align: left; white-space: normal; }
td.other { font-weight: 700; color: var(--foundry-vermilion); }
p { margin: 0 0 0.4rem; }
"""
CHANGES_CSS = """
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.3rem 0.6rem; text-align: left; border: 0; vertical-align: top;
  border-bottom: 1px solid var(--border-color-primary); }
.left { color: var(--body-text-color-subdued); }
.scroll { overflow-x: auto; max-height: 26rem; overflow-y: auto; }
"""


def table_html(report: Mapping[str, Any]) -> str:
    """Return HTML: one row a variant of the model, the one that was asked for marked.

    Args:
        report: As `CompressState.report()` gives it.
    """
    rows: Sequence[dict[str, Any]] = report["rows"]
    first = rows[0]
    unit, asked = report["unit"], report["row"]["variant"]
    # Reports of earlier versions have none.
    has_balanced = first.get("balanced_quality") is not None
    head = (
        "Variant",
        "Compared with dense",
        f"One {unit}, p50",
        "p95",
        f"{first['batch_size']} {unit}s, p50",
        f"{unit.capitalize()}s/s",
        report["quality_name"],
        *(["Balanced accuracy"] if has_balanced else []),
        "Differs from dense",
        "Parameters",
        "Not zero",
        "File",
        "Peak memory",
    )
    body = []
    for row in rows:
        cells = (
            format_ms(row["p50_ms"]),
            format_ms(row["p95_ms"]),
            format_ms(row["batch_p50_ms"]),
            round_thousands(row["throughput_per_s"]),
            "" if row["quality"] is None else f"{row['quality']:.2%}",
            *([f"{row['balanced_quality']:.2%}"] if has_balanced else []),
            f"{row['disagreement']:.2%}",
            f"{row['parameters']:,}",
            f"{row['nonzeros']:,}",
            format_bytes(row["size_bytes"]),
            "" if row["peak_memory_bytes"] is None else format_bytes(row["peak_memory_bytes"]),
        )
        mark = ' class="asked"' if row["variant"] == asked else ""
        verdict = "baseline" if row is first else row["verdict_text"]
        style = "" if row is first else f" {row['verdict']}"
        body.append(
            f'<tr{mark}><th scope="row">{escape(row["variant"])}<small>{escape(row["engine"])}'
            f'</small></th><td class="text{style}">{escape(verdict)}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f"<p>{escape(describe_measuring(report))}</p>{_name_classes(report)}"
        '<div class="scroll"><table>'
        f"<thead><tr>{header}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{_legend(rows)}"
    )


def _name_classes(report: Mapping[str, Any]) -> str:
    """Name what a network tells apart that learned what a visitor brought."""
    # Reports of earlier versions are of digits.
    classes = report.get("classes", [])
    if report["rows"][0].get("balanced_quality") is None:
        return ""
    shown = ", ".join(escape(name) for name in classes[:_NUM_NAMED])
    rest = len(classes) - _NUM_NAMED
    more = f" <span>and {rest} more</span>" if rest > 0 else ""
    return f'<p>Classes: <span translate="no">{shown}</span>{more}</p>'


# What the variants are that are no variants of the whole page.
_FORMS = {
    "pruned": "without the channels, neurons or layers that matter least",
    "masked": "the smallest weights set to zero, which takes as much room and time as before",
    "bfloat16": "half the bits of float32, in PyTorch",
    "compiled": "the float32 network in OpenVINO",
    "int8 weights": "stored in int8 and computed in float32",
    "int8": "weights and activations in int8",
}


def _legend(rows: Sequence[Mapping[str, Any]]) -> str:
    names = [row["variant"] for row in rows]
    told = [f"<b>{name}</b>: {what}" for name, what in _FORMS.items() if name in names]
    return f"<p>{'; '.join(told)}.</p>" if told else ""


def describe_measuring(report: Mapping[str, Any]) -> str:
    """Say how the table was measured."""
    num_runs, load = report["rows"][0]["num_runs"], report["load_average"]
    # Reports of earlier versions have no number where the system did not tell.
    is_known = load is not None and math.isfinite(load)
    load_text = f", load average {load:.1f}" if is_known else ""
    return (
        f"Timed here in turns, in an order drawn anew each round: {num_runs} rounds after a "
        f"warm-up, at most {counted(report['num_threads'], 'thread')}{load_text}. The interval "
        "holds 95% of bootstrapped medians of dense by variant within a round; what is within 3% "
        f"is the same. Differences: {report['samples']}. Memory: what loading and running it takes "
        "at its peak on top of the libraries."
    )


def answers_html(probs: Mapping[str, Sequence[float]], labels: Sequence[str], title: str) -> str:
    """Return HTML: the answer of every variant and the probability of every label.

    Args:
        probs: By variant; dense is the first.
        labels: In the order of the probabilities.
        title: What was answered.
    """
    dense, rows, num_differing = None, [], 0
    for name, values in probs.items():
        best = max(range(len(values)), key=values.__getitem__)
        dense = best if dense is None else dense
        differs = best != dense
        num_differing += differs
        cells = "".join(
            f'<td style="background:color-mix(in srgb, var(--foundry-sky) {100 * value:.0f}%, '
            f'transparent)">{value:.1%}</td>'
            for value in values
        )
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th>'
            f'<td translate="no" class="{"other" if differs else ""}">{escape(labels[best])}</td>'
            f"{cells}</tr>"
        )
    header = "".join(f'<th scope="col" translate="no">{escape(label)}</th>' for label in labels)
    return (
        f"<p>{escape(title)} {_agreement(num_differing, len(probs) - 1)}</p>"
        '<div class="scroll"><table><thead><tr><th>Variant</th><th>Answer</th>'
        f"{header}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def transcripts_html(texts: Mapping[str, str], sure: Mapping[str, float]) -> str:
    """Return HTML: what every variant wrote down, read greedily, and how sure it was.

    Args:
        texts: By variant; dense is the first.
        sure: By variant: the mean over frames of the likeliest character's probability.
    """
    dense = next(iter(texts.values()))
    rows = [
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td class="words {"" if text == dense else "other"}">'
        f"{f'<span translate=no>{escape(text)}</span>' if text else '(nothing)'}</td>"
        f"<td>{sure[name]:.1%}</td></tr>"
        for name, text in texts.items()
    ]
    differing = sum(text != dense for text in texts.values())
    return (
        f"<p>{_agreement(differing, len(texts) - 1)} Read greedily, without the word list.</p>"
        '<div class="scroll"><table><thead><tr><th>Variant</th><th>Text</th><th>Sure</th></tr>'
        "</thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _agreement(num_differing: int, num_others: int) -> str:
    return f"Variants that answer differently from dense: {num_differing} of {num_others}."


def changes_html(changes: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return HTML: what became of each layer, variant by variant.

    Args:
        changes: By variant: `LayerChange`s as plain values.
    """
    rows = [
        f"<tr{'' if change['is_changed'] else ' class=left'}><td>{escape(variant)}</td>"
        f"<td>{escape(change['layer'])}</td>"
        f"<td>{'' if change['is_changed'] else 'left alone: '}{escape(change['note'])}</td></tr>"
        for variant, layers in changes.items()
        for change in layers
    ]
    return (
        '<div class="scroll"><table><thead><tr><th>Variant</th><th>Layer</th>'
        f"<th>What became of it</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
