"""A smaller recogniser: pruned, then taught what the dense one hears."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from transformers import Wav2Vec2ForCTC

from foundry.models.machine import autocast
from foundry.recipes.pruning import choose_layers, keep_layers, narrow, score_channels
from foundry.recipes.speech.batches import Batch
from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ
from foundry.recipes.speech.losses import ComputeLoss, compute_ctc, compute_loss, count_characters
from foundry.recipes.speech.model import count_frames


@dataclass(frozen=True)
class PruneConfig:
    """What is taken out, and how the rest is taught.

    Attributes:
        num_layers: transformer layers that stay.
        intermediate_dim: feed-forward neurons that stay in each of them.
        conv_dim: channels of the second convolution that stay.
        frame_weight: of the divergence from the dense model's characters, frame by frame.
        hidden_weight: of the distance between hidden states.
    """

    num_layers: int = 4
    intermediate_dim: int = 896
    conv_dim: int = 128
    frame_weight: float = 1.0
    hidden_weight: float = 1.0


def prune(
    dense: Wav2Vec2ForCTC, probes: Sequence[Batch], config: PruneConfig
) -> tuple[Wav2Vec2ForCTC, tuple[int, ...]]:
    """Take the layers, neurons and channels out that matter least to the CTC loss of some batches.

    The first convolution is a filterbank with constants, whose channels need each other; the last
    one feeds the transformer. The one between them is narrowed.

    Args:
        dense: left as it is.
        probes: the batches.
        config: how much stays.

    Returns:
        An ordinary, smaller model in evaluation mode, not trained any further, and the numbers of
        the dense one's layers that it has.
    """
    model = copy.deepcopy(dense).eval()
    layers = model.wav2vec2.encoder.layers

    @torch.no_grad()
    def measure_loss() -> float:
        return sum(float(compute_loss(model, batch)) for batch in probes)

    kept = choose_layers(layers, config.num_layers, measure_loss)
    keep_layers(layers, kept)
    model.config.num_hidden_layers = len(kept)
    feed_forwards = [layer.feed_forward for layer in layers]
    _, middle, last = (layer.conv for layer in model.wav2vec2.feature_extractor.conv_layers)
    *of_neurons, of_channels = score_channels(
        [*(part.output_dense for part in feed_forwards), last],
        probes,
        lambda batch: compute_loss(model, batch),
    )
    second = torch.zeros(1, SAMPLE_RATE_HZ)
    width = min(config.intermediate_dim, model.config.intermediate_size)
    producers = [part.intermediate_dense for part in feed_forwards]
    narrow(model, second, dict(zip(producers, of_neurons, strict=True)), width)
    model.config.intermediate_size = width
    first_dim, middle_dim, last_dim = model.config.conv_dim
    middle_dim = min(config.conv_dim, middle_dim)
    narrow(model, second, {middle: of_channels}, middle_dim)
    model.config.conv_dim = [first_dim, middle_dim, last_dim]
    # Built anew from the configuration alone: that must be enough for anyone who loads the files.
    rebuilt = Wav2Vec2ForCTC(copy.deepcopy(model.config))
    rebuilt.load_state_dict(model.state_dict())
    return rebuilt.eval(), kept


def build_loss(teacher: Wav2Vec2ForCTC, kept: Sequence[int], config: PruneConfig) -> ComputeLoss:
    """Make the loss of a student: the transcript, what the teacher hears, and how it gets there.

    Each layer of the student is to give what the next one was used to receive: the hidden state
    before that layer in the teacher. The teacher hears the whole clip where the student's is
    masked.

    Args:
        teacher: put into evaluation mode, otherwise left as it is.
        kept: which layers of the teacher the student's were, in order.
        config: the weights of the three.

    Returns:
        The loss of a batch, a character.

    Source:
        Hinton et al. 2015, Distilling the Knowledge in a Neural Network, section 2.
    """
    teacher.eval()
    # Hidden state 0 is what the first layer gets; the last one is what the head gets.
    targets = [*kept[1:], teacher.config.num_hidden_layers]

    def compute(student: Wav2Vec2ForCTC, batch: Batch) -> torch.Tensor:
        inputs = {"attention_mask": batch.attention_mask, "output_hidden_states": True}
        with autocast():
            with torch.no_grad():
                told = teacher(batch.input_values, **inputs)
            said = student(batch.input_values, **inputs)
        frames = count_frames(student, batch.attention_mask.sum(1))
        real = torch.arange(said.logits.shape[1]) < frames[:, None]
        divergence = F.kl_div(
            said.logits[real].float().log_softmax(-1),
            told.logits[real].float().log_softmax(-1),
            log_target=True,
            reduction="sum",
        )
        distances = []
        for own, target in zip(said.hidden_states[1:], targets, strict=True):
            wanted = told.hidden_states[target][real].float()
            # Hidden states grow from layer to layer; each distance is relative to their size.
            distances.append(F.mse_loss(own[real].float(), wanted) / wanted.square().mean())
        loss = compute_ctc(said.logits, frames, batch)
        loss = loss + config.frame_weight * divergence / count_characters(batch)
        return loss + config.hidden_weight * torch.stack(distances).mean()

    return compute
