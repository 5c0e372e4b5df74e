"""A smaller classifier taught by the dense one: pruned, then trained on what the dense one says."""

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from foundry.errors import InputError
from foundry.models.machine import autocast
from foundry.recipes.pruning import choose_layers, keep_layers, narrow, score_channels
from foundry.recipes.sentiment.data.batches import Batch, encode, pad, predict_logits
from foundry.recipes.sentiment.data.corpus import PHRASES, Example
from foundry.recipes.sentiment.finetune import ComputeLoss

PROMPTS = Path("text/ljspeech_prompts.txt")
# Of a text that only the teacher has an opinion on, and the domain of all of these: of any other
# they would take the place of its labelled texts in an epoch.
UNLABELLED = -1
CUT = "cut"
SHORTEST_PHRASE = 2
# The runs of all seeds start from one model and are taught the same texts: they can be averaged.
DRAW_SEED = 0
# Sentences by which layers and neurons are chosen.
NUM_PROBES = 300
PROBE_BATCH_SIZE = 32


@dataclass(frozen=True)
class PruneConfig:
    """What is taken out, and how the rest is taught.

    Attributes:
        num_layers: Layers that stay.
        intermediate_dim: Feed-forward neurons that stay in each of them.
        phrases_each: Phrases cut from each training text for the teacher to label; none from what
            is a phrase as it is.
        num_prompts: Sentences of ordinary prose for the teacher to label.
        temperature: Softens both distributions before they are compared, greater than 0.
        label_weight: Of the cross-entropy with the labels, where there are any.
        hidden_weight: Of the distance between hidden states.
    """

    num_layers: int = 4
    intermediate_dim: int = 1152
    phrases_each: int = 3
    num_prompts: int = 2_000
    temperature: float = 2.0
    label_weight: float = 0.3
    hidden_weight: float = 1.0


def choose_probes(train: Sequence[Example]) -> list[Example]:
    """Draw the sentences by which layers and neurons are chosen.

    Args:
        train: The training examples.

    Returns:
        At most `NUM_PROBES` of them.
    """
    return random.Random(DRAW_SEED).sample(list(train), min(NUM_PROBES, len(train)))


def prune(
    dense: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Example],
    config: PruneConfig,
) -> tuple[BertForSequenceClassification, tuple[int, ...]]:
    """Take the layers and neurons out that matter least to the answers on some sentences.

    Args:
        dense: The classifier; left as it is.
        tokenizer: Its tokenizer.
        probes: The sentences.
        config: How much stays.

    Returns:
        An ordinary, smaller classifier in evaluation mode, not trained any further, and the
        numbers of the dense one's layers that it has.
    """
    model = copy.deepcopy(dense).eval()
    texts = [example.text for example in probes]
    wanted = F.log_softmax(predict_logits(model, tokenizer, texts), dim=1)

    def measure_divergence() -> float:
        given = F.log_softmax(predict_logits(model, tokenizer, texts), dim=1)
        return F.kl_div(given, wanted, log_target=True, reduction="batchmean").item()

    layers = model.bert.encoder.layer
    kept = choose_layers(layers, config.num_layers, measure_divergence)
    keep_layers(layers, kept)
    model.config.num_hidden_layers = len(kept)

    def sum_margins(batch: tuple[Tensor, Tensor]) -> Tensor:
        logits = model(input_ids=batch[0], attention_mask=batch[1]).logits
        return (logits[:, -1] - logits[:, 0]).sum()

    encoded = sorted(encode(tokenizer, texts), key=len)
    starts = range(0, len(encoded), PROBE_BATCH_SIZE)
    batches = [pad(encoded[start : start + PROBE_BATCH_SIZE]) for start in starts]
    scores = score_channels([layer.output.dense for layer in layers], batches, sum_margins)
    producers = [layer.intermediate.dense for layer in layers]
    width = min(config.intermediate_dim, model.config.intermediate_size)
    narrow(model, batches[0][0], dict(zip(producers, scores, strict=True)), width)
    model.config.intermediate_size = width
    # Built anew from the configuration alone: that must be enough for anyone who loads the files.
    rebuilt = BertForSequenceClassification(model.config)
    rebuilt.load_state_dict(model.state_dict())
    return rebuilt.eval(), kept


def collect_texts(train: Sequence[Example], data_dir: Path, config: PruneConfig) -> list[Example]:
    """Put texts without a label beside the training examples.

    Phrases cut from sentences are where a sentence's opinion is made; the teacher knows theirs.

    Args:
        train: The examples.
        data_dir: Folder with `text/ljspeech_prompts.txt`.
        config: How many.

    Returns:
        The examples, then the texts with the label `UNLABELLED`.

    Raises:
        InputError: If there is no file of prompts.
    """
    path = data_dir / PROMPTS
    if not path.is_file():
        raise InputError(f"There is no {path}: --data must name the folder that holds the corpora.")
    rng = random.Random(DRAW_SEED)
    prompts = path.read_text(encoding="utf-8").splitlines()
    texts = rng.sample(prompts, min(config.num_prompts, len(prompts)))
    for example in train:
        words = example.text.split()
        if example.domain == PHRASES or len(words) <= SHORTEST_PHRASE:
            continue
        for _ in range(config.phrases_each):
            length = rng.randint(SHORTEST_PHRASE, len(words) - 1)
            start = rng.randint(0, len(words) - length)
            texts.append(" ".join(words[start : start + length]))
    return [*train, *(Example(text, UNLABELLED, CUT) for text in texts)]


def build_loss(
    student: BertForSequenceClassification,
    teacher: BertForSequenceClassification,
    kept: Sequence[int],
    config: PruneConfig,
) -> ComputeLoss:
    """Make the loss of a student: what the teacher says, how it gets there, and the labels.

    Each layer of the student is to give what the next one was used to receive: the hidden state
    before that layer in the teacher.

    Args:
        student: Trained elsewhere, in training mode.
        teacher: Left as it is.
        kept: Which layers of the teacher the student's were, in order.
        config: The weights of the three.

    Returns:
        The loss of a batch.

    Source:
        Hinton et al. 2015, Distilling the Knowledge in a Neural Network, section 2; Jiao et al.
        2020, TinyBERT, equation 8.
    """
    teacher.eval()
    # Hidden state 0 is the embeddings', n that of layer n - 1.
    targets = [*kept[1:], teacher.config.num_hidden_layers]

    def compute_loss(batch: Batch) -> Tensor:
        labels, attention_mask = batch.labels, batch.attention_mask
        inputs = {"input_ids": batch.input_ids, "attention_mask": attention_mask}
        with autocast():
            with torch.no_grad():
                told = teacher(**inputs, output_hidden_states=True)
            said = student(**inputs, output_hidden_states=True)
        logits = said.logits.float()
        loss = config.temperature**2 * F.kl_div(
            F.log_softmax(logits / config.temperature, dim=1),
            F.log_softmax(told.logits.float() / config.temperature, dim=1),
            log_target=True,
            reduction="batchmean",
        )
        known = labels != UNLABELLED
        if config.label_weight and known.any():
            total = F.cross_entropy(logits[known], labels[known], reduction="sum")
            loss = loss + config.label_weight * total / len(labels)
        if config.hidden_weight:
            real = attention_mask.bool()
            distances = [
                F.mse_loss(own[real].float(), told.hidden_states[target][real].float())
                for own, target in zip(said.hidden_states[1:], targets, strict=True)
            ]
            loss = loss + config.hidden_weight * torch.stack(distances).mean()
        return loss

    return compute_loss
