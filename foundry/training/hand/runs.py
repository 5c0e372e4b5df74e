"""A network that has learned a hand, as a run of its owner's."""

from dataclasses import asdict, replace
from typing import Any

import torch

from foundry.data import DIGITS
from foundry.models import save_model
from foundry.runs.data_sets import AS_HANDWRITING
from foundry.runs.folders import append_event, create_folder, rename_run, runs_dir, whole_or_gone
from foundry.training.hand.learning import Learned
from foundry.training.runs import Run, read_run
from foundry.training.step import NUM_PARTS
from foundry.training.worker import finish_run

NAMES = {True: "My hand", False: "My hand, without replay"}


def keep_hand(
    learned: Learned, start: str, has_replay: bool, owner: str, width: float = 1.0
) -> Run:
    """Write a network to disk as a run that has ended.

    Args:
        learned: From `learn_hand()`.
        start: What it went on from: a shipped model's name, or the id of a run.
        has_replay: Whether MNIST was learned again; the run is called after it.
        owner: The visitor's secret token.
        width: Of the network that it went on from.

    Raises:
        ArtifactError: If the runs folder cannot be written.
    """
    state = learned.state
    made: dict[str, Any] = {
        "device": str(state.device),
        "start": start,
        "config": asdict(replace(state.config, width=width)),
    }
    classes = learned.network.classes
    if classes != DIGITS:
        made |= {"classes": classes, "preparation": AS_HANDWRITING}
    run = read_run(create_folder(runs_dir(), made, owner).name)
    with whole_or_gone(run.folder):
        save_model(learned.network, run.best_folder)
        for event in learned.events:
            append_event(run.folder, event)
        rename_run(run, NAMES[has_replay])
        num_threads = min(NUM_PARTS, torch.get_num_threads())
        finish_run(run, state, "done", num_threads, learned.test)
    return read_run(run.run_id)
