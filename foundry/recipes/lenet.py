"""Make `weights/lenet/` from nothing: `python -m foundry.recipes.lenet`, under two minutes.

With `--prune`, make `weights/lenet-pruned/` from `weights/lenet/`.
"""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from foundry.compression.recovery import (
    NUM_JUDGED,
    ImportanceEvent,
    PrunedTraining,
    PruneEvent,
    RecoveryEvent,
)
from foundry.data import load_mnist, load_test_split
from foundry.errors import in_a_sentence
from foundry.models import load_model, save_model
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.machine import select_device
from foundry.models.networks import count_parameters
from foundry.models.shipped import record_shipped
from foundry.recipes.workers import (
    WorkersConfig,
    add_worker_options,
    read_worker_options,
    train_on_workers,
)
from foundry.training import TrainConfig, TrainEvent, TrainState, train
from foundry.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from foundry.training.evaluation import Evaluation, evaluate
from foundry.training.sharding import Shard
from foundry.training.step import NUM_PARTS

CONFIG = TrainConfig(
    epochs=20, batch_size=256, learning_rate=9e-3, rotation_deg=10.0, shift_px=1.5, scale=0.1
)

# Nearly all of LeNet's parameters are in its linear layers, nearly all of its arithmetic in the
# convolutions: each gives up what it can spare.
PRUNING_RATIOS = {"conv1": 0.17, "conv2": 0.25, "fc1": 0.5, "fc2": 0.5}
# Milder than what the dense network was trained on: a smaller one has less to fit it with.
RECOVERY = replace(
    CONFIG, epochs=12, learning_rate=5e-3, rotation_deg=8.0, shift_px=1.2, scale=0.08
)

_CARD = """---
license: cc-by-sa-3.0
library_name: pytorch
pipeline_tag: image-classification
datasets:
- ylecun/mnist
metrics:
- accuracy
---

# LeNet-5 on MNIST

A LeNet-5 ({parameters:,} parameters) that reads one handwritten digit from a 28x28 picture.

| split | images | accuracy |
|---|---|---|
| validation (chose the epoch) | {num_val:,} | {val_accuracy:.2%} |
| test (measured once, as stored) | {num_test:,} | **{test_accuracy:.2%}** |

Test cross-entropy: {test_loss:.4f} nats.

## How it was made

`python -m foundry.recipes.lenet`: {elapsed_s:.0f} s for {epochs} epochs on {where}
({images_per_s:,.0f} images/s, {precision}, torch {torch_version}). Epoch {best_epoch} was kept, the
best on validation. Weights are stored as float16. Settings:

```json
{config}
```

## Data and licence

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges), CC BY-SA 3.0: 55,000 of its training images to learn
from, the other 5,000 to choose on, its test split to report.

## Intended use and limits

For teaching and demonstration. It expects what MNIST's authors did to their scans: one digit,
bright on black, fitted into 20x20 pixels and centred by mass (`foundry.digits` does that). It has
no class for “not a digit” and will name one for any picture, and digits written in other
traditions than those of the writers of MNIST (a crossed 7, a 1 with a long upstroke) are read less
well.
"""


_PRUNED_CARD = """---
license: cc-by-sa-3.0
library_name: pytorch
pipeline_tag: image-classification
base_model: lenet
datasets:
- ylecun/mnist
metrics:
- accuracy
---

# LeNet-5 on MNIST, pruned

[The shipped LeNet](../lenet/README.md) with the neurons removed that matter least, and trained
further: {parameters:,} parameters, {fewer:.0%} fewer than its {dense_parameters:,}.

| accuracy | validation ({num_val:,}; chose the epoch) | test ({num_test:,}; measured once) |
|---|---|---|
| dense | {dense_val:.2%} | {dense_test:.2%} |
| right after pruning | {pruned_val:.2%} | |
| after recovery | {best_val:.2%} | **{test:.2%}** |

## What was removed

| layer | |
|---|---|
{changes}

What matters is judged by the first-order Taylor estimate (Molchanov et al. 2019) on {num_judged:,}
training images; [torch-pruning](https://github.com/VainF/Torch-Pruning) removes the rest and what
depends on it. The result is an ordinary smaller network: `config.json` states its widths.

## How it was made

`python -m foundry.recipes.lenet --prune`: {elapsed_s:.0f} s of recovery for {epochs} epochs on
{num_threads} CPU thread(s) ({precision}, torch {torch_version}). Epoch {best_epoch} was kept, the
best on validation. Weights are stored as float16. Settings of the recovery:

```json
{config}
```

Data, licence, intended use and limits are those of the dense network.
"""


def _render_card(state: TrainState, where: str, test: Evaluation) -> str:
    mnist = load_mnist()
    return _CARD.format(
        parameters=count_parameters(state.model),
        num_val=len(mnist.val),
        num_test=len(mnist.test),
        val_accuracy=state.best_val_accuracy,
        test_accuracy=test.accuracy,
        test_loss=test.loss,
        elapsed_s=state.elapsed_s,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        where=where,
        images_per_s=state.images_per_s,
        precision=str(state.precision).removeprefix("torch."),
        torch_version=torch.__version__,
        config=json.dumps(asdict(state.config), indent=2),
    )


def _count_threads() -> int:
    return min(NUM_PARTS, torch.get_num_threads())


def _follow(events: Iterable[TrainEvent], num_steps: int) -> None:
    with tqdm(total=num_steps, unit=" steps") as bar:
        for event in events:
            bar.update(event.step - bar.n)
            if event.val_accuracy is not None:
                bar.set_postfix(val_accuracy=f"{event.val_accuracy:.2%}")


def _store(model: nn.Module, out: Path) -> None:
    save_model(model, out, dtype=torch.float16)
    record_shipped(out.resolve() / WEIGHTS_FILE)


def train_share(
    config: TrainConfig, device: torch.device, shard: Shard, folder: Path
) -> Iterator[tuple[TrainEvent, bool]]:
    """Train as one of several workers, from the checkpoint in a folder if there is one.

    Args:
        config: The knobs.
        device: Of this worker.
        shard: Which of them it is.
        folder: Gets a checkpoint at the end of every epoch.

    Yields:
        Events, each with whether it is followed by a checkpoint.
    """
    last = find_checkpoint(folder)
    state = load_checkpoint(last, device) if last else TrainState(config, device)
    for event in train(state, load_mnist(), shard):
        epoch_ends = event.val_accuracy is not None
        if epoch_ends:
            save_checkpoint(state, folder)
        yield event, epoch_ends


def _train(device: torch.device, workers: WorkersConfig | None) -> TrainState:
    state = TrainState(CONFIG, device)
    if workers is None:
        _follow(train(state, load_mnist()), state.num_steps)
        return state
    with tempfile.TemporaryDirectory() as name:
        loop = partial(train_share, CONFIG, device)
        _follow(train_on_workers(loop, workers, "lenet", Path(name)), state.num_steps)
        last = find_checkpoint(Path(name))
        assert last is not None
        return load_checkpoint(last, device)


def _make_dense(out: Path, device: torch.device, workers: WorkersConfig | None) -> Evaluation:
    state = _train(device, workers)
    _store(state.best_model(), out)
    test = evaluate(load_model(out.resolve()), load_test_split())
    where = (
        f"{workers.num_workers} worker(s) of one core or GPU each"
        if workers
        else f"{_count_threads()} CPU threads"
    )
    (out / "README.md").write_text(_render_card(state, where, test))
    return test


def _make_pruned(out: Path, device: torch.device) -> Evaluation:
    mnist, dense = load_mnist(), load_model("lenet")
    training = PrunedTraining(dense, PRUNING_RATIOS, mnist, RECOVERY, device)
    events = iter(training)
    importance, pruned = next(events), next(events)
    assert isinstance(importance, ImportanceEvent) and isinstance(pruned, PruneEvent)
    state = training.state
    assert state is not None
    _follow((e.event for e in events if isinstance(e, RecoveryEvent)), state.num_steps)
    _store(training.best_model(), out)
    test = evaluate(load_model(out.resolve()), mnist.test)
    card = _PRUNED_CARD.format(
        parameters=pruned.parameters,
        dense_parameters=importance.parameters,
        fewer=1 - pruned.parameters / importance.parameters,
        num_val=len(mnist.val),
        num_test=len(mnist.test),
        dense_val=importance.val_accuracy,
        pruned_val=pruned.val_accuracy,
        best_val=state.best_val_accuracy,
        dense_test=evaluate(dense, mnist.test).accuracy,
        test=test.accuracy,
        changes="\n".join(f"| `{change.layer}` | {change.note} |" for change in pruned.changes),
        num_judged=NUM_JUDGED,
        elapsed_s=state.elapsed_s,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        num_threads=_count_threads(),
        precision=str(state.precision).removeprefix("torch."),
        torch_version=torch.__version__,
        config=json.dumps(asdict(RECOVERY), indent=2),
    )
    (out / "README.md").write_text(card)
    return test


def main() -> None:
    """Train, keep the epoch best on validation, store it, measure what was stored."""
    parser = argparse.ArgumentParser(prog="python -m foundry.recipes.lenet", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder to write (default: in weights/)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--prune", action="store_true", help="prune the shipped LeNet instead")
    add_worker_options(parser)
    args = parser.parse_args()
    out = args.out or WEIGHTS_DIR / ("lenet-pruned" if args.prune else "lenet")
    device = select_device(args.device)
    with in_a_sentence(parser):
        workers = read_worker_options(args, use_gpu=device.type == "cuda")
        test = _make_pruned(out, device) if args.prune else _make_dense(out, device, workers)
    print(f"{test.accuracy:.2%} of the test split; wrote {out}")


if __name__ == "__main__":
    main()
