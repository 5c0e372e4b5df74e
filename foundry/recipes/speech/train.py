"""The training loop as a stream of events, and checkpoints that it resumes from."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from transformers import Wav2Vec2ForCTC

from foundry.recipes.speech.batches import Batch, BatchSource
from foundry.recipes.speech.losses import ComputeLoss, compute_loss, count_characters
from foundry.recipes.speech.model import another_vocal_tract
from foundry.training.sharding import ALONE, Shard, differentiate

CHECKPOINT = "checkpoint.safetensors"
# What AdamW and Muon keep of each parameter.
MOMENTS = (("exp_avg", "exp_avg_sq", "step"), ("momentum_buffer",))
# Of Muon's learning rate to AdamW's.
MUON_RATE = 2.5


@dataclass(frozen=True)
class TrainConfig:
    """What decides a training.

    Attributes:
        minutes: how long this session lasts.
        decay_minutes: the learning rate falls to zero over the last of them; 0 keeps it up, for a
            training that is to be resumed.
        learning_rate: after the warm-up.
        warmup_steps: the learning rate rises linearly over these.
        mask_after: step from which time and feature spans are masked.
        vary_after: step from which every batch is heard as from another vocal tract.
        ema_decay: of the moving average of the weights, per step.
        checkpoint_minutes: between two checkpoints.
        evaluate_minutes: of processor time between two evaluations, which cost a share of it.
        seed: decides dropout and masking; the data has its own.
        num_workers: processes that make batches; 0 makes them in this one.
    """

    minutes: float = 120.0
    decay_minutes: float = 0.0
    learning_rate: float = 1e-3
    warmup_steps: int = 500
    mask_after: int = 2_500
    vary_after: int = 22_500
    ema_decay: float = 0.999
    checkpoint_minutes: float = 5.0
    evaluate_minutes: float = 10.0
    seed: int = 0
    num_workers: int = 1


@dataclass(frozen=True)
class SpeechEvent:
    """Progress after one step.

    Attributes:
        step: optimizer updates so far, all sessions together.
        elapsed_s: processor time of the updates so far, all sessions together.
        train_loss: CTC loss a character.
        learning_rate: used in this step.
        audio_s_per_s: seconds of audio trained on in a second of processor time.
        figures: of the averaged weights on the held-out sets, if they were just evaluated.
        is_saved: whether a checkpoint of this step was written.
    """

    step: int
    elapsed_s: float
    train_loss: float
    learning_rate: float
    audio_s_per_s: float
    figures: dict[str, dict[str, float]] | None = None
    is_saved: bool = False


class TrainState:
    """Weights, their moving average and the optimizer's moments: all that a resume needs."""

    def __init__(self, model: Wav2Vec2ForCTC) -> None:
        """Start from the model's weights.

        The encoder's matrices are trained by Muon, the rest by AdamW.

        Args:
            model: trained in place. Its first convolution is kept as it is: the gradient of a long
                kernel over raw samples costs as much as two layers of the transformer.
        """
        self.model = model
        extractor = model.wav2vec2.feature_extractor
        extractor.conv_layers[0].conv.requires_grad_(False)
        self.parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.average = {n: p.detach().clone() for n, p in model.state_dict().items()}
        matrices = [
            parameter
            for name, parameter in self.parameters.items()
            if parameter.ndim == 2 and ".encoder.layers." in name
        ]
        of_muon = {id(parameter) for parameter in matrices}
        others = [p for p in self.parameters.values() if id(p) not in of_muon]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in others if p.ndim > 1]},
            {"params": [p for p in others if p.ndim < 2], "weight_decay": 0},
        ]
        self.optimizers: tuple[torch.optim.AdamW, torch.optim.Muon] = (
            torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
            torch.optim.Muon(matrices, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        )
        self.step = 0
        self.elapsed_s = 0.0

    def update_average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones.

        Args:
            decay: in [0, 1); smaller at first, so that the random start is forgotten.
        """
        decay = min(decay, (1 + self.step) / (10 + self.step))
        weights = self.model.state_dict()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.values()), [weights[n] for n in self.average], 1 - decay
            )

    def save(self, folder: Path) -> None:
        """Write the checkpoint; an interrupted write leaves the one before.

        Args:
            folder: created if missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{n}": p.contiguous() for n, p in self.model.state_dict().items()}
        tensors |= {f"average.{n}": p.contiguous() for n, p in self.average.items()}
        for optimizer, (name, parameter) in product(self.optimizers, self.parameters.items()):
            for moment, value in optimizer.state.get(parameter, {}).items():
                tensors[f"{moment}.{name}"] = value
        metadata = {"step": str(self.step), "elapsed_s": str(self.elapsed_s)}
        partial = folder / f"{CHECKPOINT}.part"
        save_file(tensors, partial, metadata)
        partial.replace(folder / CHECKPOINT)

    def load(self, folder: Path) -> None:
        """Go back to a checkpoint.

        Args:
            folder: where ``save`` wrote.

        Raises:
            FileNotFoundError: if there is none.
        """
        with safe_open(folder / CHECKPOINT, "pt") as stored:
            names = set(stored.keys())
            weights = self.model.state_dict()
            self.model.load_state_dict({n: stored.get_tensor(f"model.{n}") for n in weights})
            self.average = {n: stored.get_tensor(f"average.{n}") for n in self.average}
            for optimizer, moments in zip(self.optimizers, MOMENTS, strict=True):
                for name, parameter in self.parameters.items():
                    if f"{moments[0]}.{name}" in names:
                        optimizer.state[parameter] = {
                            moment: stored.get_tensor(f"{moment}.{name}") for moment in moments
                        }
            metadata = stored.metadata()
        self.step = int(metadata["step"])
        self.elapsed_s = float(metadata["elapsed_s"])


def build_averaged_model(state: TrainState) -> Wav2Vec2ForCTC:
    """Copy the model with the averaged weights.

    Args:
        state: left as it is.

    Returns:
        A model in evaluation mode.
    """
    model = Wav2Vec2ForCTC(copy.deepcopy(state.model.config))
    model.load_state_dict(state.average)
    return model.eval()


def train(
    state: TrainState,
    source: BatchSource,
    config: TrainConfig,
    folder: Path,
    evaluate: Callable[[Wav2Vec2ForCTC], dict[str, dict[str, float]]],
    compute_loss: ComputeLoss = compute_loss,
    shard: Shard = ALONE,
) -> Iterator[SpeechEvent]:
    """Train until the time is up.

    Args:
        state: trained in place, from wherever it is.
        source: batches by step.
        config: see there.
        folder: for the checkpoints.
        evaluate: called with the averaged model.
        compute_loss: what is made small, a mean over the batch's characters.
        shard: which of several workers this is; each has a folder of its own, makes every batch
            and learns from its share. The first one's clock decides for all.

    Yields:
        One event a step. The last one follows the last checkpoint and carries figures.
    """
    steps = range(state.step, len(source))
    loader = DataLoader(
        source,
        batch_size=None,
        sampler=steps,
        num_workers=config.num_workers,
        prefetch_factor=8 if config.num_workers else None,
    )
    (started,) = shard.agree(time.monotonic())
    checkpointed = started
    evaluated_s = state.elapsed_s
    for step, batch in zip(steps, loader, strict=True):
        # A training that runs beside other work is paused for minutes: those do not count.
        began_s = time.process_time()
        (now,) = shard.agree(time.monotonic())
        left_minutes = config.minutes - (now - started) / 60
        rate = config.learning_rate * min(1.0, (step + 1) / config.warmup_steps)
        if config.decay_minutes:
            rate *= min(1.0, max(0.0, left_minutes / config.decay_minutes))
        for optimizer, factor in zip(state.optimizers, (1.0, MUON_RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        loss = _update(state, batch, step, config, compute_loss, shard)
        state.step = step + 1
        state.update_average(config.ema_decay)
        now, step_s = shard.agree(time.monotonic(), time.process_time() - began_s)
        state.elapsed_s += step_s
        last = now - started >= config.minutes * 60
        is_saved = last or now - checkpointed >= config.checkpoint_minutes * 60
        if is_saved:
            state.save(folder)
            (checkpointed,) = shard.agree(time.monotonic())
        figures = None
        if last or state.elapsed_s - evaluated_s >= config.evaluate_minutes * 60:
            figures = evaluate(build_averaged_model(state))
            evaluated_s = state.elapsed_s
        audio_s = float(batch.attention_mask.sum()) / 16_000
        yield SpeechEvent(
            state.step, state.elapsed_s, loss, rate, audio_s / step_s, figures, is_saved
        )
        if last:
            return


def _update(
    state: TrainState,
    batch: Batch,
    step: int,
    config: TrainConfig,
    compute_loss: ComputeLoss,
    shard: Shard,
) -> float:
    model = state.model
    num_rows = len(batch.label_lengths)
    own = batch.take(shard.rows(num_rows))
    weight = count_characters(own) / count_characters(batch) if shard.weight(num_rows) else 0.0
    # Seeded by the step, so that a resumed training draws the same masks and dropouts. The
    # library draws masks from numpy's global generator.
    seed = config.seed * 1_000_003 + step + shard.rank * 999_983
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    model.config.apply_spec_augment = step >= config.mask_after
    model.train()
    # In training mode the front end asks for the gradient of the raw samples, which nobody needs.
    model.wav2vec2.feature_extractor.eval()
    varied = step >= config.vary_after
    with another_vocal_tract(model, np.random.default_rng(seed)) if varied else nullcontext():
        loss = compute_loss(model, own)
    parameters = list(state.parameters.values())
    train_loss = shard.sum_gradients(parameters, [differentiate(loss, loss, weight, parameters)])
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for optimizer in state.optimizers:
        optimizer.step()
    return train_loss
