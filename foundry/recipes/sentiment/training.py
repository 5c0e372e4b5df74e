"""Where a classifier is fine-tuned, in this process or on several workers, and how far it is."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from torch import nn
from tqdm import tqdm
from transformers import PreTrainedTokenizerBase

from foundry.recipes.sentiment.data.corpus import Corpus
from foundry.recipes.sentiment.finetune import FinetuneConfig, FinetuneEvent, finetune
from foundry.recipes.workers import WorkersConfig, train_on_workers
from foundry.training.sharding import Shard

Model = TypeVar("Model", bound=nn.Module)
Result = TypeVar("Result")


def train(
    build: Callable[[], Model],
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    config: FinetuneConfig,
    folder: Path,
    workers: WorkersConfig | None,
) -> Generator[FinetuneEvent, None, Model]:
    """Fine-tune on a corpus, from the checkpoint in a folder if there is one.

    Args:
        build: Makes the classifier as it is before training; a function of a module, or a
            `partial` of one.
        tokenizer: Its tokenizer.
        corpus: The texts.
        config: The knobs.
        folder: The run's folder.
        workers: Where to train; None for this process.

    Yields:
        One event for each optimizer update.

    Returns:
        The classifier with its best weights, in evaluation mode.
    """
    if workers:
        loop = partial(train_share, build, tokenizer, corpus, config)
        yield from train_on_workers(loop, workers, folder.name, folder)
    model = build()
    # What workers have finished is only read back.
    yield from finetune(model, tokenizer, corpus.train, corpus.val, config, folder)
    return model


def train_share(
    build: Callable[[], nn.Module],
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    config: FinetuneConfig,
    shard: Shard,
    folder: Path,
) -> Iterator[tuple[FinetuneEvent, bool]]:
    """Fine-tune as one of several workers, from the checkpoint in a folder if there is one.

    Args:
        build: Makes the classifier.
        tokenizer: Its tokenizer.
        corpus: The texts.
        config: The knobs.
        shard: Which of the workers this is.
        folder: This worker's.

    Yields:
        Events, each with whether it is followed by a checkpoint.
    """
    events = finetune(build(), tokenizer, corpus.train, corpus.val, config, folder, shard=shard)
    for event in events:
        yield event, event.val_loss is not None


def show_progress(run: Generator[FinetuneEvent, None, Result], name: str) -> Result:
    """Draw a progress bar until a run is over.

    Args:
        run: Yields its events.
        name: How the bar calls it.

    Returns:
        What the run returns.
    """
    with tqdm(desc=name, unit="step") as bar:
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                result: Result = end.value
                return result
            bar.total = event.num_steps
            bar.update(event.step - bar.n)
            if event.val_loss is not None:
                bar.set_postfix(val_loss=f"{event.val_loss:.3f}", epoch=event.epoch)
