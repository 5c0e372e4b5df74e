"""What measured costs of communication come to with more workers, on paper."""

from collections.abc import Mapping
from typing import Any

NUM_WORKERS = (2, 8, 64)
_TITLES = {"lenet": "LeNet-5", "bert": "BERT"}
# Key, what it is, and how it is written.
_ROWS = (
    ("batch_size", "rows in a batch", "{:,.0f}"),
    ("message_bytes", "gradients, bytes", "{:,.0f}"),
    ("step_1_ms", "a step of one worker, ms", "{:.1f}"),
    ("step_ms", "a step of two, ms", "{:.1f}"),
    ("efficiency", "scaling efficiency of two", "{:.2f}"),
    ("allreduce_ms", "summing the gradients of two, ms", "{:.2f}"),
    ("ring_ms", "of which the message, ms", "{:.2f}"),
    ("latency_ms", "a message of one number, ms", "{:.2f}"),
    ("startup_s", "start-up, s", "{:.1f}"),
)


def ring_allreduce_s(
    num_workers: int, message_bytes: float, bytes_per_s: float, hop_s: float
) -> float:
    """Estimate how long it takes to sum a message over workers that form a ring.

    Every worker passes a part of the message on to its neighbour, 2 (N - 1) times: once around for
    the sums, once more for everybody to have them.

    Args:
        num_workers: N, at least 1.
        message_bytes: Of the whole message.
        bytes_per_s: Between two neighbours.
        hop_s: From one neighbour to the next, however little is sent.

    Returns:
        2 (N - 1) / N * message_bytes / bytes_per_s + 2 (N - 1) * hop_s.

    Source:
        Thakur, Rabenseifner and Gropp 2005, Optimization of Collective Communication Operations in
        MPICH, section 4.5.
    """
    hops = 2 * (num_workers - 1)
    return hops / num_workers * message_bytes / bytes_per_s + hops * hop_s


def carry(figures: Mapping[str, float], num_workers: int) -> dict[str, float]:
    """Carry one model's figures, measured on two workers, to more of them.

    Args:
        figures: As `foundry.benchmark.scale` measures them.
        num_workers: How many; each with a core of its own, and as fast a way to its neighbour.

    Returns:
        `communication_ms` of a step, and the scaling efficiency: `same_batch` if a batch stays as
        large as it is, `same_share` if every worker has as large a share as one worker alone.
    """
    # With two workers the formula is one message's time and two hops.
    hop_s = figures["latency_ms"] / 1000 / 2
    sending_s = max(figures["ring_ms"] - figures["latency_ms"], 1e-3) / 1000
    bytes_per_s = figures["message_bytes"] / sending_s
    ring_s = ring_allreduce_s(num_workers, figures["message_bytes"], bytes_per_s, hop_s)
    copying_ms = max(figures["allreduce_ms"] - figures["ring_ms"], 0.0)
    communication_ms = 1000 * ring_s + copying_ms
    step_ms = figures["step_1_ms"]
    return {
        "communication_ms": communication_ms,
        "same_batch": step_ms / (step_ms + num_workers * communication_ms),
        "same_share": step_ms / (step_ms + communication_ms),
    }


def render_measured(figures: Mapping[str, Any]) -> str:
    """Write the measured figures as a table in Markdown."""
    rows = [
        f"| {title} | {' | '.join(form.format(figures[name][key]) for name in _TITLES)} |"
        for key, title, form in _ROWS
    ]
    return "\n".join([f"| | {' | '.join(_TITLES.values())} |", "|---|---|---|", *rows])


def render_on_paper(figures: Mapping[str, Any]) -> str:
    """Write what the figures come to with more workers as a table in Markdown."""
    titles = [
        f"{title}: {what}"
        for title in _TITLES.values()
        for what in ("communication a step, ms", "efficiency, same batch", "same share each")
    ]
    lines = [f"| workers | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for num_workers in NUM_WORKERS:
        cells = []
        for name in _TITLES:
            carried = carry(figures[name], num_workers)
            cells.append(f"{carried['communication_ms']:.1f}")
            cells += [f"{carried[key]:.2f}" for key in ("same_batch", "same_share")]
        lines.append(f"| {num_workers} | {' | '.join(cells)} |")
    return "\n".join(lines)
