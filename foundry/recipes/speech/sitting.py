"""One sitting of a training on the command line: a log, a progress bar, an orderly end."""

import dataclasses
import json
import signal
from pathlib import Path

from tqdm import tqdm

from foundry.recipes.speech.batches import BatchSource
from foundry.recipes.speech.evaluate import Utterance, evaluate
from foundry.recipes.speech.losses import ComputeLoss, compute_loss
from foundry.recipes.speech.train import TrainConfig, TrainState, train

LOG = "events.jsonl"
LOG_STEPS = 25


def run_sitting(
    state: TrainState,
    source: BatchSource,
    config: TrainConfig,
    folder: Path,
    dev_sets: dict[str, list[Utterance]],
    compute_loss: ComputeLoss = compute_loss,
) -> bool:
    """Train until the time is up or SIGTERM comes, which leaves a checkpoint to go on from.

    Args:
        state: trained in place, from wherever it is.
        source: batches by step.
        config: see there.
        folder: for the checkpoints and the log.
        dev_sets: evaluated now and then.
        compute_loss: what is made small.

    Returns:
        Whether the time was up.
    """
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    losses = []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8") as log, tqdm() as progress:
        events = train(
            state, source, config, folder, lambda model: evaluate(model, dev_sets), compute_loss
        )
        for event in events:
            losses.append(event.train_loss)
            progress.update()
            if event.figures or event.step % LOG_STEPS == 0:
                mean = sum(losses) / len(losses)
                losses = []
                event = dataclasses.replace(event, train_loss=mean)
                log.write(json.dumps(dataclasses.asdict(event)) + "\n")
                log.flush()
            if stops:
                # Between two updates the state is whole: nothing since the last checkpoint is lost.
                state.save(folder)
                return False
    return True
