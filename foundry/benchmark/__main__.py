"""Run one benchmark, or all: `python -m foundry.benchmark training --json FILE`."""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from foundry.errors import InputError, in_a_sentence
from foundry.models.machine import list_versions

BENCHMARKS = {
    "training": "training speed against a DataLoader loop, time to 98.8% and 99.0%",
    "digits": "time from stroke to probabilities, and accuracy on redrawn test digits",
    "sentiment": "one text and a thousand, against transformers' pipeline; quality with --data",
    "photos": "time from a photo's file to names, int8 beside PyTorch, and a lesson of 5 classes",
    "startup": "from a cold process to the first answer, idle memory, the share of each import",
    "compression": "size, speed and quality of every variant, beside other engines",
    "load": "75 visitors at once while a run trains: answers checked, times, memory",
    "serve": "replicas on Ray Serve: latency, throughput, losses, memory",
    "speech": "speed and memory of transcription beside transformers' pipeline, live latency",
    "search": "what a search finds in 3 minutes from ranges far too wide, beside random search",
    "scale": "training on two workers of one core each against one; needs Ray",
}
# What measures quality on the recipes' corpora, if it has them.
_WITH_DATA = ("sentiment", "compression")


def _describe_machine() -> dict[str, Any]:
    return {
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        **list_versions(),
    }


def _run_all(names: Sequence[str], data: Path | None, file: Path | None) -> dict[str, Any]:
    """Run benchmarks, each in a process of its own, which the one before has not warmed.

    Args:
        names: Which; none for all.
        data: The recipes' corpora.
        file: Has figures of before, which stay for what is not run.
    """
    figures = json.loads(file.read_text()) if names and file and file.exists() else {}
    figures["machine"] = _describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        for name in names or BENCHMARKS:
            print(f"\n== {name}: {BENCHMARKS[name]}", flush=True)
            path = Path(folder) / f"{name}.json"
            command = [sys.executable, "-m", "foundry.benchmark", name, "--json", str(path)]
            if name in _WITH_DATA and data:
                command += ["--data", str(data)]
            ran = subprocess.run(command, check=False)
            figures[name] = json.loads(path.read_text()) if ran.returncode == 0 else None
    return figures


def _run_one(args: argparse.Namespace) -> Any:
    benchmark = importlib.import_module(f"foundry.benchmark.{args.name}")
    options = {key: value for key, value in vars(args).items() if key not in ("name", "json")}
    figures = benchmark.measure(**options)
    print(benchmark.report(figures))
    return figures


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, metavar="DIR", help="the recipes' corpora")


def main() -> None:
    """Measure, print the report, and write the figures as JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m foundry.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, purpose in BENCHMARKS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
        if name in _WITH_DATA:
            _add_data(command)
        if name == "sentiment":
            command.add_argument("--model", default="bert-sentiment", help="a name or a folder")
        if name == "photos":
            command.add_argument(
                "--data", type=Path, metavar="DIR", help="a folder of pictures for each class"
            )
        if name == "load":
            command.add_argument(
                "--seconds", type=float, default=60.0, help="how long all are there (default: 60)"
            )
        if name == "search":
            command.add_argument(
                "--minutes", type=float, default=3.0, help="that every search has (default: 3)"
            )
            command.add_argument("--seeds", type=int, default=3, help="how many times (default: 3)")
    everything = commands.add_parser("all", help="all of these, one after another")
    everything.add_argument(
        "names", nargs="*", metavar="NAME", help="only these; FILE keeps the others' figures"
    )
    everything.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    _add_data(everything)
    args = parser.parse_args()
    print(", ".join(f"{key} {value}" for key, value in _describe_machine().items()), flush=True)
    with in_a_sentence(parser):
        if args.name == "all":
            if unknown := set(args.names) - set(BENCHMARKS):
                raise InputError(
                    f"There is no benchmark {', '.join(sorted(unknown))}; "
                    f"choose from {', '.join(BENCHMARKS)}."
                )
            figures = _run_all(args.names, args.data, args.json)
        else:
            figures = _run_one(args)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
