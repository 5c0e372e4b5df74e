"""The process that trains one run: `python -m foundry.training.worker [RUN_ID [step]]`.

Without an id it loads what every training needs and waits for the line on standard input. With
`step` it makes one update and pauses.

It hears `pause` and `stop` on standard input; the end of input means that the server is gone,
and then it saves and leaves.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Literal

import torch
from filelock import FileLock

from foundry.data import DataSet, load_mnist
from foundry.errors import DivergedError, InputError
from foundry.models import save_model
from foundry.models.machine import select_device
from foundry.models.networks import count_parameters
from foundry.runs.folders import LOG_FILE, append_event, runs_dir, write_status
from foundry.runs.process import Command, Commands, explain_failure, leave_room_for_the_server
from foundry.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from foundry.training.config import TrainConfig
from foundry.training.evaluation import Evaluation, evaluate
from foundry.training.inspection.measures import measure_classes
from foundry.training.loop import TrainEvent, train
from foundry.training.runs import STEP, Run, read_run, rewind_events, write_result
from foundry.training.snapshots import Snapshots
from foundry.training.state import TrainState
from foundry.training.step import NUM_PARTS

_CHECKPOINT_EVERY_S = 5.0


def _start_or_go_on(run: Run, device: torch.device) -> TrainState:
    checkpoint = find_checkpoint(run.checkpoints_folder)
    if checkpoint is None:
        state = TrainState(run.config, device, classes=run.classes)
    else:
        state = load_checkpoint(checkpoint, device)
        if state.config.dataset != run.config.dataset:
            raise InputError(
                "its checkpoint has learned from another data set than the run names; start a new "
                "run on that one"
            )
    rewind_events(run, state.step)
    return state


def _keep_finite(
    run: Run, state: TrainState, data: DataSet, is_stepping: bool
) -> Iterator[TrainEvent]:
    """Train, and leave something to draw with also where it diverges in its first epoch."""
    step = state.step
    try:
        for event in train(state, data, is_stepping=is_stepping):
            step = event.step
            yield event
    except DivergedError:
        if step and not run.has_weights:
            save_model(state.model, run.best_folder)
        raise


def _train_until_told(
    run: Run, state: TrainState, data: DataSet, commands: Commands, is_stepping: bool
) -> Command | None:
    """Train, logging every event; return the command that ended it, None at the end."""
    saved_at = time.monotonic()
    snapshots = Snapshots(state, run.snapshots_folder)
    for event in _keep_finite(run, state, data, is_stepping):
        # First, so that who reads of an event finds what belongs to it.
        snapshots.keep(state, is_asked_for=is_stepping)
        append_event(run.folder, event)
        if event.is_best:
            save_model(state.best_model(), run.best_folder)
            # Of a run that went on: it was pruned from other weights.
            shutil.rmtree(run.pruned_folder, ignore_errors=True)
        if is_stepping:
            commands.last = commands.last or "pause"
        if commands.last:
            break
        if time.monotonic() - saved_at > _CHECKPOINT_EVERY_S:
            save_checkpoint(state, run.checkpoints_folder)
            saved_at = time.monotonic()
    save_checkpoint(state, run.checkpoints_folder)
    return None if state.is_finished else commands.last


def finish_run(
    run: Run,
    state: TrainState,
    status: Literal["done", "stopped"],
    num_threads: int,
    measured: Evaluation | None = None,
) -> None:
    """Measure the kept weights on the test split, once, and record the result.

    Args:
        run: Its folder is written to.
        state: Its training, at rest.
        status: How it ended.
        num_threads: That computed, on which its speed depends.
        measured: How the kept weights do on the test split, if that was measured already.
    """
    data = run.data
    if not state.best_epoch:
        # Stopped within the first epoch: nothing was validated yet, keep what there is.
        val = evaluate(state.model, data.val)
        state.keep_if_best(val.loss, val.accuracy)
        save_model(state.best_model(), run.best_folder)
    model = state.best_model()
    test = measured or evaluate(model, data.test)
    # MNIST has about as many images of each digit, so that these would say nothing new.
    uneven = {} if run.is_on_mnist else _measure_classes(data, test.probs)
    write_result(
        run.folder,
        {
            "run_id": run.run_id,
            "status": status,
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "val_accuracy": state.best_val_accuracy,
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
            "images_per_s": state.images_per_s,
            "elapsed_s": state.elapsed_s,
            "parameters": count_parameters(model),
            "device": str(state.device),
            "precision": str(state.precision).removeprefix("torch."),
            "num_threads": num_threads,
            "torch": torch.__version__,
            **uneven,
        },
        test.probs,
    )
    write_status(run.folder, status)


def _measure_classes(data: DataSet, probs: torch.Tensor) -> dict[str, float]:
    labels, answers = data.test.labels.numpy(), probs.argmax(1).numpy()
    test = measure_classes(labels, answers, len(data.classes))
    learned = data.val.labels.numpy()
    return {
        "balanced_accuracy": test.balanced_accuracy,
        "majority_share": test.majority_share,
        "val_majority_share": measure_classes(learned, learned, len(data.classes)).majority_share,
    }


def wait_for_run() -> list[str]:
    """Load all that a training needs, then wait for a run on standard input.

    What is printed from then on goes to the run's log.

    Returns:
        As `main()` takes it.

    Raises:
        SystemExit: If the input ends before.
    """
    # The first update imports and builds what all later ones use, in a second or more.
    rehearsed = TrainState(TrainConfig(num_train_images=500), torch.device("cpu"))
    next(train(rehearsed, load_mnist()))
    arguments = sys.stdin.readline().split()
    if not arguments:
        raise SystemExit
    with open(runs_dir() / arguments[0] / LOG_FILE, "a") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    return arguments


def main(run_id: str, order: str = "") -> None:
    """Train a run to its end, or until told otherwise.

    Args:
        run_id: An existing run; a checkpoint in its folder is gone on from.
        order: `step` for one update.
    """
    commands = Commands()
    run = read_run(run_id)
    # After a server crash the worker before this one may still be saving.
    with FileLock(run.folder / "worker.lock", timeout=30):
        try:
            write_status(run.folder, "running")
            state = _start_or_go_on(run, select_device(run.device))
            num_threads = min(NUM_PARTS, torch.get_num_threads())
            match _train_until_told(run, state, run.data, commands, order == STEP):
                case None:
                    finish_run(run, state, "done", num_threads)
                case "stop":
                    finish_run(run, state, "stopped", num_threads)
                case "pause":
                    write_status(run.folder, "paused")
                case "interrupt":
                    write_status(run.folder, "interrupted")
        except DivergedError as error:
            # What had been learned from its last checkpoint on would be learned again.
            write_status(run.folder, "failed", str(error), is_final=True)
        except Exception as error:
            write_status(run.folder, "failed", explain_failure(error, run.folder))
            raise


if __name__ == "__main__":
    leave_room_for_the_server()
    main(*(sys.argv[1:] or wait_for_run()))
