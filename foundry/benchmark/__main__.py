"""Run one benchmark: `python -m foundry.benchmark training --json FILE`."""

import argparse
import importlib
import json
import os
import platform
from pathlib import Path

import torch

BENCHMARKS = {
    "training": "training speed against a DataLoader loop, time to 98.8% and 99.0%",
    "digits": "time from stroke to probabilities, and accuracy on redrawn test digits",
    "sentiment": "one text and a thousand, against transformers' own pipeline",
    "startup": "from a cold process to the first answer, idle memory, the share of each import",
    "compression": "size, speed and quality of every variant, beside other engines",
    "load": "75 visitors at once while a run trains: answers checked, times, memory",
    "speech": "speed and memory of transcription beside transformers' pipeline, live latency",
}


def main() -> None:
    """Measure, print the report, and write the figures as JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m foundry.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, purpose in BENCHMARKS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
        if name == "compression":
            command.add_argument("--data", type=Path, metavar="DIR", help="the recipes' corpora")
        if name == "load":
            command.add_argument(
                "--seconds", type=float, default=60.0, help="how long all are there (default: 60)"
            )
    args = parser.parse_args()
    benchmark = importlib.import_module(f"foundry.benchmark.{args.name}")
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"load average {load_average:.1f}",
        flush=True,
    )
    options = {key: value for key, value in vars(args).items() if key not in ("name", "json")}
    figures = benchmark.measure(**options)
    print(benchmark.report(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
