"""How a classifier does on a split of a data set."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from foundry.data import Split, normalize
from foundry.training.threads import Threads

_BATCH_SIZE = 1000


@dataclass(frozen=True)
class Evaluation:
    """How a model does on one split.

    Attributes:
        loss: Mean cross-entropy, nats.
        accuracy: In [0, 1].
        probs: float32, shape (N, classes), on the CPU.
    """

    loss: float
    accuracy: float
    probs: torch.Tensor


def evaluate(model: nn.Module, split: Split) -> Evaluation:
    """Measure a model; leaves it in evaluation mode.

    On the CPU the batches are dealt out to threads of one core each, whose number changes nothing.

    Args:
        model: A classifier giving logits (N, classes).
        split: Images and labels.
    """
    model.eval()
    device = next(model.parameters()).device
    batches = split.images.split(_BATCH_SIZE)

    @torch.inference_mode()
    def compute(images: torch.Tensor) -> torch.Tensor:
        return model(normalize(images).to(device)).cpu()

    with Threads(len(batches), device) as threads:
        logits = torch.cat(threads.map(compute, batches))
    accuracy = (logits.argmax(dim=1) == split.labels).double().mean().item()
    loss = F.cross_entropy(logits, split.labels).item()
    return Evaluation(loss=loss, accuracy=accuracy, probs=logits.softmax(dim=1))
