"""What training makes small: the CTC loss of a batch."""

from collections.abc import Callable

import torch
from transformers import Wav2Vec2ForCTC

from foundry.models.machine import autocast
from foundry.recipes.speech.batches import Batch
from foundry.recipes.speech.model import CHARACTERS, PAD, count_frames

BLANK = CHARACTERS.index(PAD)

# Maps a model in training mode and a batch to a scalar.
ComputeLoss = Callable[[Wav2Vec2ForCTC, Batch], torch.Tensor]


def compute_loss(model: Wav2Vec2ForCTC, batch: Batch) -> torch.Tensor:
    """Run the model and give its CTC loss a character.

    Args:
        model: in any mode.
        batch: at least one utterance with a label.

    Returns:
        float32 scalar.
    """
    with autocast():
        logits = model(batch.input_values, attention_mask=batch.attention_mask).logits
    return compute_ctc(logits, count_frames(model, batch.attention_mask.sum(1)), batch)


def compute_ctc(logits: torch.Tensor, frames: torch.Tensor, batch: Batch) -> torch.Tensor:
    """CTC loss a character.

    Args:
        logits: [batch, frames, characters].
        frames: int64 [batch], how many of them are not padding.
        batch: at least one utterance with a label.

    Returns:
        float32 scalar.
    """
    total = torch.nn.functional.ctc_loss(
        logits.float().log_softmax(-1).transpose(0, 1),
        batch.labels,
        frames,
        batch.label_lengths,
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    return total / count_characters(batch)


def count_characters(batch: Batch) -> int:
    """Count what the loss of a batch is divided by, at least 1."""
    return max(1, int(batch.label_lengths.sum()))
