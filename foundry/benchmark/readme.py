"""The tables of README.md here, made from what `python -m foundry.benchmark all` wrote.

`python -m foundry.benchmark.readme` puts them in their places.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from foundry.benchmark.harness.costs import Cost, list_costs
from foundry.benchmark.harness.ring import render_measured, render_on_paper
from foundry.benchmark.photos import list_rows as list_photos_rows

PROJECT_DIR = Path(__file__).parent.parent.parent
FIGURES_FILE = PROJECT_DIR / ".benchmark" / "figures.json"
README_FILE = Path(__file__).with_name("README.md")

_TITLES = {"lenet": "LeNet", "bert-sentiment": "BERT", "wav2vec2-commands": "Wav2Vec2"}
_TORCH = "PyTorch float32"
_REACHED = tuple(
    f"{loop}seconds_to_{share}" for loop in ("", "dataloader_") for share in (988, 990)
)

Row = tuple[str, str]


def render_table(figures: dict[str, Any]) -> str:
    """Return the table as Markdown, with what it was measured on.

    Args:
        figures: As `python -m foundry.benchmark all --json FILE` writes them.
    """
    sections: dict[str, Callable[[Any], Iterator[Row]]] = {
        "training": _training_rows,
        "digits": _digits_rows,
        "photos": list_photos_rows,
        "sentiment": _sentiment_rows,
        "speech": _speech_rows,
        "compression": _compression_rows,
        "search": _search_rows,
        "serve": _serve_rows,
        "startup": _startup_rows,
        "load": _load_rows,
    }
    lines = ["| figure | value | `python -m foundry.benchmark ...` |", "|---|---|---|"]
    for name, find_rows in sections.items():
        # Of what needs Ray there are no figures where it is not installed.
        if figures.get(name) is None:
            continue
        lines += [f"| {title} | {value} | `{name}` |" for title, value in find_rows(figures[name])]
    return "\n".join([*lines, "", _describe_machine(figures["machine"]), ""])


def _describe_machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(
        f"{name} {machine[name]}"
        for name in ("torch", "gradio", "transformers", "openvino", "nncf")
    )
    return (
        f"Measured with {machine['processors']} {machine['machine']} processors and "
        f"{machine['threads']} threads, load average {machine['load_average']:.1f} at the start; "
        f"Python {machine['python']}, {versions}."
    )


def _training_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        f"Fast preset: test accuracy after {figures['epochs']} epochs",
        f"{figures['test_accuracy']:.2%}",
    )
    yield (
        "training speed",
        f"{figures['images_per_s']:,.0f} images/s, {figures['speedup']:.1f} times a torchvision "
        f"`DataLoader` loop ({figures['dataloader_images_per_s']:,.0f})",
    )
    yield (
        "seconds of training to 98.8% and 99.0% test accuracy",
        "{} and {} (the loop: {} and {})".format(
            *("never" if figures[name] is None else f"{figures[name]:.1f}" for name in _REACHED)
        ),
    )
    yield (
        f"share of the machine's {figures['precision']} matrix-multiply rate",
        f"{figures['matmul_share']:.0%}",
    )
    yield "what one open page costs a run", f"{figures['live_overhead']:.0%} of its speed"


def _digits_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        "from stroke to probabilities on the server",
        f"p50 {figures['p50_ms']:.0f} ms, p95 {figures['p95_ms']:.0f} ms; while a run trains, "
        f"p95 {figures['p95_ms_while_training']:.0f} ms",
    )
    yield (
        "test digits redrawn otherwise than MNIST's writers did, right",
        ", ".join(f"{name} {share:.1%}" for name, share in figures["accuracy"].items()),
    )
    # Figures measured before there were sheets have none.
    if sheets := figures.get("sheets"):
        yield (
            f"digits on {sheets['num_sheets']} photographed sheets, right",
            f"{sheets['accuracy']:.1%} of {sheets['num_digits']:,}; "
            f"{sheets['p50_s']:.1f} s of the processor a sheet",
        )


def _sentiment_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        "one text to probabilities",
        f"p50 {figures['single_p50_ms']:.1f} ms, p95 {figures['single_p95_ms']:.1f} ms; "
        f"transformers' pipeline {figures['pipeline_single_p50_ms']:.1f} and "
        f"{figures['pipeline_single_p95_ms']:.1f}",
    )
    ours, theirs = figures["batch_texts_per_s"], figures["pipeline_batch_texts_per_s"]
    yield (
        f"{figures['num_lines']:,} texts of 1 to 60 words",
        f"{ours:.0f} texts/s, {ours / theirs:.1f} times the pipeline at its best ({theirs:.0f})",
    )
    # Figures of before have none.
    for cost in list_costs(figures["answers"]) if "answers" in figures else ():
        yield f"BERT, what compression costs beside accuracy: {cost.measure}", _compare(cost)


def _compare(cost: Cost) -> str:
    return "; ".join(
        f"{variant} {share:.1%}"
        + (f", {_points(cost.lost[variant])}" if variant in cost.lost else "")
        for variant, share in cost.shares.items()
    )


def _speech_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        "seconds of work a second of speech",
        f"{figures['rtf_5s']:.3f} on 5 s, {figures['rtf_60s']:.3f} on 60 s (the pipeline: "
        f"{figures['pipeline_rtf_60s']:.3f}), {figures['rtf_1800s']:.3f} on 30 min",
    )
    yield (
        "peak memory of transcribing",
        f"{figures['peak_mb_60s']:.0f} MB on 60 s, {figures['peak_mb_1800s']:.0f} MB on 30 min",
    )
    yield "live text after the end of a word", f"p95 {figures['live_p95_ms']:.0f} ms"


def _compression_rows(rows: Sequence[dict[str, Any]]) -> Iterator[Row]:
    for name, title in _TITLES.items():
        own = [row for row in rows if row["model"] == name]
        joined = " / ".join(dict.fromkeys(row["input"] for row in own))
        dense = next(row for row in own if row["variant"] == "dense" and row["engine"] == _TORCH)
        yield (
            f"{title}, dense in PyTorch: {dense['metric']}",
            f"{dense['quality']:.2%}; {dense['parameters']:,} parameters, "
            f"{_megabytes(dense)} in float32",
        )
        for variant, engine in dict.fromkeys((row["variant"], row["engine"]) for row in own):
            forms = [row for row in own if (row["variant"], row["engine"]) == (variant, engine)]
            if forms[0] is dense:
                continue
            speeds = " / ".join(f"{row['speedup']:.2f}" for row in forms)
            yield (
                f"{title} {variant}, {engine}",
                f"{speeds} times as fast on {joined}; "
                f"{forms[0]['quality']:.2%}, {_points(forms[0]['quality_loss'])}; "
                f"{_fewer(forms[0], dense)}{_megabytes(forms[0])}",
            )


def _points(loss: float) -> str:
    points = round(100 * loss, 2)
    if not points:
        return "nothing lost"
    return f"{abs(points):.2f} points {'lost' if points > 0 else 'gained'}"


def _fewer(row: dict[str, Any], dense: dict[str, Any]) -> str:
    if row["parameters"] == dense["parameters"]:
        return ""
    return (
        f"{1 - row['parameters'] / dense['parameters']:.0%} fewer parameters, "
        f"{1 - row['mflop'] / dense['mflop']:.0%} less arithmetic; "
    )


def _megabytes(row: dict[str, Any]) -> str:
    megabytes = row["size_bytes"] / 1e6
    return f"{1000 * megabytes:.0f} kB" if megabytes < 1 else f"{megabytes:.1f} MB"


def _search_rows(figures: dict[str, Any]) -> Iterator[Row]:
    accuracies = {
        sampler: [one["test_accuracy"] for one in figures["searches"] if one["sampler"] == sampler]
        for sampler in figures["median"]
    }
    spread = {name: f"{min(one):.2%} to {max(one):.2%}" for name, one in accuracies.items()}
    found, blindly = figures["median"]["optuna"], figures["median"]["random"]
    yield (
        f"test accuracy within {figures['epochs']} epochs of what a search finds in "
        f"{figures['minutes']:g} min from ranges ten times too wide, median of "
        f"{len(accuracies['optuna'])} seeds",
        f"{found:.2%} ({spread['optuna']}); random search {blindly:.2%} ({spread['random']})",
    )


def _serve_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        "what a call to a replica on Ray Serve adds",
        f"p50 {figures['handle_added_p50_ms']:.1f} ms, p95 {figures['handle_added_p95_ms']:.1f} ms",
    )
    yield (
        "texts/s by two replicas on a core each",
        f"{figures['throughput_2_per_s']:.0f}, {figures['scaling']:.2f} times those by one "
        f"({figures['throughput_1_per_s']:.0f})",
    )
    yield (
        "one of two replicas killed under load",
        f"{figures['killed_lost']} answers lost, {figures['killed_wrong']} wrong, "
        f"{figures['killed_answers']} right",
    )
    yield (
        "down to no replica, and back with an answer",
        f"{figures['scale_to_zero_s']:.1f} s and {figures['scale_from_zero_s']:.1f} s",
    )
    yield (
        "memory of a replica",
        ", ".join(f"{name} {mb:,.0f} MB" for name, mb in figures["replica_rss_mb"].items()),
    )


def _startup_rows(figures: dict[str, Any]) -> Iterator[Row]:
    yield (
        "from `python app.py` to the first page and to the first digit read",
        f"{figures['first_page_s']:.1f} s and {figures['first_answer_s']:.1f} s",
    )
    yield (
        "memory of a server that nobody has visited; with every tab loaded",
        f"{figures['idle_rss_mb']:,.0f} MB; {figures['warm_rss_mb']:,.0f} MB",
    )


def _load_rows(figures: dict[str, Any]) -> Iterator[Row]:
    visitors = figures["visitors"]
    yield (
        f"{sum(visitors.values())} visitors at once beside a run, for {figures['seconds']:.0f} s",
        f"{figures['errors']} errors, {figures['wrong_answers']} wrong answers of "
        f"{sum(figures['answers'].values()):,}; memory {figures['rss_growth']:+.1%}; the run "
        f"slowed by {figures['training_slowdown']:.0%}",
    )
    yield (
        "their answers, p95",
        ", ".join(
            f"{figures['p95_ms'][name] / 1000:.1f} s for {number} at `/{name}`"
            for name, number in visitors.items()
        ),
    )
    # Figures of before have none.
    if costs := figures.get("processor_ms"):
        yield (
            "processor time of the server for an answer",
            ", ".join(f"{name} {ms:.0f} ms" for name, ms in costs.items()),
        )


def replace_table(readme: str, name: str, table: str) -> str:
    """Return a README with one of its tables replaced.

    Args:
        readme: Has the two marks that the table stands between.
        name: Of the table, in its marks.
        table: What goes there.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = readme.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def render_readme(readme: str, figures: dict[str, Any]) -> str:
    """Return a README with all tables of measured figures replaced.

    Args:
        readme: As it is.
        figures: As `render_table()` takes them.
    """
    readme = replace_table(readme, "measured", render_table(figures))
    if figures.get("scale") is None:
        return readme
    readme = replace_table(readme, "scale", render_measured(figures["scale"]) + "\n")
    return replace_table(readme, "on paper", render_on_paper(figures["scale"]) + "\n")


def main() -> None:
    """Put the tables in their places."""
    figures = json.loads(FIGURES_FILE.read_text())
    README_FILE.write_text(render_readme(README_FILE.read_text(), figures))


if __name__ == "__main__":
    main()
