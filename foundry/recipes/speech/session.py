"""One session of a training on the command line: a log, a progress bar, an orderly end."""

import dataclasses
import json
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm
from transformers import Wav2Vec2Config

from foundry.recipes.speech.batches import BatchSource
from foundry.recipes.speech.data import augment
from foundry.recipes.speech.evaluate import Utterance, build_dev_sets, evaluate
from foundry.recipes.speech.losses import ComputeLoss, compute_loss
from foundry.recipes.speech.model import build_model
from foundry.recipes.speech.prepare import Material, load_material
from foundry.recipes.speech.train import CHECKPOINT, SpeechEvent, TrainConfig, TrainState, train
from foundry.training.sharding import Shard

LOG = "events.jsonl"
LOG_STEPS = 25


def run_session(
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
    events = train(
        state, source, config, folder, lambda model: evaluate(model, dev_sets), compute_loss
    )
    for _ in log_events(events, folder):
        if stops:
            # Between two updates the state is whole: nothing since the last checkpoint is lost.
            state.save(folder)
            return False
    return True


def log_events(events: Iterable[SpeechEvent], folder: Path) -> Iterator[SpeechEvent]:
    """Pass events on, with a progress bar, and write some of them to the log.

    Args:
        events: of a training.
        folder: for the log; created if missing.

    Yields:
        Every event.
    """
    losses = []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8") as log, tqdm() as progress:
        for event in events:
            losses.append(event.train_loss)
            progress.update()
            if event.figures or event.step % LOG_STEPS == 0:
                mean = sum(losses) / len(losses)
                losses = []
                line = dataclasses.asdict(dataclasses.replace(event, train_loss=mean))
                log.write(json.dumps(line, allow_nan=False) + "\n")
                log.flush()
            yield event


def train_share(
    data_dir: Path,
    cache_dir: Path,
    model_config: Wav2Vec2Config,
    start: Path | None,
    config: TrainConfig,
    ends_s: float,
    seed: int,
    shard: Shard,
    folder: Path,
) -> Iterator[tuple[SpeechEvent, bool]]:
    """Train as one of several workers, from the checkpoint in a folder if there is one.

    Args:
        data_dir: holds the corpora.
        cache_dir: holds what was prepared from them.
        model_config: of the model.
        start: folder of the checkpoint to go on from if this worker's has none; None begins anew.
        config: see there.
        ends_s: when the session ends, in seconds since the epoch of `time.time`.
        seed: of the weights and the data.
        shard: which of the workers this is.
        folder: this worker's.

    Yields:
        Events, each with whether it is followed by a checkpoint.
    """
    material = load_material(data_dir, cache_dir)
    dev_sets = build_sets(material, seed)
    source = build_source(material, seed)
    state = TrainState(build_model(model_config, seed))
    if (folder / CHECKPOINT).is_file():
        state.load(folder)
    elif start:
        state.load(start)
    # A session that is begun again has only what is left of its time.
    config = dataclasses.replace(config, minutes=max(0.0, ends_s - time.time()) / 60)
    events = train(
        state, source, config, folder, lambda model: evaluate(model, dev_sets), shard=shard
    )
    for event in events:
        yield event, event.is_saved


def build_source(material: Material, seed: int) -> BatchSource:
    """Make the source of the training batches.

    Args:
        material: its training clips are used.
        seed: decides every draw.
    """
    recorded = [(material.recordings, clip) for clip in material.train]
    return BatchSource(recorded, material.synthetic, seed)


def build_sets(material: Material, seed: int) -> dict[str, list[Utterance]]:
    """Arrange everything that is held out.

    Args:
        material: its held-out clips are used.
        seed: as for ``build_dev_sets``.

    Returns:
        The sets of ``build_dev_sets`` and "accents", as a telephone passes them on.
    """
    sets = build_dev_sets(material.recordings, material.dev, seed)
    sets["accents"] = [
        (augment.narrow_band(store.waveform(clip)), clip.text) for store, clip in material.accents
    ]
    return sets
