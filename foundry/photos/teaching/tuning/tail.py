"""The part of the network that fine-tuning changes: the last block, a convolution, the head."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from foundry.errors import ArtifactError
from foundry.models.networks import EfficientNetLite0
from foundry.photos.teaching.head import Head


class Tail(nn.Module):
    """What comes behind the frozen blocks of `EfficientNetLite0`; its normalisations stay frozen.

    Attributes:
        labels: Of the classes, one for each logit.
    """

    def __init__(self, network: EfficientNetLite0, labels: Sequence[str]) -> None:
        """Copy the last block of a network, with a head that says nothing yet.

        Args:
            network: The shipped one; not modified.
            labels: Of the classes.
        """
        super().__init__()
        self.labels = tuple(labels)
        self.block = copy.deepcopy(network.blocks[-1])
        self.convolution = copy.deepcopy(network.head)
        self.classifier = nn.Linear(network.NUM_FEATURES, len(labels))
        self.eval().requires_grad_(False)

    def take_head(self, head: Head) -> None:
        """Begin with a trained head, of the same classes."""
        self.classifier.weight.data = head.weight.clone()
        self.classifier.bias.data = head.bias.clone()

    def forward(self, maps: Tensor) -> Tensor:
        """Map what the frozen blocks give, float32 (N, 192, 7, 7), to logits, (N, classes)."""
        features = self.convolution(self.block(maps))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits

    def put_into(self, network: EfficientNetLite0) -> None:
        """Replace the same part of a whole network, which is modified."""
        network.blocks[-1] = copy.deepcopy(self.block)
        network.head = copy.deepcopy(self.convolution)
        network.classifier = copy.deepcopy(self.classifier)


def pack_tail(tail: Tail) -> bytes:
    """Return the content of a file that `read_tail()` reads."""
    tensors = {name: one.contiguous() for name, one in tail.state_dict().items()}
    return save(tensors, metadata={"labels": json.dumps(tail.labels, ensure_ascii=False)})


def read_tail(path: Path, network: EfficientNetLite0, labels: Sequence[str]) -> Tail:
    """Read a fine-tuned part.

    Args:
        path: Written from `pack_tail()`.
        network: The shipped one.
        labels: Of the head that it went on from.

    Raises:
        ArtifactError: If the file is missing or damaged, or has other classes.
    """
    tail = Tail(network, labels)
    try:
        with safe_open(path, "pt") as file:
            if tuple(json.loads(file.metadata()["labels"])) != tail.labels:
                raise ValueError("other classes")
            tail.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError):
        raise ArtifactError(f"{path} is damaged; fine-tune again.") from None
    return tail
