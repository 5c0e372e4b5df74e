"""Search for good settings: `python -m foundry.search --minutes 3`."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from foundry.data.own.reading import finish, read_data_set
from foundry.errors import ArtifactError, InputError
from foundry.runs.cluster import ADDRESS_VARIABLE
from foundry.runs.data_sets import AS_IT_IS, keep_data_set
from foundry.runs.folders import RUN_FILE, hash_owner, write_json
from foundry.runs.standby import fix_runs_dir
from foundry.search.config import CHOICES, FIELDS, OBJECTIVES, RANGES, SAMPLERS, SearchConfig
from foundry.search.runs import TUNE_FOLDER, SearchRun, create_search, fit_search
from foundry.search.stream import search
from foundry.training.export import equivalent_python

_OWNER = "command line"


def table(rows: list[dict[str, Any]]) -> str:
    """Return a search's table for a terminal.

    Args:
        rows: As `SearchRun.rows` gives them.
    """
    head = list(rows[0])[1:] if rows else []
    cells = [head, *([_format(row[name]) for name in head] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )


def _format(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m foundry.search", description=__doc__)
    parser.add_argument("--minutes", type=float, help="end after so long (default: 3)")
    parser.add_argument("--trials", type=int, dest="num_trials", help="end after so many")
    for name in RANGES:
        number = int if name == "batch_size" else float
        parser.add_argument(_option(name), type=number, nargs=2, metavar=("LOW", "HIGH"))
    for name in CHOICES:
        parser.add_argument(_option(name), nargs="+", metavar="CHOICE")
    for name in ("epochs", "num_train_images", "seed"):
        parser.add_argument(_option(name), type=int)
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="a data set to learn instead of MNIST"
    )
    parser.add_argument("--objective", choices=OBJECTIVES)
    parser.add_argument("--sampler", choices=SAMPLERS)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="its folder; one that was killed goes on there"
    )
    parser.add_argument(
        "--address",
        default=os.environ.get(ADDRESS_VARIABLE),
        help=f"of a Ray cluster (default: {ADDRESS_VARIABLE}, else this machine)",
    )
    return parser.parse_args()


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _build_config(args: argparse.Namespace) -> SearchConfig:
    given = {key: value for key, value in vars(args).items() if value is not None}
    knobs = {key: given[key] for key in SearchConfig.__dataclass_fields__ if key in given}
    if args.data:
        own = finish(read_data_set(args.data))
        preparation = AS_IT_IS if own.is_of_pictures else ""
        knobs["dataset"] = keep_data_set(own, args.data.name, _OWNER, preparation).data_id
    if "num_trials" in knobs:
        knobs.setdefault("minutes", 0.0)
    return fit_search(SearchConfig(**knobs), _OWNER)


def _open(args: argparse.Namespace) -> tuple[Path, SearchConfig]:
    """Return the folder of the search, and what is searched there; says what is of no effect."""
    config = _build_config(args)
    if args.out is None:
        return create_search(config, _OWNER).folder, config
    about = args.out / RUN_FILE
    if not (args.out / TUNE_FOLDER).exists():
        args.out.mkdir(parents=True, exist_ok=True)
        write_json(about, {"owner": hash_owner(_OWNER), "config": asdict(config)})
        return args.out, config
    try:
        begun = SearchConfig(**json.loads(about.read_text("utf-8"))["config"])
    except FileNotFoundError:
        # Earlier versions did not write down how it began.
        return args.out, config
    except (OSError, ValueError, KeyError, TypeError):
        raise ArtifactError(f"{about} is damaged; choose another folder.") from None
    asked = {name: _option(name) for name in FIELDS if getattr(args, name, None) is not None}
    asked |= {"num_trials": "--trials"} if args.num_trials is not None else {}
    asked |= {"dataset": "--data"} if args.data else {}
    unused = [asked[name] for name in asked if getattr(config, name) != getattr(begun, name)]
    if unused:
        print(f"It goes on with the settings that it began with, without {', '.join(unused)}.")
    return args.out, begun


def main() -> None:
    """Search, say how every trial ended, print the table and the best setting as Python."""
    args = _parse()
    fix_runs_dir()
    try:
        folder, config = _open(args)
        print(f"Searching in {folder}", flush=True)
        for event in search(config, folder, args.address):
            if event.state != "running":
                accuracy = "" if event.val_accuracy is None else f"{event.val_accuracy:.2%}"
                print(f"{event.elapsed_s:6.1f} s  {event.trial_id}  {event.state}  {accuracy}")
    except (InputError, ArtifactError) as error:
        sys.exit(str(error))
    except FileNotFoundError as error:
        sys.exit(f"There is no file {error.filename}.")
    ended = SearchRun(folder.name, folder, "", config, "done", "")
    print(table(ended.rows))
    if ended.best:
        best = config.train_config(ended.best.last.settings)
        print(equivalent_python(best, f"search-{ended.best.number}", "cpu"))


if __name__ == "__main__":
    main()
