"""Training on several workers, which Ray starts, watches and starts again.

A recipe gives its loop over one worker's share; what comes back is the loop's own stream of events.
"""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from foundry.errors import ArtifactError, InputError
from foundry.runs.cluster import ADDRESS_VARIABLE, ray_session
from foundry.training.sharding import Shard

# Lost workers, or groups of them, after which a training is given up.
MAX_FAILURES = 3
PURPOSE = "Training on several workers"
_POLL_S = 0.2

Event = TypeVar("Event")
# Trains a worker's share, going on from what its folder holds. Yields events, each with whether the
# folder was just brought up to date, which has to be so on all workers alike.
Loop = Callable[[Shard, Path], Iterator[tuple[Event, bool]]]


@dataclass(frozen=True)
class WorkersConfig:
    """Where a training runs.

    Attributes:
        num_workers: Workers of one core each, or of one GPU each.
        storage: Folder or fsspec URI for the checkpoints, which every machine can write to; None
            for a temporary folder. A training that was interrupted goes on from what is there.
        address: `host:port` of a Ray cluster, or `auto`; None starts Ray on this machine.
        use_gpu: Whether each has a GPU.

    Raises:
        InputError: On a number or a combination that makes no sense.
    """

    num_workers: int
    storage: str | None = None
    address: str | None = None
    use_gpu: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without Ray."""
        if self.num_workers < 1:
            raise InputError(f"--workers is {self.num_workers}; a whole number from 1 is accepted.")
        if self.address and not self.storage:
            raise InputError(
                "Workers on several machines need --storage: a folder that all of them can write "
                "to, or a URI such as s3://bucket/folder."
            )


def add_worker_options(parser: argparse.ArgumentParser) -> None:
    """Add `--workers`, `--storage` and `--address`."""
    parser.add_argument(
        "--workers", type=int, metavar="N", help="train on N workers of one core or GPU each"
    )
    parser.add_argument(
        "--storage",
        metavar="PATH_OR_URI",
        help="where their checkpoints are kept (default: a temporary folder); go on from there",
    )
    parser.add_argument(
        "--address",
        default=os.environ.get(ADDRESS_VARIABLE),
        help="HOST:PORT of a Ray cluster, or auto (default: "
        f"{ADDRESS_VARIABLE}, or this machine alone)",
    )


def read_worker_options(args: argparse.Namespace, use_gpu: bool = False) -> WorkersConfig | None:
    """Read what `add_worker_options` added; None if no workers are asked for.

    Raises:
        InputError: On options that make no sense together.
    """
    if args.workers is None:
        if args.storage:
            raise InputError("--storage is for the checkpoints of --workers N, which is missing.")
        return None
    if getattr(args, "prune", False):
        raise InputError("--prune trains in one process; leave --workers out.")
    return WorkersConfig(args.workers, args.storage, args.address, use_gpu)


def train_on_workers(
    loop: Loop[Event], config: WorkersConfig, name: str, out_dir: Path
) -> Iterator[Event]:
    """Train, from the last checkpoint if there is one, and again from there if a worker is lost.

    Args:
        loop: What each worker does; a function of a module, or a `functools.partial` of one.
        config: Where.
        name: Of the training's folder in the storage.
        out_dir: Gets the files of the last checkpoint at the end.

    Yields:
        The events of the first worker. After a loss they begin again after the last checkpoint.

    Raises:
        InputError: If Ray is not installed, its cluster cannot be joined or has too few cores, or
            the storage cannot be written to.
        ray.train.TrainingFailedError: If more than `MAX_FAILURES` workers were lost, or the loop
            itself fails.
    """
    with contextlib.ExitStack() as stack:
        storage = config.storage or stack.enter_context(tempfile.TemporaryDirectory())
        filesystem, path = _open_storage(storage)
        stack.enter_context(ray_session(PURPOSE, config.address))
        _check_size(config)
        yield from _run(loop, config, name, filesystem, path, out_dir)


def _open_storage(storage: str) -> tuple[fsspec.AbstractFileSystem, str]:
    try:
        filesystem, path = fsspec.url_to_fs(storage)
        filesystem.makedirs(path, exist_ok=True)
        marker = f"{path}/.writable"
        filesystem.pipe_file(marker, b"yes")
        filesystem.rm_file(marker)
    except Exception as error:  # Every kind of storage has errors of its own.
        raise InputError(
            f"The storage “{storage}” cannot be written to ({type(error).__name__}: {error}); a "
            "folder or a URI that fsspec knows is accepted."
        ) from None
    return filesystem, path


def _check_size(config: WorkersConfig) -> None:
    import ray

    kind, noun = ("GPU", "GPUs") if config.use_gpu else ("CPU", "cores")
    there = int(ray.cluster_resources().get(kind, 0))
    if config.num_workers > there:
        where = f"the cluster at {config.address}" if config.address else "this machine"
        raise InputError(
            f"{config.num_workers} workers need as many {noun}, but {where} has {there}."
        )


def _run(
    loop: Loop[Event],
    config: WorkersConfig,
    name: str,
    filesystem: fsspec.AbstractFileSystem,
    path: str,
    out_dir: Path,
) -> Iterator[Event]:
    import ray
    from pyarrow.fs import FSSpecHandler, PyFileSystem
    from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.util.queue import Empty, Queue
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # On this machine, so that it outlives all others.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    events = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
    trainer = TorchTrainer(
        _work,
        train_loop_config={"loop": loop, "events": events},
        scaling_config=ScalingConfig(num_workers=config.num_workers, use_gpu=config.use_gpu),
        run_config=RunConfig(
            name=name,
            storage_path=path,
            storage_filesystem=PyFileSystem(FSSpecHandler(filesystem)),
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        result = pool.submit(trainer.fit)
        while not (result.done() and events.empty()):
            with contextlib.suppress(Empty):
                event = events.get(timeout=_POLL_S)
                if isinstance(event, InputError | ArtifactError):
                    raise event
                yield event
        last = result.result().checkpoint
        if last:
            last.to_directory(out_dir)
    finally:
        # Whoever stops listening does not wait for the rest: it ends with the session.
        pool.shutdown(wait=False)
        events.shutdown(force=True)


def _work(config: dict[str, Any]) -> None:
    """Train one worker's share, inside Ray."""
    import ray.train

    context = ray.train.get_context()
    shard = Shard(context.get_world_rank(), context.get_world_size())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        last = ray.train.get_checkpoint()
        if last:
            last.to_directory(folder)
        try:
            for event, is_saved in config["loop"](shard, folder):
                if is_saved:
                    mine = shard.rank == 0
                    ray.train.report(
                        {}, ray.train.Checkpoint.from_directory(folder) if mine else None
                    )
                if shard.rank == 0:
                    config["events"].put(event)
        except (InputError, ArtifactError) as error:
            config["events"].put(error)
            raise
