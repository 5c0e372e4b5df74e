"""Fine-tuning of one seed: layer-wise learning rates, consistency, averaged weights, resumable."""

import json
import math
import random
import re
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from foundry.models.machine import autocast
from foundry.recipes.sentiment.checkpoints import (
    Progress,
    load_weights,
    resume_checkpoint,
    save_checkpoint,
    weights_swapped,
)
from foundry.recipes.sentiment.data.batches import (
    Batch,
    DrawConfig,
    draw_batches,
    draw_examples,
    predict_logits,
)
from foundry.recipes.sentiment.data.corpus import LABELS, Example
from foundry.recipes.sentiment.evaluation import align, measure_domains
from foundry.training.sharding import ALONE, Shard, differentiate

BEST_FILE = "best.safetensors"
LOG_FILE = "log.jsonl"
WARMUP_SHARE = 0.1
FINAL_LR_SHARE = 0.01
GRADIENT_NORM = 1.0

# A longer step was a stopped process: it is no time of training.
LONGEST_STEP_S = 60.0

ComputeLoss = Callable[[Batch], Tensor]


@dataclass(frozen=True)
class FinetuneConfig(DrawConfig):
    """What one fine-tuning run depends on, beside how its epochs are made.

    Attributes:
        seed: Seeds the order of the data, their spelling and dropout.
        epochs: Draws of training examples, each followed by a checkpoint; at least 1.
        peak_lr: Learning rate of the top layer at the peak of its one cycle.
        layer_decay: Factor on the learning rate from each layer to the one below, in (0, 1].
        head_lr_ratio: Learning rate of pooler and classifier over that of the top layer.
        weight_decay: AdamW's decoupled decay, on matrices only.
        label_smoothing: Probability moved from the label to the others, in [0, 1).
        told_share: How much of what is learnt is a teacher's answer and not the label, in [0, 1].
        consistency_weight: Weight of the divergence between a text's answer and its partner's.
        average_decay: Decay of the running average of the weights, per step, in [0, 1).
        dropout: Probability in hidden layers and attention, in [0, 1).
        train_word_embeddings: Whether the token table is trained too.
        patience: Epochs without a better validation loss before stopping.
        minutes: The learning rate's cycle ends, and with it the run, after this much time however
            many epochs that is; None does all of `epochs`. More minutes go on with a finished run.
    """

    seed: int = 0
    epochs: int = 30
    peak_lr: float = 2e-4
    layer_decay: float = 0.9
    head_lr_ratio: float = 2.0
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    told_share: float = 0.0
    consistency_weight: float = 1.0
    average_decay: float = 0.99
    dropout: float = 0.1
    train_word_embeddings: bool = True
    patience: int = 30
    minutes: float | None = None


@dataclass(frozen=True)
class FinetuneEvent:
    """The state of a run after one step.

    Attributes:
        step: Optimizer updates done, from 1.
        num_steps: Updates in all, if the run is not stopped early.
        epoch: Whole epochs done.
        train_loss: Loss of the step's batch, in nats.
        val_loss: At the end of an epoch the cross-entropy of the averaged weights on the
            validation examples, in nats; None in between.
        val_accuracy: Their accuracy, in [0, 1]; None in between.
        elapsed_s: Wall-clock seconds of training so far, over all resumptions.
        cpu_s: Processor seconds of training so far, over all threads and resumptions; of several
            workers, the first one's times their number.
    """

    step: int
    num_steps: int
    epoch: int
    train_loss: float
    val_loss: float | None
    val_accuracy: float | None
    elapsed_s: float
    cpu_s: float


def finetune(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    train: Sequence[Example],
    val: Sequence[Example],
    config: FinetuneConfig,
    checkpoint_dir: Path,
    compute_loss: ComputeLoss | None = None,
    shard: Shard = ALONE,
) -> Generator[FinetuneEvent, None, None]:
    """Train a classifier in place, yielding every step; ends with the best averaged weights in.

    A run that was interrupted goes on from its last whole epoch, with the same batches it would
    have had.

    Args:
        model: Called with `input_ids` and `attention_mask`, gives `.logits`; parameters with
            `requires_grad` are trained. Modified.
        tokenizer: Its tokenizer.
        train: Examples to fit.
        val: Examples for early stopping.
        config: The knobs.
        checkpoint_dir: Folder for this run's files; made if missing.
        compute_loss: What is made small; None for cross-entropy and consistency, as `config` has
            it. A mean over the batch's rows.
        shard: Which of several workers this is; each has a folder of its own, and learns from its
            share of every batch. Dropout is drawn by each for itself.

    Yields:
        One event for each optimizer update.

    Source:
        R-Drop: Liang et al. 2021, equation 4. Layer-wise decay: Howard and Ruder 2018, section 3.2.
    """
    checkpoint_dir.mkdir(parents=True, exist_ok=True)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    parameters = list(trained.values())
    optimizer = _build_optimizer(trained, config)
    average = {name: p.detach().clone() for name, p in trained.items()}
    progress = resume_checkpoint(checkpoint_dir, trained, average, optimizer)
    while not is_finished(progress, config):
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        # Seeded by epoch, so that a resumed run sees what an uninterrupted one would have.
        rng = random.Random(f"{config.seed}/{progress.epoch}")
        torch.manual_seed(rng.getrandbits(63) + shard.rank)
        examples = draw_examples(train, config.epoch_size, config.seed, progress.epoch)
        batches = draw_batches(tokenizer, examples, config, rng)
        num_steps = config.epochs * len(batches)
        for number, batch in enumerate(batches, start=1):
            model.train()
            own = batch.rows(shard.rows(len(batch)))
            loss = compute_loss(own) if compute_loss else _loss(model, own, config)
            learned = differentiate(loss, loss, shard.weight(len(batch)), parameters)
            train_loss = shard.sum_gradients(parameters, [learned])
            nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
            lr_share = one_cycle(_done(progress, config, progress.step / num_steps))
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * lr_share
            optimizer.step()
            progress.step += 1
            # A young average follows the weights closely, or it would remember the start for long.
            decay = min(config.average_decay, (1 + progress.step) / (10 + progress.step))
            for name, parameter in trained.items():
                average[name].lerp_(parameter.detach(), 1 - decay)
            val_loss = val_accuracy = None
            is_last = number == len(batches) or (
                config.minutes is not None and is_finished(progress, config)
            )
            if is_last:
                with weights_swapped(trained, average):
                    logits = predict_logits(model, tokenizer, [example.text for example in val])
                val_loss, val_accuracy = shard.agree(*_judge(logits, val))
                progress.epoch += 1
                progress.epochs_since_best += 1
                if val_loss < progress.best_loss:
                    progress.best_loss, progress.epochs_since_best = val_loss, 0
                    draft = checkpoint_dir / f"{BEST_FILE}.draft"
                    save_file(average, draft)
                    draft.replace(checkpoint_dir / BEST_FILE)
            step_s = min(time.perf_counter() - started_s, LONGEST_STEP_S)
            # Rate and end depend on the time: with a clock each, workers would go apart.
            (progress.elapsed_s,) = shard.agree(progress.elapsed_s + step_s)
            progress.cpu_s += (time.process_time() - cpu_started_s) * shard.world_size
            started_s, cpu_started_s = time.perf_counter(), time.process_time()
            if is_last:
                save_checkpoint(checkpoint_dir, progress, trained, average, optimizer)
                _log(checkpoint_dir, progress, logits, val)
            yield FinetuneEvent(
                step=progress.step,
                num_steps=num_steps,
                epoch=progress.epoch,
                train_loss=train_loss,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                elapsed_s=progress.elapsed_s,
                cpu_s=progress.cpu_s,
            )
            if is_last:
                break
    load_weights(trained, load_file(checkpoint_dir / BEST_FILE))
    model.eval()


def one_cycle(progress: float) -> float:
    """Give the learning rate's share of its peak: a linear rise, then half a cosine.

    Args:
        progress: Share of the steps done, in [0, 1].

    Returns:
        The share, in (0, 1].
    """
    progress = min(progress, 1)
    if progress < WARMUP_SHARE:
        return max(progress / WARMUP_SHARE, FINAL_LR_SHARE)
    fall = (progress - WARMUP_SHARE) / (1 - WARMUP_SHARE)
    return max(0.5 * (1 + math.cos(math.pi * fall)), FINAL_LR_SHARE)


def is_finished(progress: Progress, config: FinetuneConfig) -> bool:
    """Tell whether a run is over: its epochs or its time are, or it gets no better."""
    is_stopped = progress.epochs_since_best >= config.patience
    return is_stopped or _done(progress, config, progress.epoch / config.epochs) >= 1


def _done(progress: Progress, config: FinetuneConfig, share: float) -> float:
    return share if config.minutes is None else progress.elapsed_s / (60 * config.minutes)


def _loss(model: nn.Module, batch: Batch, config: FinetuneConfig) -> Tensor:
    paired = batch.has_partner
    with autocast():
        logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    logits = logits.float()
    smoothed = F.one_hot(batch.labels, len(LABELS)) * (1 - config.label_smoothing)
    goals = (smoothed + config.label_smoothing / len(LABELS)).lerp(batch.told, config.told_share)
    losses = F.cross_entropy(logits, goals, reduction="none")
    if paired.any():
        with autocast():
            others = model(
                input_ids=batch.partner_ids[paired], attention_mask=batch.partner_mask[paired]
            ).logits.float()
        of_partner = F.cross_entropy(others, goals[paired], reduction="none")
        first, second = F.log_softmax(logits[paired], dim=1), F.log_softmax(others, dim=1)
        # The symmetric Kullback-Leibler divergence, halved as in R-Drop.
        divergence = ((first - second) * (first.exp() - second.exp())).sum(dim=1) / 2
        both = (losses[paired] + of_partner) / 2 + config.consistency_weight * divergence
        losses = losses.masked_scatter(paired, both)
    return losses.mean()


def _build_optimizer(trained: dict[str, nn.Parameter], config: FinetuneConfig) -> torch.optim.AdamW:
    num_layers = 1 + max((_layer(name) for name in trained), default=0)
    groups = []
    for name, parameter in trained.items():
        if "pooler" in name or "classifier" in name:
            ratio = config.head_lr_ratio
        else:
            ratio = config.layer_decay ** (num_layers - 1 - _layer(name))
        groups.append(
            {
                "params": [parameter],
                "peak_lr": config.peak_lr * ratio,
                "weight_decay": config.weight_decay if parameter.ndim > 1 else 0.0,
            }
        )
    return torch.optim.AdamW(groups, lr=config.peak_lr, betas=(0.9, 0.98), fused=True)


def _layer(name: str) -> int:
    # The embeddings lie below layer 0.
    found = re.search(r"layer\.(\d+)\.", name)
    return int(found[1]) if found else -1


def _judge(logits: Tensor, examples: Sequence[Example]) -> tuple[float, float]:
    labels = torch.tensor([example.label for example in examples])
    accuracy = (logits.argmax(dim=1) == labels).float().mean().item()
    return F.cross_entropy(logits, labels).item(), accuracy


def _log(folder: Path, progress: Progress, logits: Tensor, val: Sequence[Example]) -> None:
    """Add the learning curve's next point: what the averaged weights do in each domain."""
    figures = measure_domains(align(logits.softmax(dim=1), list(LABELS.values())), val)
    point = asdict(progress) | {"domains": [asdict(domain) for domain in figures]}
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(point, allow_nan=False) + "\n")
