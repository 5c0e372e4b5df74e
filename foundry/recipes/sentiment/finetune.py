"""Fine-tuning of one seed: layer-wise learning rates, R-Drop, averaged weights, resumable."""

import math
import random
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from foundry.models.machine import autocast
from foundry.recipes.sentiment.checkpoints import load_weights, resume_checkpoint, save_checkpoint
from foundry.recipes.sentiment.data.batches import draw_epoch, encode, predict_logits
from foundry.recipes.sentiment.data.corpus import Example, spellings
from foundry.training.sharding import ALONE, Shard, differentiate

BEST_FILE = "best.safetensors"
WARMUP_SHARE = 0.1
FINAL_LR_SHARE = 0.01
GRADIENT_NORM = 1.0

# Maps int64 input ids and attention mask (batch, tokens) and labels (batch,) to a scalar.
ComputeLoss = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class FinetuneConfig:
    """What one fine-tuning run depends on.

    Attributes:
        seed: Seeds the order of the data, their spelling and dropout.
        epochs: Passes over the training examples, at least 1.
        batch_size: Sentences in a batch.
        peak_lr: Learning rate of the top layer at the peak of its one cycle.
        layer_decay: Factor on the learning rate from each layer to the one below, in (0, 1].
        head_lr_ratio: Learning rate of pooler and classifier over that of the top layer.
        weight_decay: AdamW's decoupled decay, on matrices only.
        label_smoothing: Probability moved from the label to the other one, in [0, 1).
        rdrop_weight: Weight of the divergence between two dropout passes; 0 makes one pass.
        average_decay: Decay of the running average of the weights, per step, in [0, 1).
        dropout: Probability in hidden layers and attention, in [0, 1).
        mask_share: Share of tokens hidden behind the mask token while training, in [0, 1); each
            R-Drop pass hides others.
        join_share: Share of examples joined to another of the same label, in [0, 1], so that texts
            of several sentences are in domain.
        train_word_embeddings: Whether the token table is trained too.
        patience: Epochs without a better validation loss before stopping.
    """

    seed: int = 0
    epochs: int = 4
    batch_size: int = 32
    peak_lr: float = 2e-4
    layer_decay: float = 0.9
    head_lr_ratio: float = 2.0
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    rdrop_weight: float = 1.0
    average_decay: float = 0.99
    dropout: float = 0.1
    mask_share: float = 0.0
    join_share: float = 0.05
    train_word_embeddings: bool = True
    patience: int = 2


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
        compute_loss: What is made small; None for cross-entropy with R-Drop, as `config` has it.
            A mean over the batch's rows.
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
    spelled = [encode(tokenizer, texts) for texts in spellings(train)]
    labels = [example.label for example in train]
    num_steps = config.epochs * math.ceil(len(train) / config.batch_size)

    while progress.epoch < config.epochs and progress.epochs_since_best < config.patience:
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        # Seeded by epoch, so that a resumed run sees what an uninterrupted one would have.
        rng = random.Random(f"{config.seed}/{progress.epoch}")
        torch.manual_seed(rng.getrandbits(63) + shard.rank)
        batches = draw_epoch(spelled, labels, config.batch_size, config.join_share, rng)
        for number, batch in enumerate(batches, start=1):
            model.train()
            num_rows = len(batch[0])
            input_ids, attention_mask, targets = (part[shard.rows(num_rows)] for part in batch)
            if compute_loss is None:
                loss = _loss(model, tokenizer, input_ids, attention_mask, targets, config)
            else:
                loss = compute_loss(input_ids, attention_mask, targets)
            learned = differentiate(loss, loss, shard.weight(num_rows), parameters)
            train_loss = shard.sum_gradients(parameters, [learned])
            nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
            lr_share = one_cycle(progress.step / num_steps)
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * lr_share
            optimizer.step()
            progress.step += 1
            # A young average follows the weights closely, or it would remember the start for long.
            decay = min(config.average_decay, (1 + progress.step) / (10 + progress.step))
            for name, parameter in trained.items():
                average[name].lerp_(parameter.detach(), 1 - decay)
            val_loss = val_accuracy = None
            if number == len(batches):
                with _weights_swapped(trained, average):
                    val_loss, val_accuracy = shard.agree(*_evaluate(model, tokenizer, val))
                progress.epoch += 1
                progress.epochs_since_best += 1
                if val_loss < progress.best_loss:
                    progress.best_loss, progress.epochs_since_best = val_loss, 0
                    save_file(average, checkpoint_dir / BEST_FILE)
            progress.elapsed_s += time.perf_counter() - started_s
            progress.cpu_s += (time.process_time() - cpu_started_s) * shard.world_size
            started_s, cpu_started_s = time.perf_counter(), time.process_time()
            if number == len(batches):
                save_checkpoint(checkpoint_dir, progress, trained, average, optimizer)
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
    load_weights(trained, load_file(checkpoint_dir / BEST_FILE))
    model.eval()


def one_cycle(progress: float) -> float:
    """Give the learning rate's share of its peak: a linear rise, then half a cosine.

    Args:
        progress: Share of the steps done, in [0, 1].

    Returns:
        The share, in (0, 1].
    """
    if progress < WARMUP_SHARE:
        return max(progress / WARMUP_SHARE, FINAL_LR_SHARE)
    fall = (progress - WARMUP_SHARE) / (1 - WARMUP_SHARE)
    return max(0.5 * (1 + math.cos(math.pi * fall)), FINAL_LR_SHARE)


def _loss(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    input_ids: Tensor,
    attention_mask: Tensor,
    labels: Tensor,
    config: FinetuneConfig,
) -> Tensor:
    num_passes = 2 if config.rdrop_weight else 1
    input_ids = input_ids.repeat(num_passes, 1)
    hidden = torch.rand(input_ids.shape) < config.mask_share
    hidden &= torch.isin(input_ids, torch.tensor(tokenizer.all_special_ids), invert=True)
    with autocast():
        logits = model(
            input_ids=input_ids.masked_fill(hidden, tokenizer.mask_token_id),
            attention_mask=attention_mask.repeat(num_passes, 1),
        ).logits
    logits = logits.float()
    loss = F.cross_entropy(
        logits, labels.repeat(num_passes), label_smoothing=config.label_smoothing
    )
    if config.rdrop_weight:
        first, second = F.log_softmax(logits, dim=1).chunk(2)
        divergence = F.kl_div(first, second, log_target=True, reduction="batchmean") + F.kl_div(
            second, first, log_target=True, reduction="batchmean"
        )
        loss = loss + config.rdrop_weight * divergence / 2
    return loss


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


def _evaluate(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> tuple[float, float]:
    logits = predict_logits(model, tokenizer, [example.text for example in examples])
    labels = torch.tensor([example.label for example in examples])
    accuracy = (logits.argmax(dim=1) == labels).float().mean().item()
    return F.cross_entropy(logits, labels).item(), accuracy


@contextmanager
def _weights_swapped(trained: dict[str, nn.Parameter], other: dict[str, Tensor]) -> Iterator[None]:
    kept = {name: parameter.detach().clone() for name, parameter in trained.items()}
    load_weights(trained, other)
    try:
        yield
    finally:
        load_weights(trained, kept)
